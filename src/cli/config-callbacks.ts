/**
 * The callbacks that a config file may name, made from its options; those that write files take a `path`.
 */

import { checkKnownOptions } from '../nn/check-options.ts';
import type { Callback } from '../train/callbacks/callback.ts';
import { callbacks } from '../train/callbacks/index.node.ts';
import { DownhillError } from '../util/errors.ts';
import { show } from '../util/show.ts';
import type { JsonRecord } from './config-reader.ts';

/** Options as they are in the file, which each callback checks itself. */
// biome-ignore lint/suspicious/noExplicitAny: the callbacks check what they are given
type Unchecked = any;

export const CONFIG_CALLBACKS: Readonly<Record<string, (config: JsonRecord) => Callback>> = {
  earlyStopping: (config: Unchecked) => callbacks.earlyStopping(config),
  reduceLROnPlateau: (config: Unchecked) => callbacks.reduceLROnPlateau(config),
  modelCheckpoint: (config: Unchecked) => callbacks.modelCheckpoint(config),
  terminateOnNaN: (config: Unchecked) => {
    checkKnownOptions('terminateOnNaN', config, []);
    return callbacks.terminateOnNaN();
  },
  backupAndRestore: ({ path, ...options }: Unchecked) => {
    checkKnownOptions('backupAndRestore', options, ['every', 'seconds', 'deleteCheckpoint']);
    return callbacks.backupAndRestore(pathOf('backupAndRestore', path), options);
  },
  csvLogger: ({ path, ...options }: Unchecked) => callbacks.csvLogger(pathOf('csvLogger', path), options),
  jsonlLogger: ({ path, ...options }: Unchecked) => callbacks.jsonlLogger(pathOf('jsonlLogger', path), options),
  tensorBoard: ({ path, ...options }: Unchecked) => callbacks.tensorBoard(pathOf('tensorBoard', path), options),
};

function pathOf(owner: string, path: unknown): string {
  if (typeof path === 'string' && path !== '') return path;
  throw new DownhillError('argument', `${owner}: path must be the file or folder to write, found ${show(path)}`);
}
