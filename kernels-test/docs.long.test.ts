/** The types of the programs in the documentation. */

import './docs.test.ts';
