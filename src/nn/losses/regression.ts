/**
 * Losses of real numbers: how far a prediction is from its target.
 * Source: keras/src/losses/losses.py.
 */

import type { Tensor } from '../../core/tensor.ts';
import { softplus } from '../../ops/elementwise/activations.ts';
import { add, div, maximum, mul, sub } from '../../ops/elementwise/binary.ts';
import { lessEqual } from '../../ops/elementwise/compare.ts';
import { where } from '../../ops/elementwise/select.ts';
import { abs, log, rsqrt, square } from '../../ops/elementwise/unary.ts';
import { sum } from '../../ops/reduction/reduce.ts';
import { refuseSurplus, type Surplus, sole } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { show } from '../check-options.ts';
import { EPSILON, elementwiseLoss, type Loss } from './loss.ts';
import { numberAbove } from './options.ts';

export interface HuberOptions {
  /** Where the square becomes a straight line; above 0, 1 when left out. */
  readonly delta?: number;
}

export interface CosineSimilarityOptions {
  /** The axis of the vectors, not 0 (the examples); −1 when left out. */
  readonly axis?: number;
}

/** Mean of (y − prediction)². */
export const meanSquaredError = (options: object = {}, ...surplus: Surplus): Loss =>
  sole(
    'meanSquaredError',
    surplus,
    elementwiseLoss('meanSquaredError', options, (y, prediction) => square(sub(prediction, y))),
  );

/** Mean of |y − prediction|. */
export const meanAbsoluteError = (options: object = {}, ...surplus: Surplus): Loss =>
  sole(
    'meanAbsoluteError',
    surplus,
    elementwiseLoss('meanAbsoluteError', options, (y, prediction) => abs(sub(prediction, y))),
  );

/** 100 · mean of |y − prediction| / |y|; targets nearer to 0 than 1e-7 count as 1e-7. */
export const meanAbsolutePercentageError = (options: object = {}, ...surplus: Surplus): Loss =>
  sole(
    'meanAbsolutePercentageError',
    surplus,
    elementwiseLoss('meanAbsolutePercentageError', options, (y, prediction) =>
      mul(abs(div(sub(prediction, y), maximum(abs(y), EPSILON))), 100),
    ),
  );

/** Mean of (log(1 + y) − log(1 + prediction))²; what is below 1e-7 counts as 1e-7. */
export const meanSquaredLogarithmicError = (options: object = {}, ...surplus: Surplus): Loss =>
  sole(
    'meanSquaredLogarithmicError',
    surplus,
    elementwiseLoss('meanSquaredLogarithmicError', options, (y, prediction) => {
      const logarithm = (x: Tensor): Tensor => log(add(maximum(x, EPSILON), 1));
      return square(sub(logarithm(prediction), logarithm(y)));
    }),
  );

/** Mean of e²/2 where |e| ≤ delta, else delta·|e| − delta²/2, for e = prediction − y. Huber (1964). */
export function huber(options: HuberOptions = {}, ...surplus: Surplus): Loss {
  refuseSurplus('huber', surplus);
  const delta = numberAbove('huber', 'delta', options.delta ?? 1, 0);
  const term = (y: Tensor, prediction: Tensor): Tensor => {
    const error = sub(prediction, y);
    const size = abs(error);
    return where(lessEqual(size, delta), mul(square(error), 0.5), sub(mul(size, delta), (delta * delta) / 2));
  };
  return elementwiseLoss('huber', options, term, { known: ['delta'], config: delta === 1 ? {} : { delta } });
}

/** Mean of log cosh(prediction − y), computed without overflow. */
export const logCosh = (options: object = {}, ...surplus: Surplus): Loss =>
  sole(
    'logCosh',
    surplus,
    elementwiseLoss('logCosh', options, (y, prediction) => {
      const error = sub(prediction, y);
      return sub(add(error, softplus(mul(error, -2))), Math.LN2);
    }),
  );

/** −cos of the angle between target and prediction, from −1 (same direction) to 1; 0 where one of them is 0. */
export function cosineSimilarity(options: CosineSimilarityOptions = {}, ...surplus: Surplus): Loss {
  refuseSurplus('cosineSimilarity', surplus);
  const axis = checkAxis('cosineSimilarity', options.axis ?? -1);
  return elementwiseLoss('cosineSimilarity', options, (y, prediction) => mul(cosine(y, prediction, axis), -1), {
    known: ['axis'],
    config: axis === -1 ? {} : { axis },
  });
}

/** cos of the angle between vectors along `axis`; 0 where one of them is 0. */
export function cosine(y: Tensor, prediction: Tensor, axis: number): Tensor {
  return sum(mul(unitVector(y, axis), unitVector(prediction, axis)), { axes: axis });
}

/** @throws DownhillError `argument` for what is not an axis of an example. */
export function checkAxis(owner: string, axis: unknown): number {
  if (typeof axis === 'number' && Number.isSafeInteger(axis) && axis !== 0) return axis;
  throw new DownhillError(
    'argument',
    `${owner}: axis must be a whole number other than 0, the axis of the examples; found ${show(axis)}`,
  );
}

/** `x` scaled to length 1 along `axis`; lengths below 1e-7 count as 1e-7. */
function unitVector(x: Tensor, axis: number): Tensor {
  return mul(x, rsqrt(maximum(sum(square(x), { axes: axis, keepDims: true }), EPSILON * EPSILON)));
}
