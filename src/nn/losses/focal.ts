/**
 * Focal cross-entropies: answers that are right already weigh less, by the factor (1 − p)^gamma.
 * Source: Lin et al. (2017), "Focal Loss for Dense Object Detection"; keras/src/losses/losses.py. As in Keras, `alpha`
 * counts in the binary loss only with `applyClassBalancing`.
 */

import type { Tensor } from '../../core/tensor.ts';
import { sigmoid } from '../../ops/elementwise/activations.ts';
import { add, mul, sub } from '../../ops/elementwise/binary.ts';
import { neg } from '../../ops/elementwise/neg.ts';
import { pow } from '../../ops/elementwise/pow.ts';
import { exp, log, square } from '../../ops/elementwise/unary.ts';
import { sum } from '../../ops/reduction/reduce.ts';
import { logSoftmax } from '../../ops/reduction/softmax.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { checkKnownOptions, numberBetween, trueOrFalse } from '../check-options.ts';
import { binaryTerm, safeProbabilities, smoothBits, smoothClasses } from './crossentropy.ts';
import { exampleMean, type Loss, UNIT } from './loss.ts';
import { changed, smoothing } from './options.ts';

export interface FocalOptions {
  /** Weight of the answers, 0 to 1: of yes in the binary loss, of all in the categorical one; 0.25 when left out. */
  readonly alpha?: number;
  /** How much less a right answer weighs; of at least 0, 2 when left out. */
  readonly gamma?: number;
  /** True when the model ends in logits; false when left out. */
  readonly fromLogits?: boolean;
  /** Share of each target that is spread evenly over all answers, 0 to 1; 0 when left out. */
  readonly labelSmoothing?: number;
}

export interface BinaryFocalOptions extends FocalOptions {
  /** True to weigh yes by `alpha` and no by 1 − `alpha`; false when left out. */
  readonly applyClassBalancing?: boolean;
}

const DEFAULTS = { alpha: 0.25, gamma: 2, fromLogits: false, labelSmoothing: 0, applyClassBalancing: false };
const OPTIONS = ['alpha', 'gamma', 'fromLogits', 'labelSmoothing'];

/** Mean of (1 − pₜ)^gamma times the binary cross-entropy, with pₜ the probability of the true answer. */
export function binaryFocalCrossentropy(options: BinaryFocalOptions = {}, ...surplus: Surplus): Loss {
  refuseSurplus('binaryFocalCrossentropy', surplus);
  const name = 'binaryFocalCrossentropy';
  checkKnownOptions(name, options, [...OPTIONS, 'applyClassBalancing']);
  const given = checkFocal(name, options);
  const applyClassBalancing = trueOrFalse(name, 'applyClassBalancing', options.applyClassBalancing ?? false);
  const { alpha, gamma, fromLogits, labelSmoothing } = given;
  return {
    name,
    config: changed({ ...given, applyClassBalancing }, DEFAULTS),
    targets: 'values',
    fromLogits,
    targetRange: UNIT,
    perExample(bits, output) {
      const y = smoothBits(bits, labelSmoothing);
      const p = fromLogits ? sigmoid(output.values) : output.values;
      const wrong = sub(1, eitherOr(y, p, sub(1, p)));
      const term = focus(binaryTerm(y, output, fromLogits), wrong, gamma);
      return exampleMean(applyClassBalancing ? mul(term, eitherOr(y, alpha, 1 - alpha)) : term);
    },
  };
}

/** alpha · Σ −y log p · (1 − p)^gamma over the last axis, for targets that are distributions (one-hot rows). */
export function categoricalFocalCrossentropy(options: FocalOptions = {}, ...surplus: Surplus): Loss {
  refuseSurplus('categoricalFocalCrossentropy', surplus);
  const name = 'categoricalFocalCrossentropy';
  checkKnownOptions(name, options, OPTIONS);
  const given = checkFocal(name, options);
  const { alpha, gamma, fromLogits, labelSmoothing } = given;
  return {
    name,
    config: changed(given, DEFAULTS),
    targets: 'values',
    fromLogits,
    targetRange: { low: 0, expected: 'of at least 0, such as one-hot rows' },
    perExample(rows, output) {
      const y = smoothClasses(rows, labelSmoothing);
      const logits = fromLogits ? output.values : output.softmaxLogits;
      const safe = logits === undefined ? safeProbabilities(output.values) : undefined;
      const logP = safe === undefined ? logSoftmax(logits!) : log(safe);
      const p = safe ?? exp(logP);
      return exampleMean(mul(sum(focus(neg(mul(y, logP)), sub(1, p), gamma), { axes: -1 }), alpha));
    },
  };
}

/** y · yes + (1 − y) · no. */
function eitherOr(y: Tensor, yes: Tensor | number, no: Tensor | number): Tensor {
  return add(mul(y, yes), mul(sub(1, y), no));
}

/** `term` · `wrong`^gamma; `wrong` is in [0, 1], where x⁰ has no useful gradient and x² no need of a logarithm. */
function focus(term: Tensor, wrong: Tensor, gamma: number): Tensor {
  if (gamma === 0) return term;
  if (gamma === 1) return mul(term, wrong);
  return mul(term, gamma === 2 ? square(wrong) : pow(wrong, gamma));
}

function checkFocal(name: string, options: FocalOptions): Required<FocalOptions> {
  return {
    alpha: numberBetween(name, 'alpha', options.alpha ?? DEFAULTS.alpha, 0, 1),
    gamma: numberBetween(name, 'gamma', options.gamma ?? DEFAULTS.gamma, 0),
    fromLogits: trueOrFalse(name, 'fromLogits', options.fromLogits ?? false),
    labelSmoothing: smoothing(name, options.labelSmoothing),
  };
}
