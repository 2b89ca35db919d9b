/**
 * The margin loss of capsule networks: each class by itself, so that several may be there. The length of the capsule of
 * a class that is there shall exceed `positiveMargin`, that of another one stay below `negativeMargin`: Σ_k T_k
 * max(0, m⁺ − ‖v_k‖)² + λ (1 − T_k) max(0, ‖v_k‖ − m⁻)².
 * Source: Sabour, Frosst, Hinton, "Dynamic routing between capsules", NeurIPS 2017, equation 4.
 */

import type { Tensor } from '../../core/tensor.ts';
import { add, maximum, mul, sub } from '../../ops/elementwise/binary.ts';
import { square } from '../../ops/elementwise/unary.ts';
import { oneHot } from '../../ops/layout/gather.ts';
import { sum } from '../../ops/reduction/reduce.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { checkKnownOptions, numberBetween } from '../check-options.ts';
import { exampleMean, type Loss, UNIT } from './loss.ts';
import { changed } from './options.ts';

export interface MarginOptions {
  /** m⁺, 0 to 1; 0.9 when left out. */
  readonly positiveMargin?: number;
  /** m⁻, 0 to 1; 0.1 when left out. */
  readonly negativeMargin?: number;
  /** λ, the weight of the classes that are not there; 0.5 when left out. */
  readonly negativeWeight?: number;
}

const DEFAULTS = { positiveMargin: 0.9, negativeMargin: 0.1, negativeWeight: 0.5 };

/** The margin loss over the last axis, for targets that are rows of 0 and 1 (one-hot, or several classes at once). */
export function categoricalMargin(options: MarginOptions = {}, ...surplus: Surplus): Loss {
  refuseSurplus('categoricalMargin', surplus);
  const given = checkMargin('categoricalMargin', options);
  return {
    name: 'categoricalMargin',
    config: changed(given, DEFAULTS),
    targets: 'values',
    fromLogits: false,
    targetRange: UNIT,
    perExample: (y, { values }) => exampleMean(marginTerm(y, values, given)),
  };
}

/** The margin loss for targets that are class ids. */
export function sparseCategoricalMargin(options: MarginOptions = {}, ...surplus: Surplus): Loss {
  refuseSurplus('sparseCategoricalMargin', surplus);
  const given = checkMargin('sparseCategoricalMargin', options);
  return {
    name: 'sparseCategoricalMargin',
    config: changed(given, DEFAULTS),
    targets: 'classes',
    fromLogits: false,
    perExample: (y, { values }) => exampleMean(marginTerm(oneHot(y, values.shape[values.rank - 1]), values, given)),
  };
}

/** [B, …, K] → [B, …]. */
function marginTerm(y: Tensor, lengths: Tensor, options: Required<MarginOptions>): Tensor {
  const { positiveMargin, negativeMargin, negativeWeight } = options;
  const there = mul(y, square(maximum(sub(positiveMargin, lengths), 0)));
  const absent = mul(sub(1, y), square(maximum(sub(lengths, negativeMargin), 0)));
  return sum(add(there, mul(absent, negativeWeight)), { axes: -1 });
}

function checkMargin(name: string, options: MarginOptions): Required<MarginOptions> {
  checkKnownOptions(name, options, Object.keys(DEFAULTS));
  return {
    positiveMargin: numberBetween(name, 'positiveMargin', options.positiveMargin ?? DEFAULTS.positiveMargin, 0, 1),
    negativeMargin: numberBetween(name, 'negativeMargin', options.negativeMargin ?? DEFAULTS.negativeMargin, 0, 1),
    negativeWeight: numberBetween(name, 'negativeWeight', options.negativeWeight ?? DEFAULTS.negativeWeight, 0),
  };
}
