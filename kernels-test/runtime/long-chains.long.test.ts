/** Chains of 20,000 ops. */

import './long-chains.test.ts';
