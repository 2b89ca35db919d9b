/** The models of the zoo that are large or like others. */

import './goldens.test.ts';
