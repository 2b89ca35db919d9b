/** What bundlers drop: a build for each question. */

import './strip.test.ts';
