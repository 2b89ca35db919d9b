/**
 * The callbacks that a config file may name.
 */

import type { Callback } from '../train/callbacks/callback.ts';
import { callbacks } from '../train/callbacks/index.ts';
import type { JsonRecord } from './config-reader.ts';

export type MadeCallback = Callback;

/** Makes each callback from its options, which it checks itself. */
export const CONFIG_CALLBACKS: Readonly<Record<string, (config: JsonRecord) => MadeCallback>> = {
  earlyStopping: (config) => callbacks.earlyStopping(config),
};
