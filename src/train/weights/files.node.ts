/**
 * Models on disk, in Node: a folder with `model.json` and `weights.safetensors`.
 *
 * Invariant: each file is written atomically, weights first, and what is loaded is of one save, whoever writes
 * meanwhile and wherever a writer was cut off (`model-pair.node.ts`).
 */

import { join } from 'node:path';
import { readFileBytes, removeStaleTemporaries, writeFileAtomic } from '../../util/files.node.ts';
import { type LoadOptions, loadModelFiles } from '../model/load-model.ts';
import type { Model } from '../model/model.ts';
import type { SavedModel } from '../model/model-options.ts';
import { pairedJson, pairFiles } from '../model/model-pair.node.ts';

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

/** Writes the two files of `Model.save` into `directory`. @throws DownhillError as `saveModel`. */
export async function writeSavedModel(files: SavedModel, directory: string): Promise<void> {
  const { json, weights } = pairFiles(files);
  await removeStaleTemporaries(directory, (name) => name === MODEL_FILE || name === WEIGHTS_FILE);
  await writeFileAtomic(join(directory, WEIGHTS_FILE), weights);
  await writeFileAtomic(join(directory, MODEL_FILE), json);
}

/**
 * The model in the folder `directory`, compiled if it was when it was saved. Where model.json is of another save than
 * the weights (a writer is at work, or was cut off), the model that the weights file holds is loaded.
 * @param options.customObjects losses, metrics, layers and functions of the user, by name.
 * @throws DownhillError `file` for a missing folder, a corrupt file or weights that do not fit the model.
 */
export async function loadModel(directory: string, options: LoadOptions = {}): Promise<Model> {
  const modelPath = join(directory, MODEL_FILE);
  const weightsPath = join(directory, WEIGHTS_FILE);
  const readJson = async () => new TextDecoder().decode(await readFileBytes(modelPath, 'model'));
  let json = await readJson();
  const weights = await readFileBytes(weightsPath, 'weights');
  const paired = pairedJson({ json, weights });
  // A writer in between has replaced both by now.
  if (paired !== json) json = await readJson();
  if (pairedJson({ json, weights }) !== json) {
    console.warn(
      `downhill: ${modelPath} is of another save than ${weightsPath}; the model that the weights hold counts`,
    );
  }
  const names = { json: paired === json ? modelPath : `the model in ${weightsPath}`, weights: weightsPath };
  return loadModelFiles({ json: paired, weights }, names, options);
}
