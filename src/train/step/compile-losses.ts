/**
 * What `compile` was told, sorted by the model's outputs: one loss, one weight and a list of metrics each.
 *
 * A model of one output takes them plainly, `{ loss: 'mse', metrics: ['mae'] }`; one of several takes arrays in the
 * order of its outputs, or records by their names.
 */

import { numberBetween, show } from '../../nn/check-options.ts';
import { type Loss, type LossLike, resolveLoss } from '../../nn/losses/index.ts';
import {
  type CheckedMetric,
  checkMetrics,
  type MetricLike,
  metricName,
  renamedMetric,
  resolveMetric,
} from '../../nn/metrics/index.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';
import type { Shape } from '../../util/shape.ts';
import type { OutputLosses } from './output-losses.ts';

/** One value for a model of one output; an array in the outputs' order, or a record by their names, for several. */
export type PerOutput<T> = T | readonly T[] | Readonly<Record<string, T>>;

/** Lists of metrics: one for a model of one output; for several, an array of lists or a record of lists. */
export type MetricLists =
  | readonly MetricLike[]
  | readonly (readonly MetricLike[])[]
  | Readonly<Record<string, readonly MetricLike[]>>;

/** The options of `compile` for losses and metrics. */
export interface LossOptions {
  readonly loss: PerOutput<LossLike>;
  /** Factors of the outputs' losses in the total; 1 each when left out. */
  readonly lossWeights?: readonly number[] | Readonly<Record<string, number>>;
  /** They count every example once. */
  readonly metrics?: MetricLists;
  /** They count an example as often as its weight (`sampleWeight`, `classWeight`) says. */
  readonly weightedMetrics?: MetricLists;
}

/** The same for one output, checked as far as it can be without shapes. */
export interface CompiledLoss {
  readonly loss: Loss;
  readonly weight: number;
  readonly metrics: readonly CheckedMetric[];
  readonly weightedMetrics: readonly CheckedMetric[];
}

/**
 * The loss and the metrics of each output of `names`.
 * @throws DownhillError `argument` for unknown losses, metrics and outputs, and for a count that does not fit.
 */
export function compileLosses(options: LossOptions, names: readonly string[]): CompiledLoss[] {
  const losses = perOutput('loss', options.loss, names, (value) => 'perExample' in value);
  const weights = perOutput('lossWeights', options.lossWeights ?? names.map(() => 1), names);
  const metrics = metricLists('metrics', options.metrics, names);
  const weightedMetrics = metricLists('weightedMetrics', options.weightedMetrics, names);
  return names.map((_, k) => ({
    loss: resolveLoss(losses[k]),
    weight: numberBetween('compile', 'lossWeights', weights[k], 0),
    ...splitChecked(metrics[k], weightedMetrics[k]),
  }));
}

/** The logs have one name for each: what is asked for twice is `mae` and `weightedMae`, as in Keras. */
function splitChecked(metrics: unknown, weighted: unknown): Pick<CompiledLoss, 'metrics' | 'weightedMetrics'> {
  if (!Array.isArray(metrics) || !Array.isArray(weighted)) {
    return { metrics: checkMetrics(metrics), weightedMetrics: checkMetrics(weighted) };
  }
  const plain = checkMetrics(metrics);
  const names = plain.map(metricName);
  const own = checkMetrics(weighted).map((metric) => {
    const name = metricName(metric);
    return names.includes(name) ? renamedMetric(metric, `weighted${name[0].toUpperCase()}${name.slice(1)}`) : metric;
  });
  return { metrics: plain, weightedMetrics: checkMetrics(own, ['loss', ...names]) };
}

function metricLists(option: string, given: unknown, names: readonly string[]): unknown[] {
  if (given === undefined) return names.map(() => []);
  const plain = names.length === 1 && Array.isArray(given) && !given.some((entry) => Array.isArray(entry));
  return plain || typeof given === 'string' ? names.map(() => given) : perOutput(option, given, names);
}

/** The losses of a model whose shapes are known. @throws DownhillError `argument` for a metric that does not fit. */
export function resolveLosses(
  losses: readonly CompiledLoss[],
  names: readonly string[],
  shapes: readonly Shape[],
): OutputLosses {
  return losses.map(({ loss, weight, metrics, weightedMetrics }, k) => ({
    output: names[k],
    loss,
    weight,
    metrics: metrics.map((metric) => resolveMetric(metric, loss, shapes[k])),
    weightedMetrics: weightedMetrics.map((metric) => resolveMetric(metric, loss, shapes[k])),
  }));
}

function perOutput(
  option: string,
  value: unknown,
  names: readonly string[],
  isOne: (value: object) => boolean = () => false,
): unknown[] {
  const listed = names.join(', ');
  if (Array.isArray(value)) {
    if (value.length === names.length) return value;
    const found = `${value.length} for ${names.length}`;
    throw new DownhillError('argument', `compile: ${option} has one entry for each output (${listed}), found ${found}`);
  }
  if (typeof value === 'object' && value !== null && !isOne(value)) {
    const unknown = Object.keys(value).find((name) => !names.includes(name));
    if (unknown !== undefined) throw unknownName(`output in ${option} of compile:`, unknown, names);
    const missing = names.find((name) => !Object.hasOwn(value, name));
    if (missing !== undefined && option === 'loss') {
      throw new DownhillError('argument', `compile: output "${missing}" has no loss; outputs: ${listed}`);
    }
    const fallback = option === 'lossWeights' ? 1 : [];
    return names.map((name) => (value as Record<string, unknown>)[name] ?? fallback);
  }
  if (names.length === 1) return [value];
  const hint = `give an array or a record with one entry for each of ${listed}`;
  throw new DownhillError(
    'argument',
    `compile: the model has ${names.length} outputs; ${option} is ${show(value)}; ${hint}`,
  );
}
