/**
 * Precision, recall and F1, from counts of true and false yeses.
 *
 * Invariant: counts are kept, not quotients, so an epoch's value is that of all its examples. Where a quotient is 0/0
 * it is 0, as in Keras. Source: keras/src/metrics/confusion_metrics.py, f_score_metrics.py, metrics_utils.py.
 */

import type { Tensor } from '../../core/tensor.ts';
import { iota } from '../../ops/create.ts';
import { mul } from '../../ops/elementwise/binary.ts';
import { cast } from '../../ops/elementwise/cast.ts';
import { equal, greater, greaterEqual, less, logicalAnd, logicalOr, notEqual } from '../../ops/elementwise/compare.ts';
import { abs } from '../../ops/elementwise/unary.ts';
import { pack } from '../../ops/layout/concat.ts';
import { expandDims, reshape } from '../../ops/layout/shape.ts';
import { slice } from '../../ops/layout/slice.ts';
import { max, sum } from '../../ops/reduction/reduce.ts';
import { refuseSurplus, type Surplus, sole } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape } from '../../util/shape.ts';
import { numberBetween, oneOf, show, wholeNumber } from '../check-options.ts';
import { EPSILON, type Loss } from '../losses/loss.ts';
import {
  type MetricOptions,
  type MetricSpec,
  metricSpec,
  ratio,
  requireProbabilities,
  requireRow,
  type TotalsMetric,
  weigh,
} from './metric.ts';

export interface PrecisionOptions extends MetricOptions {
  /** What is above it counts as yes, 0 to 1; 0.5 when left out, nothing with `topK`. */
  readonly thresholds?: number;
  /** Only the `topK` largest outputs of a row may count as yes. */
  readonly topK?: number;
  /** Count this output alone. */
  readonly classId?: number;
}

export interface F1ScoreOptions extends MetricOptions {
  /**
   * `micro` counts all classes together, `macro` averages their scores, `weighted` by how often each is true. Null, as
   * left out, is Keras' score for each class, of which the logs show the mean: the same number as `macro`.
   */
  readonly average?: 'micro' | 'macro' | 'weighted' | null;
  /** What is above it counts as yes, above 0 to 1; null, as left out: the largest output of each row. */
  readonly threshold?: number | null;
}

/** True yeses / all yeses of the model. */
export const precision = (options: PrecisionOptions = {}, ...surplus: Surplus): MetricSpec =>
  sole(
    'precision',
    surplus,
    counted('precision', options, (_label, prediction) => prediction),
  );

/** True yeses / all yeses of the targets. */
export const recall = (options: PrecisionOptions = {}, ...surplus: Surplus): MetricSpec =>
  sole(
    'recall',
    surplus,
    counted('recall', options, (label) => label),
  );

/** The harmonic mean of precision and recall, for each class and averaged; outputs of shape [C]. */
export function f1Score(options: F1ScoreOptions = {}, ...surplus: Surplus): MetricSpec {
  refuseSurplus('f1Score', surplus);
  const { threshold = null } = options;
  const average =
    options.average === null || options.average === undefined
      ? null
      : oneOf('f1Score', 'average', options.average, ['micro', 'macro', 'weighted']);
  if (threshold !== null && (threshold === 0 || numberBetween('f1Score', 'threshold', threshold, 0, 1) !== threshold)) {
    throw new DownhillError('argument', `f1Score: threshold must be above 0 and at most 1, found ${show(threshold)}`);
  }
  const config = { ...(average !== null && { average }), ...(threshold !== null && { threshold }) };
  return metricSpec('f1Score', options, ['average', 'threshold'], config, (name, loss, outputShape): TotalsMetric => {
    requireRow(name, outputShape);
    if (threshold !== null) requireProbabilities(name, loss, false, PROBABILITIES);
    else if (outputShape[0] === 1) {
      throw new DownhillError(
        'argument',
        `metric "${name}": the largest of one output is always yes; give f1Score({ threshold: 0.5 })`,
      );
    }
    return {
      name,
      targets: 'values',
      answers: true,
      totals(y, { values }, weights) {
        const yes = cast(threshold === null ? isLargest(values) : greater(values, threshold), 'f32');
        const columns = { axes: 0 };
        return pack([mul(yes, y), yes, y].map((each) => sum(weigh(each, weights), columns)));
      },
      result: (totals) => f1(totals, average),
    };
  });
}

const PROBABILITIES = 'end the model in a sigmoid or softmax, and leave fromLogits out';

function counted(
  kind: string,
  options: PrecisionOptions,
  among: (label: Tensor, prediction: Tensor) => Tensor,
): MetricSpec {
  const topK = options.topK === undefined ? undefined : wholeNumber(kind, 'topK', options.topK, 1);
  const classId = options.classId === undefined ? undefined : wholeNumber(kind, 'classId', options.classId, 0);
  if (Array.isArray(options.thresholds)) {
    throw new DownhillError(
      'argument',
      `${kind}: thresholds takes one number; for several, make one ${kind} each, with names of their own`,
    );
  }
  const thresholds =
    options.thresholds === undefined ? undefined : numberBetween(kind, 'thresholds', options.thresholds, 0, 1);
  const config = {
    ...(thresholds !== undefined && { thresholds }),
    ...(topK !== undefined && { topK }),
    ...(classId !== undefined && { classId }),
  };
  return metricSpec(
    kind,
    options,
    ['thresholds', 'topK', 'classId'],
    config,
    (name, loss, outputShape): TotalsMetric => {
      const threshold = thresholds ?? (topK === undefined ? 0.5 : undefined);
      checkFit(name, loss, outputShape, threshold, topK, classId);
      return {
        name,
        targets: 'values',
        answers: true,
        totals(y, { values }, weights) {
          const yes = saysYes(values, threshold, topK);
          const only = (x: Tensor): Tensor => (classId === undefined ? x : column(x, classId));
          const label = only(cast(notEqual(y, 0), 'f32'));
          const prediction = only(cast(yes, 'f32'));
          const total = (x: Tensor): Tensor => sum(weigh(x, weights));
          return pack([total(mul(label, prediction)), total(among(label, prediction))]);
        },
        result: (totals) => ratio(totals[0], totals[1]),
      };
    },
  );
}

function checkFit(
  name: string,
  loss: Loss,
  outputShape: Shape,
  threshold: number | undefined,
  topK: number | undefined,
  classId: number | undefined,
): void {
  if (threshold !== undefined) requireProbabilities(name, loss, false, PROBABILITIES);
  const outputs = outputShape.at(-1) ?? 1;
  for (const [option, value, least] of [
    ['topK', topK, 1],
    ['classId', classId, 0],
  ] as const) {
    if (value === undefined || value < outputs + least) continue;
    const range = `${least} to ${outputs - 1 + least}`;
    throw new DownhillError(
      'argument',
      `metric "${name}": ${option} ${value} must be from ${range}; the model's outputs are ${formatShape(outputShape)}`,
    );
  }
}

/** bool, of the shape of `values`. */
function saysYes(values: Tensor, threshold: number | undefined, topK: number | undefined): Tensor {
  const above = threshold === undefined ? undefined : greater(values, threshold);
  const among = topK === undefined ? undefined : amongTopK(values, topK);
  if (above !== undefined && among !== undefined) return logicalAnd(above, among);
  return (above ?? among)!;
}

/** bool [B, …, C]: fewer than `k` of the row rank before it, the larger ones and the equal ones to its left. */
function amongTopK(values: Tensor, k: number): Tensor {
  const classes = values.shape[values.rank - 1];
  const own = expandDims(values, -1);
  const other = expandDims(values, -2);
  const position = iota(classes, 'i32');
  const isLeft = less(reshape(position, [1, classes]), reshape(position, [classes, 1]));
  const before = logicalOr(greater(other, own), logicalAnd(equal(other, own), isLeft));
  return less(sum(cast(before, 'f32'), { axes: -1 }), k);
}

/** bool: the largest of its row, and not 0. */
function isLargest(values: Tensor): Tensor {
  return logicalAnd(greaterEqual(values, max(values, { axes: -1, keepDims: true })), greater(abs(values), 1e-9));
}

/** The elements at `index` of the last axis, [B, …, 1]. */
function column(x: Tensor, index: number): Tensor {
  const start = x.shape.map((_, axis) => (axis === x.rank - 1 ? index : 0));
  return slice(x, start, [...x.shape.slice(0, -1), 1]);
}

/** @param totals true yeses, yeses of the model and yeses of the targets, for each class. */
function f1(totals: ArrayLike<number>, average: 'micro' | 'macro' | 'weighted' | null): number {
  const classes = totals.length / 3;
  const score = (truePositives: number, predicted: number, actual: number): number => {
    const precision = truePositives / (predicted + EPSILON);
    const recall = truePositives / (actual + EPSILON);
    return (2 * precision * recall) / (precision + recall + EPSILON);
  };
  const sums = [0, 0, 0];
  let scores = 0;
  let weighted = 0;
  for (let k = 0; k < classes; k++) {
    const own = [totals[k], totals[classes + k], totals[2 * classes + k]] as const;
    const value = score(...own);
    own.forEach((total, j) => {
      sums[j] += total;
    });
    scores += value;
    weighted += value * own[2];
  }
  if (average === 'micro') return score(sums[0], sums[1], sums[2]);
  return average === 'weighted' ? weighted / (sums[2] + EPSILON) : scores / classes;
}
