/**
 * Models on disk, in Node: a folder with `model.json` and `weights.safetensors`.
 *
 * Invariant: each file is written atomically, weights first; a folder with a model.json always has weights beside it.
 */

import { join } from 'node:path';
import { readFileBytes, writeFileAtomic } from '../util/files.node.ts';
import { type LoadOptions, loadModelFiles } from './load-model.ts';
import type { Model } from './model.ts';
import type { SavedModel } from './model-options.ts';

export const MODEL_FILE = 'model.json';
export const WEIGHTS_FILE = 'weights.safetensors';

/**
 * Saves `model` in the folder `directory`, which is made if need be.
 * @param options.optimizer true to save the optimizer's state too, so that training can go on.
 * @throws DownhillError `file` naming the path and the system's reason.
 */
export async function saveModel(
  model: Model,
  directory: string,
  options: { readonly optimizer?: boolean } = {},
): Promise<void> {
  await writeSavedModel(await model.save(options), directory);
}

/** Writes the two files of `Sequential.save` into `directory`. @throws DownhillError as `saveModel`. */
export async function writeSavedModel({ json, weights }: SavedModel, directory: string): Promise<void> {
  await writeFileAtomic(join(directory, WEIGHTS_FILE), weights);
  await writeFileAtomic(join(directory, MODEL_FILE), json);
}

/**
 * The model in the folder `directory`, compiled if it was when it was saved.
 * @param options.customObjects losses, metrics, layers and functions of the user, by name.
 * @throws DownhillError `file` for a missing folder, a corrupt file or weights that do not fit the model.
 */
export async function loadModel(directory: string, options: LoadOptions = {}): Promise<Model> {
  const modelPath = join(directory, MODEL_FILE);
  const weightsPath = join(directory, WEIGHTS_FILE);
  const json = new TextDecoder().decode(await readFileBytes(modelPath, 'model'));
  const weights = await readFileBytes(weightsPath, 'weights');
  return loadModelFiles({ json, weights }, { json: modelPath, weights: weightsPath }, options);
}
