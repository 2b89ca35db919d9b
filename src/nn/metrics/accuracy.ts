/**
 * Accuracies: the share of answers that are right.
 *
 * `accuracy` means binary, categorical or sparse categorical accuracy by the shapes of targets and outputs, as in Keras
 * (keras/src/trainers/compile_utils.py, `get_metric`). One difference: where the loss is told that outputs are logits,
 * a yes-or-no output counts as yes above 0, not above 0.5.
 * Source: keras/src/metrics/accuracy_metrics.py.
 */

import type { Tensor } from '../../core/tensor.ts';
import { argMax } from '../../ops/arg-reduce.ts';
import { cast } from '../../ops/cast.ts';
import { equal, greater, less, lessEqual } from '../../ops/compare.ts';
import { oneHot } from '../../ops/gather.ts';
import { sum } from '../../ops/reduce.ts';
import { logicalNot } from '../../ops/rounding.ts';
import { where } from '../../ops/select.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape } from '../../util/shape.ts';
import { numberBetween, show, wholeNumber } from '../check-options.ts';
import { exampleMean } from '../losses/loss.ts';
import { changed } from '../losses/options.ts';
import type { ModelOutput } from '../output.ts';
import { type MeanMetric, type MetricOptions, type MetricSpec, metricSpec } from './metric.ts';

export interface BinaryAccuracyOptions extends MetricOptions {
  /** What is above it counts as yes; 0.5 when left out. */
  readonly threshold?: number;
}

export interface TopKOptions extends MetricOptions {
  /** How many guesses are free; 5 when left out. */
  readonly k?: number;
}

/** The accuracy that fits targets and outputs. */
export const accuracy = (options: MetricOptions = {}): MetricSpec =>
  metricSpec('accuracy', options, [], {}, (name, loss, outputShape) => {
    if (loss.targets === 'classes') return sparse(name);
    if (outputShape.at(-1) === 1) return binary(name, loss.fromLogits ? 0 : 0.5);
    return categorical(name);
  });

/** The share of values on the right side of `threshold`, for targets of 0 and 1. */
export function binaryAccuracy(options: BinaryAccuracyOptions = {}): MetricSpec {
  const { threshold = 0.5 } = options;
  numberBetween('binaryAccuracy', 'threshold', threshold, Number.NEGATIVE_INFINITY);
  const config = changed({ threshold }, { threshold: 0.5 });
  return metricSpec('binaryAccuracy', options, ['threshold'], config, (name) => binary(name, threshold));
}

/** The share of rows whose largest target and largest output stand at the same place. */
export const categoricalAccuracy = (options: MetricOptions = {}): MetricSpec =>
  metricSpec('categoricalAccuracy', options, [], {}, categorical);

/** The share of ids that are the index of the largest output. */
export const sparseCategoricalAccuracy = (options: MetricOptions = {}): MetricSpec =>
  metricSpec('sparseCategoricalAccuracy', options, [], {}, sparse);

/** The share of rows whose largest target stands at one of the `k` largest outputs. */
export const topKCategoricalAccuracy = (options: TopKOptions = {}): MetricSpec =>
  topK('topKCategoricalAccuracy', options, (y) => argMax(y, { axis: -1 }));

/** The share of ids that are the index of one of the `k` largest outputs. */
export const sparseTopKCategoricalAccuracy = (options: TopKOptions = {}): MetricSpec =>
  topK('sparseTopKCategoricalAccuracy', options, undefined);

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

const binary = (name: string, threshold: number): MeanMetric => ({
  name,
  targets: 'values',
  answers: true,
  perExample: (y, { values }) => exampleMean(cast(equal(cast(greater(values, threshold), 'f32'), y), 'f32')),
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
 * bool [B, …]: fewer than `k` of the values [B, …, C] are larger than the true one. Equal ones share a place, as in
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
