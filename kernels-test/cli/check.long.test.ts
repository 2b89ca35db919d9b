/** `downhill gradcheck` of everything; a max pooling that rounding turns. */

import './check.test.ts';
