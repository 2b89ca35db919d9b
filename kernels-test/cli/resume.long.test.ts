/** A training that SIGHUP cuts off. */

import './resume.test.ts';
