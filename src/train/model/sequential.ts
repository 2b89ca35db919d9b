/**
 * Sequential: a stack of layers, as in Keras, and the reading of saved ones. All of a stack's behaviour is in stack.ts.
 *
 * Invariant: whatever made it (`new Sequential`, `sequential`, the zoo, `modelFromJSON`), a stack is an instance of
 * Sequential.
 */

import { DownhillError } from '../../util/errors.ts';
import { type LoadOptions, loadModelFiles, modelFromJSON } from './load-model.ts';
import type { Model } from './model.ts';
import type { SavedModel } from './model-options.ts';
import { Stack } from './stack.ts';

export { sequential } from './stack.ts';

export class Sequential extends Stack {
  /**
   * The model that `toJSON` described (text or parsed), with fresh weights, compiled if it was.
   * @param file what errors call the JSON. @throws DownhillError `file` or `argument`.
   */
  static fromJSON(json: unknown, file?: string, options?: LoadOptions): Sequential {
    return onlySequential(modelFromJSON(json, file, options), file);
  }

  /**
   * The model that `save` gave. @param names what errors call the two files.
   * @throws DownhillError `file` for corrupt files or weights that do not fit the model.
   */
  static load(
    saved: SavedModel,
    names?: { readonly json: string; readonly weights: string },
    options?: LoadOptions,
  ): Sequential {
    return onlySequential(loadModelFiles(saved, names, options), names?.json);
  }

  /** True for every stack; of a subclass, for its own instances. */
  static override [Symbol.hasInstance](value: unknown): value is Sequential {
    // biome-ignore lint/complexity/noThisInStatic: it tells the class from one that extends it
    return Function.prototype[Symbol.hasInstance].call(this === Sequential ? Stack : this, value);
  }
}

function onlySequential(model: Model, file = 'model JSON'): Sequential {
  if (model instanceof Sequential) return model;
  throw new DownhillError('file', `${file}: holds a functional model; read it with modelFromJSON or loadModelFiles`);
}
