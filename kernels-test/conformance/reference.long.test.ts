/** Samples with a long axis: errors do not grow with the length. */

import './reference.test.ts';
