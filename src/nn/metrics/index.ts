/**
 * Metrics by Keras 3's names and formulas (metric.ts says what one is). A new metric is its own function and a line
 * here.
 */

import type { Tensor } from '../../core/tensor.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';
import { formatShape, type Shape } from '../../util/shape.ts';
import { show } from '../check-options.ts';
import { type CustomJson, customObject } from '../custom-objects.ts';
import { type CustomOptions, checkedValues, customOptions, type ValueFunction } from '../losses/custom.ts';
import { exampleMean, type Loss, type LossConfig } from '../losses/loss.ts';
import {
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  topKCategoricalAccuracy,
} from './accuracy.ts';
import { auc } from './auc.ts';
import { f1Score, precision, recall } from './confusion.ts';
import { confusionMatrix } from './confusion-matrix.ts';
import { lossMetric } from './from-loss.ts';
import { isMetric, type MeanMetric, type Metric, type MetricOptions, type MetricSpec } from './metric.ts';
import { cosineSimilarity, r2Score, rootMeanSquaredError } from './regression.ts';

export type { BinaryAccuracyOptions, TopKOptions } from './accuracy.ts';
export type { AucOptions } from './auc.ts';
export type { F1ScoreOptions, PrecisionOptions } from './confusion.ts';
export { type ConfusionMatrixSpec, confusionMatrixOf, formatConfusionMatrix } from './confusion-matrix.ts';
export {
  type MeanMetric,
  type Metric,
  type MetricOptions,
  type MetricSpec,
  metricResult,
  type TotalsMetric,
  traceMetric,
} from './metric.ts';
export type { CosineMetricOptions, R2ScoreOptions } from './regression.ts';

const CROSSENTROPY = ['fromLogits', 'labelSmoothing'];

/** Metrics that are made from their name and options. */
const NAMED = {
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  topKCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  precision,
  recall,
  f1Score,
  auc,
  confusionMatrix,
  rootMeanSquaredError,
  r2Score,
  cosineSimilarity,
  meanSquaredError: lossMetric('meanSquaredError'),
  meanAbsoluteError: lossMetric('meanAbsoluteError'),
  meanAbsolutePercentageError: lossMetric('meanAbsolutePercentageError'),
  meanSquaredLogarithmicError: lossMetric('meanSquaredLogarithmicError'),
  huber: lossMetric('huber', ['delta']),
  logCosh: lossMetric('logCosh'),
  binaryCrossentropy: lossMetric('binaryCrossentropy', CROSSENTROPY),
  categoricalCrossentropy: lossMetric('categoricalCrossentropy', CROSSENTROPY),
  sparseCategoricalCrossentropy: lossMetric('sparseCategoricalCrossentropy', ['fromLogits', 'ignoreClass']),
  hinge: lossMetric('hinge'),
  squaredHinge: lossMetric('squaredHinge'),
  categoricalHinge: lossMetric('categoricalHinge'),
  klDivergence: lossMetric('klDivergence'),
  poisson: lossMetric('poisson'),
};

/** All metrics by name, and `custom` for a function of one's own. */
export const metrics = { ...NAMED, custom };

/** Short names, under which a value is logged, too. */
const SHORT = {
  acc: 'accuracy',
  mse: 'meanSquaredError',
  mae: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  msle: 'meanSquaredLogarithmicError',
  rmse: 'rootMeanSquaredError',
  bce: 'binaryCrossentropy',
  kld: 'klDivergence',
} as const satisfies Record<string, keyof typeof NAMED>;

export type MetricName = keyof typeof NAMED | keyof typeof SHORT;

/** A metric as JSON holds it. */
export interface MetricJson {
  readonly name: string;
  readonly config: LossConfig;
}

/**
 * A metric, the name of one with its default options, or a function (yTrue, yPred) → one number an example or an
 * element.
 */
export type MetricLike = MetricName | MetricSpec | Metric | MetricJson | ValueFunction;

/**
 * A mean that `value` computes; traced once for each program, so it must be made of ops.
 * @throws DownhillError `argument`.
 */
export function custom(value: ValueFunction, options: CustomOptions = {}): MeanMetric {
  if (typeof value !== 'function') {
    throw new DownhillError('argument', `custom: expected a function (yTrue, yPred) => tensor, found ${show(value)}`);
  }
  const { name, targets } = customOptions('custom', value, options);
  return {
    name,
    targets,
    perExample: (y: Tensor, { values }) => exampleMean(checkedValues(`metric "${name}"`, value, y, values)),
  };
}

/**
 * The metric that `value` names, for a model with outputs of `outputShape` (of one example) and `loss`.
 * @throws DownhillError `argument` for an unknown name, or a metric that does not fit the loss or the outputs.
 */
export function resolveMetric(value: unknown, loss: Loss, outputShape: Shape): Metric {
  const checked = checkMetric(value);
  const given = typeof checked === 'string' ? named(checked) : checked;
  const metric = isMetric(given) ? given : given.fit(loss, outputShape);
  if (metric.targets === loss.targets) return metric;
  const needs = {
    classes: 'class ids',
    values: `targets of the output's shape ${formatShape(outputShape)}`,
  };
  throw new DownhillError(
    'argument',
    `metric "${metric.name}" needs ${needs[metric.targets]}, but the loss ${loss.name} takes ${needs[loss.targets]}; ` +
      advice(loss),
  );
}

/** A metric, ready or with its options, or the name of one. */
export type CheckedMetric = MetricName | MetricSpec | Metric;

/** `values` as metrics with different names. @throws DownhillError `argument` for what is none or comes twice. */
export function checkMetrics(values: unknown, taken: readonly string[] = ['loss']): CheckedMetric[] {
  if (!Array.isArray(values)) {
    throw new DownhillError(
      'argument',
      `compile: metrics must be an array such as ['accuracy'], found ${show(values)}`,
    );
  }
  const names = [...taken];
  return values.map((value) => {
    const metric = checkMetric(value);
    const name = metricName(metric);
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

/** The name under which `metric` is logged. */
export function metricName(metric: CheckedMetric): string {
  return typeof metric === 'string' ? metric : metric.name;
}

/** `metric`, logged under `name`. */
export function renamedMetric(metric: CheckedMetric, name: string): CheckedMetric {
  // What it remembers of a run stays with the metric itself, so the new one has it as its prototype.
  if (isMetric(metric)) return Object.create(metric, { name: { value: name } });
  const spec = typeof metric === 'string' ? named(metric) : metric;
  const fit: MetricSpec['fit'] = (loss, shape) => Object.create(spec.fit(loss, shape), { name: { value: name } });
  return Object.create(spec, {
    name: { value: name },
    config: { value: { ...spec.config, name } },
    fit: { value: fit },
  });
}

/** A metric's name, or its name and options; of one of the user its name alone. */
export function metricJson(metric: CheckedMetric): string | MetricJson | CustomJson {
  if (typeof metric === 'string') return metric;
  if (isMetric(metric)) return { custom: metric.name, ...(metric.targets === 'classes' && { targets: 'classes' }) };
  return Object.hasOwn(NAMED, metric.kind) ? { name: metric.kind, config: metric.config } : { custom: metric.name };
}

/** The metric that the reader of JSON handed in; undefined when there is none. */
export function customMetric({ custom: name, targets }: CustomJson): MetricLike | undefined {
  const own = customObject(name);
  return typeof own === 'function'
    ? custom(own as ValueFunction, { name, ...(targets && { targets }) })
    : (own as MetricLike);
}

/** `value` when it is a metric or the name of one. @throws DownhillError `argument` with the nearest name. */
function checkMetric(value: unknown): CheckedMetric {
  if (isMetric(value)) return value;
  if (typeof value === 'object' && value !== null && 'fit' in value) return value as MetricSpec;
  if (typeof value === 'string' && (Object.hasOwn(NAMED, value) || Object.hasOwn(SHORT, value)))
    return value as MetricName;
  // A factory that was not called is a slip, not a metric of the user.
  if (typeof value === 'function' && !Object.values(metrics).some((factory) => factory === value)) {
    return custom(value as ValueFunction);
  }
  const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : value;
  if (typeof name === 'string' && Object.hasOwn(NAMED, name)) {
    const { config = {} } = value as Partial<MetricJson>;
    return NAMED[name as keyof typeof NAMED](config as MetricOptions);
  }
  throw unknownName('metric', name, [...Object.keys(NAMED), ...Object.keys(SHORT)]);
}

/** The metric of that name, logged under it. */
function named(name: MetricName): MetricSpec {
  const kind = Object.hasOwn(SHORT, name) ? SHORT[name as keyof typeof SHORT] : (name as keyof typeof NAMED);
  return NAMED[kind]({ name });
}

function advice(loss: Loss): string {
  if (loss.targets === 'values') return '"accuracy" chooses the kind that fits';
  return '"accuracy" chooses the kind that fits, and the loss categoricalCrossentropy takes one-hot targets, which others need';
}
