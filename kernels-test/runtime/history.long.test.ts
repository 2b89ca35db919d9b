/** Thousands of readings. */

import './history.test.ts';
