/** Products of a million terms and more. */

import './sums.test.ts';
