/**
 * What a loss is, and how a batch of its values becomes the one number that is minimised.
 *
 * Invariant: with weights w the loss is Σ w·l / B, not Σ w·l / Σ w: the weights of a batch change its size, too. That
 * is Keras' reduction `sum_over_batch_size`. Where a loss leaves elements out, the rest are averaged alone.
 * Source: keras/src/losses/loss.py (`reduce_weighted_values`, `apply_mask`).
 */

import type { Tensor } from '../../core/tensor.ts';
import { div, maximum, mul } from '../../ops/elementwise/binary.ts';
import { mean } from '../../ops/reduction/reduce.ts';
import { checkKnownOptions } from '../check-options.ts';
import type { ModelOutput } from '../output.ts';

/**
 * What targets look like: `values` are f32 of the output's shape, `classes` are i32 ids of the output's shape without
 * its last axis.
 */
export type TargetKind = 'values' | 'classes';

/** Options as plain data. */
export type LossConfig = Readonly<Record<string, number | boolean | string>>;

/** What targets a loss takes, in numbers and in words. */
export interface TargetRange {
  readonly low: number;
  readonly high?: number;
  /** `from 0 to 1`. */
  readonly expected: string;
}

export interface Loss {
  readonly name: string;
  /** The options that make it again. */
  readonly config: LossConfig;
  readonly targets: TargetKind;
  /** True when the model's outputs are logits, so that 0 means a probability of one half. */
  readonly fromLogits: boolean;
  /** For targets that are values; any finite number when left out. */
  readonly targetRange?: TargetRange;
  /** True when outputs are scores with a margin, for targets of −1 and 1. */
  readonly margins?: true;
  /** True when class ids need not be below the size of the output's last axis: they only tell examples apart. */
  readonly anyClass?: true;
  /** The class id that marks what shall not count. */
  readonly ignoreClass?: number;
  /** f32 [B]; traced once for each program. */
  perExample(target: Tensor, output: ModelOutput): Tensor;
  /** f32 [B], the share of each example that counts; left out, everything does. */
  share?(target: Tensor): Tensor;
  /** A function of the user, which JSON cannot hold. */
  readonly custom?: true;
}

/** Keras' `epsilon()`: probabilities stay this far from 0 and 1. */
export const EPSILON = 1e-7;

/** Targets that are probabilities of yes. */
export const UNIT: TargetRange = { low: 0, high: 1, expected: 'from 0 to 1' };

/** Mean over all axes but the first: [B, …] → [B]. */
export function exampleMean(x: Tensor): Tensor {
  return x.rank === 1 ? x : mean(x, { axes: x.shape.map((_, axis) => axis).slice(1) });
}

/** The loss of a batch, f32 []. @param weights f32 [B]. */
export function lossValue(loss: Loss, target: Tensor, output: ModelOutput, weights?: Tensor): Tensor {
  const each = loss.perExample(target, output);
  const value = mean(weights === undefined ? each : mul(each, weights));
  if (loss.share === undefined) return value;
  // Nothing counts: the loss is 0, and so is its numerator.
  return div(value, maximum(mean(loss.share(target)), EPSILON));
}

/** A loss of values without options: the mean over an example of what `term` gives for it or its elements. */
export function elementwiseLoss(
  name: string,
  options: object,
  term: (y: Tensor, prediction: Tensor) => Tensor,
  more: Partial<Pick<Loss, 'config' | 'targetRange' | 'margins'>> & { readonly known?: readonly string[] } = {},
): Loss {
  const { known = [], config = {}, ...rest } = more;
  checkKnownOptions(name, options, known);
  return {
    name,
    config,
    targets: 'values',
    fromLogits: false,
    ...rest,
    perExample: (y, { values }) => exampleMean(term(y, values)),
  };
}
