/** Whole searches. */

import './tune.test.ts';
