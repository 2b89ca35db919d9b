/**
 * Losses by Keras 3's names and formulas. A loss gives one number an example; the step takes their mean, as Keras'
 * `sum_over_batch_size` does.
 *
 * Invariant: a cross-entropy is computed from logits whenever there are any: given (`fromLogits`), or found behind the
 * model's own softmax or sigmoid. Only probabilities of unknown origin are clipped to [1e-7, 1 − 1e-7], as in Keras.
 * Source: keras/src/losses/losses.py and keras/src/backend/jax/nn.py.
 */

import type { Tensor } from '../core/tensor.ts';
import { add, div, mul, sub } from '../ops/binary.ts';
import { sigmoidCrossEntropy, softmaxCrossEntropy, softmaxCrossEntropyDense } from '../ops/cross-entropy.ts';
import { oneHot } from '../ops/gather.ts';
import { mean, sum } from '../ops/reduce.ts';
import { abs, clip, log, neg, square } from '../ops/unary.ts';
import { unknownName } from '../util/errors.ts';
import { checkKnownOptions, trueOrFalse } from './check-options.ts';
import type { ModelOutput } from './output.ts';

/**
 * What targets look like: `values` are f32 of the output's shape, `classes` are i32 ids of the output's shape without
 * its last axis.
 */
export type TargetKind = 'values' | 'classes';

export interface Loss {
  readonly name: string;
  /** The options that make it again. */
  readonly config: Readonly<Record<string, boolean>>;
  readonly targets: TargetKind;
  /** True when the model's outputs are logits, so that 0 stands for a probability of one half. */
  readonly fromLogits: boolean;
  /** f32 [B]; traced once for each program. */
  perExample(target: Tensor, output: ModelOutput): Tensor;
}

export interface CrossentropyOptions {
  /** True when the model ends in logits, without softmax or sigmoid; false when left out. */
  readonly fromLogits?: boolean;
}

/** Keras' `epsilon()`: probabilities stay this far from 0 and 1. */
const EPSILON = 1e-7;

/** Mean of (y − prediction)². */
export const meanSquaredError = (options: object = {}): Loss =>
  regression('meanSquaredError', options, (y, prediction) => square(sub(prediction, y)));

/** Mean of |y − prediction|. */
export const meanAbsoluteError = (options: object = {}): Loss =>
  regression('meanAbsoluteError', options, (y, prediction) => abs(sub(prediction, y)));

/** Mean of −y log p − (1 − y) log(1 − p), for independent yes-or-no targets in [0, 1]. */
export const binaryCrossentropy = (options: CrossentropyOptions = {}): Loss =>
  crossentropy('binaryCrossentropy', 'values', options, (y, output, fromLogits) => {
    const logits = fromLogits ? output.values : output.sigmoidLogits;
    if (logits !== undefined) return exampleMean(sigmoidCrossEntropy(logits, y));
    const p = clip(output.values, EPSILON, 1 - EPSILON);
    return exampleMean(neg(add(mul(y, log(p)), mul(sub(1, y), log(sub(1, p))))));
  });

/** −Σ y log p over the last axis, for targets that are distributions (one-hot rows). */
export const categoricalCrossentropy = (options: CrossentropyOptions = {}): Loss =>
  crossentropy('categoricalCrossentropy', 'values', options, (y, output, fromLogits) => {
    const logits = fromLogits ? output.values : output.softmaxLogits;
    if (logits !== undefined) return exampleMean(softmaxCrossEntropyDense(logits, y));
    return exampleMean(neg(sum(mul(y, logProbabilities(output.values)), { axes: -1 })));
  });

/** −log p of the true class, for targets that are class ids. */
export const sparseCategoricalCrossentropy = (options: CrossentropyOptions = {}): Loss =>
  crossentropy('sparseCategoricalCrossentropy', 'classes', options, (y, output, fromLogits) => {
    const logits = fromLogits ? output.values : output.softmaxLogits;
    if (logits !== undefined) return exampleMean(softmaxCrossEntropy(logits, y));
    const classes = output.values.shape[output.values.rank - 1];
    return exampleMean(neg(sum(mul(oneHot(y, classes), logProbabilities(output.values)), { axes: -1 })));
  });

/** All losses by name. */
export const losses = {
  meanSquaredError,
  meanAbsoluteError,
  binaryCrossentropy,
  categoricalCrossentropy,
  sparseCategoricalCrossentropy,
};

export type LossName = keyof typeof losses;

/** A loss, or the name of one with its default options; `mse` and `mae` are short names. */
export type LossLike = LossName | 'mse' | 'mae' | Loss;

const SHORT_NAMES: Readonly<Record<string, LossName>> = { mse: 'meanSquaredError', mae: 'meanAbsoluteError' };

/** @throws DownhillError `argument` for an unknown name, with the nearest one. */
export function resolveLoss(value: unknown, config: object = {}): Loss {
  if (typeof value === 'object' && value !== null && 'perExample' in value) return value as Loss;
  const name = typeof value === 'string' && Object.hasOwn(SHORT_NAMES, value) ? SHORT_NAMES[value] : value;
  if (typeof name !== 'string' || !Object.hasOwn(losses, name)) {
    throw unknownName('loss', value, [...Object.keys(losses), ...Object.keys(SHORT_NAMES)]);
  }
  return losses[name as LossName](config);
}

/** Mean over all axes but the first: [B, …] → [B]. */
export function exampleMean(x: Tensor): Tensor {
  return x.rank === 1 ? x : mean(x, { axes: x.shape.map((_, axis) => axis).slice(1) });
}

function regression(name: string, options: object, term: (y: Tensor, prediction: Tensor) => Tensor): Loss {
  checkKnownOptions(name, options, []);
  return {
    name,
    config: {},
    targets: 'values',
    fromLogits: false,
    perExample: (y, { values }) => exampleMean(term(y, values)),
  };
}

function crossentropy(
  name: string,
  targets: TargetKind,
  options: CrossentropyOptions,
  perExample: (y: Tensor, output: ModelOutput, fromLogits: boolean) => Tensor,
): Loss {
  checkKnownOptions(name, options, ['fromLogits']);
  const fromLogits = trueOrFalse(name, 'fromLogits', options.fromLogits ?? false);
  return {
    name,
    config: fromLogits ? { fromLogits } : {},
    targets,
    fromLogits,
    perExample: (y, output) => perExample(y, output, fromLogits),
  };
}

/** log of probabilities that are scaled to sum to 1 and kept away from 0 and 1, as Keras does. */
function logProbabilities(p: Tensor): Tensor {
  return log(clip(div(p, sum(p, { axes: -1, keepDims: true })), EPSILON, 1 - EPSILON));
}
