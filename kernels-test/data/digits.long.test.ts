/** A linear model on the digits until it converges. */

import './digits.test.ts';
