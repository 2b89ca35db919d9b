/** A step of the networks that are large, or like others. */

import './branched.test.ts';
