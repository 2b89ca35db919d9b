/** Two hundred fits. */

import './steady-step.test.ts';
