/** The engine of the Images page, in its own thread. */

import { exposeEngine } from '../shared/training/expose-engine.ts';

exposeEngine('images');
