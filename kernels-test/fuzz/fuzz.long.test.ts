/** Fifty more seeds, and broken kernels, which they find. */

import './fuzz.test.ts';
