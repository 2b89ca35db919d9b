/** The training of the Digits and Images pages, in its worker. */

import { Engine } from './engine.ts';

export default new Engine();
