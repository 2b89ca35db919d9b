/** Ctrl-C while steps block the process. */

import './train.test.ts';
