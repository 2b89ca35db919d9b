/**
 * Accuracies: the share of answers that are right.
 *
 * `accuracy` means binary, categorical or sparse categorical accuracy by the shapes of targets and outputs, as in Keras
 * (keras/src/trainers/compile_utils.py, `get_metric`). Two differences: where the loss is told that outputs are logits,
 * or trains scores with a margin, a yes-or-no output counts as yes above 0, not above 0.5; and targets of −1 and 1 are
 * read as no and yes, which Keras never counts right for −1.
 * Source: keras/src/metrics/accuracy_metrics.py.
 */

import type { Tensor } from '../../core/tensor.ts';
import { full } from '../../ops/create.ts';
import { cast } from '../../ops/elementwise/cast.ts';
import { equal, greater, less, lessEqual, logicalOr } from '../../ops/elementwise/compare.ts';
import { logicalNot } from '../../ops/elementwise/rounding.ts';
import { where } from '../../ops/elementwise/select.ts';
import { pack } from '../../ops/layout/concat.ts';
import { oneHot } from '../../ops/layout/gather.ts';
import { argMax } from '../../ops/reduction/arg-reduce.ts';
import { sum } from '../../ops/reduction/reduce.ts';
import { refuseSurplus, type Surplus, sole } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape } from '../../util/shape.ts';
import { numberBetween, show, wholeNumber } from '../check-options.ts';
import { exampleMean, type Loss, type LossConfig } from '../losses/loss.ts';
import { changed } from '../losses/options.ts';
import type { ModelOutput } from '../output.ts';
import {
  type MeanMetric,
  type Metric,
  type MetricOptions,
  type MetricSpec,
  metricSpec,
  ratio,
  type TotalsMetric,
  weigh,
} from './metric.ts';

export interface BinaryAccuracyOptions extends MetricOptions {
  /** What is above it counts as yes; 0.5 when left out, 0 for targets of −1 and 1 and for losses with a margin. */
  readonly threshold?: number;
}

export interface TopKOptions extends MetricOptions {
  /** How many guesses are free; 5 when left out. */
  readonly k?: number;
}

/** The accuracy that fits targets and outputs. */
export const accuracy = (options: MetricOptions = {}, ...surplus: Surplus): MetricSpec =>
  sole(
    'accuracy',
    surplus,
    metricSpec('accuracy', options, [], {}, (name, loss, outputShape) => {
      if (loss.targets === 'classes') return sparse(name);
      if (outputShape.at(-1) === 1) return ofSides(name, loss, undefined);
      return categorical(name);
    }),
  );

/** The share of values on the right side of `threshold`, for targets of 0 and 1, or of −1 and 1. */
export function binaryAccuracy(options: BinaryAccuracyOptions = {}, ...surplus: Surplus): MetricSpec {
  refuseSurplus('binaryAccuracy', surplus);
  const { threshold } = options;
  if (threshold !== undefined) numberBetween('binaryAccuracy', 'threshold', threshold, Number.NEGATIVE_INFINITY);
  const config: LossConfig = threshold === undefined ? {} : { threshold };
  return metricSpec('binaryAccuracy', options, ['threshold'], config, (name, loss) =>
    // Keras' default of 0.5 holds for logits too, where only `accuracy` knows better.
    ofSides(name, { ...loss, fromLogits: false }, threshold),
  );
}

/** The share of rows whose largest target and largest output have the same position. */
export const categoricalAccuracy = (options: MetricOptions = {}, ...surplus: Surplus): MetricSpec =>
  sole('categoricalAccuracy', surplus, metricSpec('categoricalAccuracy', options, [], {}, categorical));

/** The share of ids that are the index of the largest output. */
export const sparseCategoricalAccuracy = (options: MetricOptions = {}, ...surplus: Surplus): MetricSpec =>
  sole('sparseCategoricalAccuracy', surplus, metricSpec('sparseCategoricalAccuracy', options, [], {}, sparse));

/** The share of rows whose largest target is at one of the `k` largest outputs. */
export const topKCategoricalAccuracy = (options: TopKOptions = {}, ...surplus: Surplus): MetricSpec =>
  sole(
    'topKCategoricalAccuracy',
    surplus,
    topK('topKCategoricalAccuracy', options, (y) => argMax(y, { axis: -1 })),
  );

/** The share of ids that are the index of one of the `k` largest outputs. */
export const sparseTopKCategoricalAccuracy = (options: TopKOptions = {}, ...surplus: Surplus): MetricSpec =>
  sole('sparseTopKCategoricalAccuracy', surplus, topK('sparseTopKCategoricalAccuracy', options, undefined));

/** Index of the largest output; of the logits where they are known, which spares the softmax. */
export function largest({ values, softmaxLogits }: ModelOutput): Tensor {
  return argMax(softmaxLogits ?? values, { axis: -1 });
}

const sparse = (name: string): MeanMetric => ({
  name,
  targets: 'classes',
  perExample: (y, output) => exampleMean(cast(equal(largest(output), y), 'f32')),
});

const categorical = (name: string): MeanMetric => ({
  name,
  targets: 'values',
  answers: true,
  perExample: (y, output) => exampleMean(cast(equal(largest(output), argMax(y, { axis: -1 })), 'f32')),
});

/** The accuracy of yes-or-no outputs, by what the loss says of them; by the targets where it says nothing. */
function ofSides(name: string, loss: Loss, threshold: number | undefined): Metric {
  if (loss.margins) return binary(name, (y, values) => rightSide(y, values, threshold ?? 0));
  const never = (loss.targetRange?.low ?? -1) >= 0;
  if (never) return binary(name, (y, values) => isAnswer(y, values, threshold ?? (loss.fromLogits ? 0 : 0.5)));
  return threshold === undefined ? bySigns(name) : binary(name, (y, values) => rightSide(y, values, threshold));
}

type IsRight = (y: Tensor, values: Tensor) => Tensor;

const binary = (name: string, isRight: IsRight): MeanMetric => ({
  name,
  targets: 'values',
  answers: true,
  sides: true,
  perExample: (y, { values }) => exampleMean(cast(isRight(y, values), 'f32')),
});

/** Targets of 0 and 1. */
const isAnswer = (y: Tensor, values: Tensor, threshold: number): Tensor =>
  equal(cast(greater(values, threshold), 'f32'), y);

/** No is 0 or −1; what is neither no nor yes is never right. */
const rightSide = (y: Tensor, values: Tensor, threshold: number): Tensor =>
  where(greater(values, threshold), equal(y, 1), logicalOr(equal(y, 0), equal(y, -1)));

/**
 * Where nobody says whether targets are 0 and 1 or −1 and 1, both are counted, and whether there is any −1 in the epoch
 * decides: a batch of nothing but yes must not be read otherwise than the rest.
 */
const bySigns = (name: string): TotalsMetric => ({
  name,
  targets: 'values',
  answers: true,
  sides: true,
  totals(y, { values }, weights) {
    const count = (right: Tensor) => sum(weigh(exampleMean(cast(right, 'f32')), weights));
    const ones = full([y.shape[0]], 1);
    return pack([
      count(rightSide(y, values, 0.5)),
      count(rightSide(y, values, 0)),
      sum(cast(equal(y, -1), 'f32')),
      sum(weigh(ones, weights)),
    ]);
  },
  result: (totals) => ratio(totals[2] > 0 ? totals[1] : totals[0], totals[3]),
});

function topK(kind: string, options: TopKOptions, truth: ((y: Tensor) => Tensor) | undefined): MetricSpec {
  const k = wholeNumber(kind, 'k', options.k ?? 5, 1);
  const config = changed({ k }, { k: 5 });
  return metricSpec(kind, options, ['k'], config, (name, _loss, outputShape): MeanMetric => {
    requireClasses(name, k, outputShape);
    return {
      name,
      targets: truth === undefined ? 'classes' : 'values',
      ...(truth !== undefined && { answers: true as const }),
      perExample: (y, { values }) => {
        const isTrue = equal(oneHot(truth?.(y) ?? y, values.shape[values.rank - 1]), 1);
        return exampleMean(cast(inTopK(isTrue, values, k), 'f32'));
      },
    };
  });
}

/**
 * bool [B, …]: fewer than `k` of the values [B, …, C] are larger than the true one. Equal ones share a rank, as in
 * TensorFlow; a NaN is never in.
 */
function inTopK(isTrue: Tensor, values: Tensor, k: number): Tensor {
  const own = sum(where(isTrue, values, 0), { axes: -1, keepDims: true });
  const larger = sum(cast(logicalNot(lessEqual(values, own)), 'f32'), { axes: -1 });
  return less(larger, k);
}

function requireClasses(name: string, k: number, outputShape: Shape): void {
  const classes = outputShape.at(-1) ?? 1;
  if (k <= classes) return;
  throw new DownhillError(
    'argument',
    `metric "${name}": k ${show(k)} must not be above the number of classes; the model's outputs are ${formatShape(outputShape)}` +
      (classes > 1 ? `, so take k: 1 to ${classes}` : ''),
  );
}
