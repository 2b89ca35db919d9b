/**
 * ModelCheckpoint in Node: a folder with model.json and weights.safetensors under each name, or a weights file alone.
 * Every file is written atomically, weights first, so a name always leads to a whole model.
 */

import { checkKnownOptions, show } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { writeFileAtomic } from '../../util/files.node.ts';
import { writeSavedModel } from '../weights/files.node.ts';
import { CHECKPOINT_OPTIONS, type CheckpointOptions, ModelCheckpoint } from './model-checkpoint.ts';

export interface FileCheckpointOptions extends CheckpointOptions {
  /**
   * A folder or, with `saveWeightsOnly`, a file that ends in `.safetensors`. `{epoch}` (from 1), `{batch}` (from 1,
   * with `saveFreq: n`) and the names of logged values are filled in, `{epoch:03d}` and `{valLoss:.4f}` with a format.
   */
  readonly path: string;
}

/**
 * Saves the model under `path` while it trains; the optimizer's state is saved too, unless `saveWeightsOnly`.
 * @throws DownhillError `argument` for an option that is not accepted.
 */
export function modelCheckpoint(options: FileCheckpointOptions): ModelCheckpoint {
  checkKnownOptions('modelCheckpoint', options, ['path', ...CHECKPOINT_OPTIONS]);
  const { path, saveWeightsOnly = false } = options;
  if (saveWeightsOnly && typeof path === 'string' && !path.endsWith('.safetensors')) {
    throw new DownhillError(
      'argument',
      `modelCheckpoint: with saveWeightsOnly the path must end in .safetensors, found ${show(path)}`,
    );
  }
  return new ModelCheckpoint({
    ...options,
    save: (files, name) => (saveWeightsOnly ? writeFileAtomic(name, files.weights) : writeSavedModel(files, name)),
  });
}
