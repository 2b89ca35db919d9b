/**
 * Metrics: one number an example, averaged over the examples of an epoch. They are part of the training step's graph,
 * so they cost a few operations there and no pass over the data.
 *
 * `accuracy` means binary, categorical or sparse categorical accuracy by the shapes of targets and outputs, as in Keras
 * (keras/src/trainers/compile_utils.py, `get_metric`). One difference: where the loss is told that outputs are logits,
 * a yes-or-no output counts as yes above 0, not above 0.5.
 */

import type { Tensor } from '../core/tensor.ts';
import { argMax } from '../ops/arg-reduce.ts';
import { sub } from '../ops/binary.ts';
import { cast } from '../ops/cast.ts';
import { equal, greater } from '../ops/compare.ts';
import { abs, square } from '../ops/unary.ts';
import { DownhillError, unknownName } from '../util/errors.ts';
import { formatShape, type Shape } from '../util/shape.ts';
import { show } from './check-options.ts';
import { exampleMean, type Loss, type TargetKind } from './losses.ts';
import type { ModelOutput } from './output.ts';

export interface Metric {
  /** Name in the logs. */
  readonly name: string;
  readonly targets: TargetKind;
  /** f32 [B]; `target` as the loss' targets, traced once for each program. */
  perExample(target: Tensor, output: ModelOutput): Tensor;
}

/** The share of ids that are the index of the largest output. */
const sparseCategoricalAccuracy = (name: string): Metric => ({
  name,
  targets: 'classes',
  perExample: (y, output) => exampleMean(cast(equal(largest(output), y), 'f32')),
});

/** The share of rows whose largest target and largest output stand at the same place. */
const categoricalAccuracy = (name: string): Metric => ({
  name,
  targets: 'values',
  perExample: (y, output) => exampleMean(cast(equal(largest(output), argMax(y, { axis: -1 })), 'f32')),
});

/** The share of values on the right side of `threshold`. */
const binaryAccuracy = (name: string, threshold = 0.5): Metric => ({
  name,
  targets: 'values',
  perExample: (y, { values }) => exampleMean(cast(equal(cast(greater(values, threshold), 'f32'), y), 'f32')),
});

const meanSquaredError = (name: string): Metric => ({
  name,
  targets: 'values',
  perExample: (y, { values }) => exampleMean(square(sub(values, y))),
});

const meanAbsoluteError = (name: string): Metric => ({
  name,
  targets: 'values',
  perExample: (y, { values }) => exampleMean(abs(sub(values, y))),
});

const METRICS = {
  sparseCategoricalAccuracy,
  categoricalAccuracy,
  binaryAccuracy,
  mse: meanSquaredError,
  meanSquaredError,
  mae: meanAbsoluteError,
  meanAbsoluteError,
} satisfies Record<string, (name: string) => Metric>;

const ACCURACY = ['accuracy', 'acc'];

export type MetricName = 'accuracy' | 'acc' | keyof typeof METRICS;

/** A metric, or the name of one. */
export type MetricLike = MetricName | Metric;

/**
 * The metric that `value` names, for a model with outputs of `outputShape` (of one example) and `loss`.
 * @throws DownhillError `argument` for an unknown name, or a metric whose targets are of another kind than the loss'.
 */
export function resolveMetric(value: unknown, loss: Loss, outputShape: Shape): Metric {
  const metric = lookUp(value, loss, outputShape);
  if (metric.targets === loss.targets) return metric;
  const needs = {
    classes: 'class ids',
    values: `targets of the output's shape ${formatShape(outputShape)}`,
  };
  throw new DownhillError(
    'argument',
    `metric "${metric.name}" needs ${needs[metric.targets]}, but the loss ${loss.name} takes ${needs[loss.targets]}; ` +
      `"accuracy" chooses the kind that fits`,
  );
}

/** `value` when it is a metric or the name of one. @throws DownhillError `argument` with the nearest name. */
function checkMetric(value: unknown): MetricLike {
  if (typeof value === 'object' && value !== null && 'perExample' in value) return value as Metric;
  if (typeof value === 'string' && (ACCURACY.includes(value) || Object.hasOwn(METRICS, value)))
    return value as MetricName;
  throw unknownName('metric', value, [...ACCURACY, ...Object.keys(METRICS)]);
}

/** `values` as metrics with different names. @throws DownhillError `argument` for what is none or comes twice. */
export function checkMetrics(values: unknown): MetricLike[] {
  if (!Array.isArray(values)) {
    throw new DownhillError(
      'argument',
      `compile: metrics must be an array such as ['accuracy'], found ${show(values)}`,
    );
  }
  const names = ['loss'];
  return values.map((value) => {
    const metric = checkMetric(value);
    const name = typeof metric === 'string' ? metric : metric.name;
    if (names.includes(name)) {
      throw new DownhillError(
        'argument',
        `compile: two values would be logged as "${name}"; names so far: ${names.join(', ')}`,
      );
    }
    names.push(name);
    return metric;
  });
}

function lookUp(given: unknown, loss: Loss, outputShape: Shape): Metric {
  const value = checkMetric(given);
  if (typeof value !== 'string') return value;
  if (!ACCURACY.includes(value)) return METRICS[value as keyof typeof METRICS](value);
  if (loss.targets === 'classes') return sparseCategoricalAccuracy(value);
  if (outputShape.at(-1) === 1) return binaryAccuracy(value, loss.fromLogits ? 0 : 0.5);
  return categoricalAccuracy(value);
}

/** Index of the largest output; of the logits where they are known, which spares the softmax. */
function largest({ values, softmaxLogits }: ModelOutput): Tensor {
  return argMax(softmaxLogits ?? values, { axis: -1 });
}
