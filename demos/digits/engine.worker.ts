/** The engine of the Digits page, in its own thread. */

import { exposeEngine } from '../shared/training/expose-engine.ts';

exposeEngine('digits');
