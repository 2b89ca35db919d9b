/**
 * Cross-entropies of yes-or-no answers, of distributions and of class ids.
 *
 * Invariant: a cross-entropy is computed from logits whenever there are any: given (`fromLogits`), or found behind the
 * model's own softmax or sigmoid. Only probabilities of unknown origin are clipped to [1e-7, 1 − 1e-7], as in Keras.
 * Source: keras/src/losses/losses.py and keras/src/backend/jax/nn.py.
 */

import type { Tensor } from '../../core/tensor.ts';
import { add, div, mul, sub } from '../../ops/elementwise/binary.ts';
import { cast } from '../../ops/elementwise/cast.ts';
import { notEqual } from '../../ops/elementwise/compare.ts';
import { neg } from '../../ops/elementwise/neg.ts';
import { clip, where } from '../../ops/elementwise/select.ts';
import { log } from '../../ops/elementwise/unary.ts';
import { oneHot } from '../../ops/layout/gather.ts';
import {
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
  softmaxCrossEntropyDense,
} from '../../ops/reduction/cross-entropy.ts';
import { sum } from '../../ops/reduction/reduce.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { checkKnownOptions, show, trueOrFalse } from '../check-options.ts';
import type { ModelOutput } from '../output.ts';
import { EPSILON, exampleMean, type Loss, UNIT } from './loss.ts';
import { changed, smoothing } from './options.ts';

export interface CrossentropyOptions {
  /** True when the model ends in logits, without softmax or sigmoid; false when left out. */
  readonly fromLogits?: boolean;
  /** Share of each target that is spread evenly over all answers, 0 to 1; 0 when left out. */
  readonly labelSmoothing?: number;
}

export interface SparseCrossentropyOptions {
  /** True when the model ends in logits, without softmax; false when left out. */
  readonly fromLogits?: boolean;
  /** Class id of what shall not count, such as −1 or 255; none when left out. */
  readonly ignoreClass?: number;
}

const DEFAULTS = { fromLogits: false, labelSmoothing: 0 };

/** Mean of −y log p − (1 − y) log(1 − p), for independent yes-or-no targets in [0, 1]. */
export function binaryCrossentropy(options: CrossentropyOptions = {}, ...surplus: Surplus): Loss {
  refuseSurplus('binaryCrossentropy', surplus);
  const name = 'binaryCrossentropy';
  const given = checkCrossentropy(name, options);
  return {
    name,
    config: changed(given, DEFAULTS),
    targets: 'values',
    fromLogits: given.fromLogits,
    targetRange: UNIT,
    perExample: (y, output) => exampleMean(binaryTerm(smoothBits(y, given.labelSmoothing), output, given.fromLogits)),
  };
}

/** −Σ y log p over the last axis, for targets that are distributions (one-hot rows). */
export function categoricalCrossentropy(options: CrossentropyOptions = {}, ...surplus: Surplus): Loss {
  refuseSurplus('categoricalCrossentropy', surplus);
  const name = 'categoricalCrossentropy';
  const given = checkCrossentropy(name, options);
  return {
    name,
    config: changed(given, DEFAULTS),
    targets: 'values',
    fromLogits: given.fromLogits,
    targetRange: { low: 0, expected: 'of at least 0, such as one-hot rows' },
    perExample(y, output) {
      const target = smoothClasses(y, given.labelSmoothing);
      const logits = given.fromLogits ? output.values : output.softmaxLogits;
      if (logits !== undefined) return exampleMean(softmaxCrossEntropyDense(logits, target));
      return exampleMean(neg(sum(mul(target, logProbabilities(output.values)), { axes: -1 })));
    },
  };
}

/** −log p of the true class, for targets that are class ids. */
export function sparseCategoricalCrossentropy(options: SparseCrossentropyOptions = {}, ...surplus: Surplus): Loss {
  refuseSurplus('sparseCategoricalCrossentropy', surplus);
  const name = 'sparseCategoricalCrossentropy';
  checkKnownOptions(name, options, ['fromLogits', 'ignoreClass']);
  const fromLogits = trueOrFalse(name, 'fromLogits', options.fromLogits ?? false);
  const { ignoreClass } = options;
  if (ignoreClass !== undefined && !Number.isInteger(ignoreClass)) {
    throw new DownhillError(
      'argument',
      `${name}: ignoreClass must be a whole number, such as -1, found ${show(ignoreClass)}`,
    );
  }
  const term = (y: Tensor, output: ModelOutput): Tensor => {
    const logits = fromLogits ? output.values : output.softmaxLogits;
    if (logits !== undefined) return softmaxCrossEntropy(logits, y);
    const classes = output.values.shape[output.values.rank - 1];
    return neg(sum(mul(oneHot(y, classes), logProbabilities(output.values)), { axes: -1 }));
  };
  const base = { name, targets: 'classes' as const, fromLogits };
  if (ignoreClass === undefined) {
    return {
      ...base,
      config: changed({ fromLogits }, DEFAULTS),
      perExample: (y, output) => exampleMean(term(y, output)),
    };
  }
  return {
    ...base,
    config: { ...changed({ fromLogits }, DEFAULTS), ignoreClass },
    ignoreClass,
    perExample(y, output) {
      const counts = notEqual(y, ignoreClass);
      return exampleMean(where(counts, term(where(counts, y, 0), output), 0));
    },
    share: (y) => exampleMean(cast(notEqual(y, ignoreClass), 'f32')),
  };
}

/** −y log p − (1 − y) log(1 − p), elementwise. */
export function binaryTerm(y: Tensor, output: ModelOutput, fromLogits: boolean): Tensor {
  const logits = fromLogits ? output.values : output.sigmoidLogits;
  if (logits !== undefined) return sigmoidCrossEntropy(logits, y);
  const p = clip(output.values, EPSILON, 1 - EPSILON);
  return neg(add(mul(y, log(p)), mul(sub(1, y), log(sub(1, p)))));
}

/** Probabilities of yes, pulled towards one half. */
export function smoothBits(y: Tensor, share: number): Tensor {
  return share === 0 ? y : add(mul(y, 1 - share), share / 2);
}

/** Distributions over the last axis, pulled towards the even one. */
export function smoothClasses(y: Tensor, share: number): Tensor {
  return share === 0 ? y : add(mul(y, 1 - share), share / y.shape[y.rank - 1]);
}

/** Probabilities that are scaled to sum to 1 and kept away from 0 and 1, as Keras does. */
export function safeProbabilities(p: Tensor): Tensor {
  return clip(div(p, sum(p, { axes: -1, keepDims: true })), EPSILON, 1 - EPSILON);
}

function logProbabilities(p: Tensor): Tensor {
  return log(safeProbabilities(p));
}

function checkCrossentropy(name: string, options: CrossentropyOptions): Required<CrossentropyOptions> {
  checkKnownOptions(name, options, ['fromLogits', 'labelSmoothing']);
  return {
    fromLogits: trueOrFalse(name, 'fromLogits', options.fromLogits ?? false),
    labelSmoothing: smoothing(name, options.labelSmoothing),
  };
}
