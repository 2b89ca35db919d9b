/** Fifty more files of each reader. */

import './mutate-files.test.ts';
