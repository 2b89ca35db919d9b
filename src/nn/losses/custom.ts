/**
 * A user's own function as a loss or a metric: (yTrue, yPred) → one number an example, or more, which are averaged.
 */

import { describe, Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { checkKnownOptions, oneOf, show } from '../check-options.ts';
import { exampleMean, type Loss, type TargetKind } from './loss.ts';

/** `yTrue` f32 [B, …output] (or i32 ids, for targets of `classes`), `yPred` f32 [B, …output] → f32 [B, …]. */
export type ValueFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

export interface CustomOptions {
  /** In logs; the function's own name when left out. */
  readonly name?: string;
  /** `values` of the output's shape (when left out), or `classes`: ids. */
  readonly targets?: TargetKind;
}

/**
 * A loss that `value` computes; traced once for each program, so it must be made of ops.
 * @throws DownhillError `argument`.
 */
export function custom(value: ValueFunction, options: CustomOptions = {}): Loss {
  if (typeof value !== 'function') {
    throw new DownhillError('argument', `custom: expected a function (yTrue, yPred) => tensor, found ${show(value)}`);
  }
  const { name, targets } = customOptions('custom', value, options);
  return {
    name,
    config: {},
    targets,
    fromLogits: false,
    custom: true,
    perExample: (y, { values }) => exampleMean(checkedValues(`loss "${name}"`, value, y, values)),
  };
}

/** @throws DownhillError `argument`. */
export function customOptions(owner: string, value: ValueFunction, options: CustomOptions): Required<CustomOptions> {
  checkKnownOptions(owner, options, ['name', 'targets']);
  const name = options.name ?? (value.name === '' ? owner : value.name);
  if (typeof name !== 'string' || name === '') {
    throw new DownhillError('argument', `${owner}: name must be a text that is not empty, found ${show(name)}`);
  }
  return { name, targets: oneOf(owner, 'targets', options.targets ?? 'values', ['values', 'classes']) };
}

/** What `value` gives for a batch, f32 [B, …]. @throws DownhillError `argument` or `shape` for anything else. */
export function checkedValues(owner: string, value: ValueFunction, y: Tensor, prediction: Tensor): Tensor {
  const result: unknown = value(y, prediction);
  const expected = `expected f32 of shape [${prediction.shape[0]}] or [${prediction.shape[0]}, …], one row an example`;
  if (!(result instanceof Tensor)) {
    const hint = result instanceof Promise ? '; it must not be async' : '';
    throw new DownhillError('argument', `${owner} returned ${show(result)}; ${expected}${hint}`);
  }
  if (result.dtype !== 'f32' || result.rank === 0 || result.shape[0] !== prediction.shape[0]) {
    const hint = result.rank === 0 ? '; the mean over the batch is taken afterwards' : '';
    throw new DownhillError('shape', `${owner} returned ${describe(result)}; ${expected}${hint}`);
  }
  return result;
}
