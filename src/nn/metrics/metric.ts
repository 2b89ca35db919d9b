/**
 * What a metric is: a few numbers of each batch that add up over the batches of an epoch, and what is made of their
 * sums. They are part of the step's graph, so they cost a few operations there and no pass over the data.
 *
 * Invariant: a result depends on the examples alone, not on how they were cut into batches. A mean of one number an
 * example is the common case and has a form of its own: without weights the step reports a single number for it.
 */

import type { Tensor } from '../../core/tensor.ts';
import { mul } from '../../ops/elementwise/binary.ts';
import { pack } from '../../ops/layout/concat.ts';
import { reshape } from '../../ops/layout/shape.ts';
import { mean, sum } from '../../ops/reduction/reduce.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape } from '../../util/shape.ts';
import { checkKnownOptions, show } from '../check-options.ts';
import type { Loss, LossConfig, TargetKind } from '../losses/loss.ts';
import type { ModelOutput } from '../output.ts';

/** A mean over examples, or a function of one. */
export interface MeanMetric {
  /** Name in the logs. */
  readonly name: string;
  readonly targets: TargetKind;
  /** True when targets that are values say yes or no, 1 or 0. */
  readonly answers?: true;
  /** True when no may be −1, too. */
  readonly sides?: true;
  /** f32 [B]; `target` as the loss' targets, traced once for each program. */
  perExample(target: Tensor, output: ModelOutput): Tensor;
  /** From the mean to the logged value; the mean itself when left out. */
  result?(mean: number): number;
}

/** A function of sums over examples that is not their mean. */
export interface TotalsMetric {
  readonly name: string;
  readonly targets: TargetKind;
  /** True when targets that are values say yes or no, 1 or 0. */
  readonly answers?: true;
  /** True when no may be −1, too. */
  readonly sides?: true;
  /** f32 [n], which add up over batches; `weights` f32 [B] say how much each example counts. Traced once a program. */
  totals(target: Tensor, output: ModelOutput, weights?: Tensor): Tensor;
  /** From the sums over all batches. */
  result(totals: ArrayLike<number>): number;
}

export type Metric = MeanMetric | TotalsMetric;

/** A metric with its options, before it is known what it is to measure. */
export interface MetricSpec {
  /** Name in the logs. */
  readonly name: string;
  /** Its name among `metrics`; with `config` it makes the metric again. */
  readonly kind: string;
  readonly config: LossConfig;
  /**
   * The metric for a model with outputs of `outputShape` (of one example), trained for `loss`.
   * @throws DownhillError `argument` where it does not fit, saying what would.
   */
  fit(loss: Loss, outputShape: Shape): Metric;
}

export interface MetricOptions {
  /** Name in the logs. */
  readonly name?: string;
}

/** True for a metric that is ready, ours or a user's. */
export function isMetric(value: unknown): value is Metric {
  return typeof value === 'object' && value !== null && ('perExample' in value || 'totals' in value);
}

/**
 * A spec from checked options: `known` are the metric's own, `name` is everybody's.
 * @throws DownhillError `argument`.
 */
export function metricSpec(
  kind: string,
  options: MetricOptions,
  known: readonly string[],
  config: LossConfig,
  make: (name: string, loss: Loss, outputShape: Shape) => Metric,
): MetricSpec {
  checkKnownOptions(kind, options, [...known, 'name']);
  const name = options.name ?? kind;
  if (typeof name !== 'string' || name === '') {
    throw new DownhillError('argument', `${kind}: name must be a text that is not empty, found ${show(name)}`);
  }
  return {
    name,
    kind,
    config: name === kind ? config : { ...config, name },
    fit: (loss, outputShape) => make(name, loss, outputShape),
  };
}

/** How the host reads what `traceMetric` reports: one number is a mean, which weighs by its examples; more add up. */
export function metricResult(metric: Metric, totals: ArrayLike<number>): number {
  if ('totals' in metric) return metric.result(totals);
  const value = totals.length === 1 ? totals[0] : ratio(totals[0], totals[1]);
  return metric.result === undefined ? value : metric.result(value);
}

/** What a step reports for `metric`: f32 [] for a mean, f32 [n] for sums. @param weights f32 [B]. */
export function traceMetric(metric: Metric, target: Tensor, output: ModelOutput, weights?: Tensor): Tensor {
  if ('totals' in metric) return metric.totals(target, output, weights);
  const each = metric.perExample(target, output);
  return weights === undefined ? mean(each) : pack([sum(mul(each, weights)), sum(weights)]);
}

/** a / b, 0 where b is 0, as Keras' `divide_no_nan`. */
export function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}

/** `x` [B, …] times the weight of each example. */
export function weigh(x: Tensor, weights: Tensor | undefined): Tensor {
  if (weights === undefined) return x;
  return mul(x, reshape(weights, [x.shape[0], ...x.shape.slice(1).map(() => 1)]));
}

/** @throws DownhillError `argument` unless outputs are probabilities of yes and targets are 0 and 1. */
export function requireProbabilities(name: string, loss: Loss, fromLogits: boolean, hint: string): void {
  if (loss.margins) {
    throw new DownhillError(
      'argument',
      `metric "${name}" compares probabilities with targets of 0 and 1; the loss ${loss.name} trains scores for −1 and 1`,
    );
  }
  if (!loss.fromLogits || fromLogits) return;
  throw new DownhillError(
    'argument',
    `metric "${name}" needs probabilities, but the loss ${loss.name} is told that outputs are logits; ${hint}`,
  );
}

/** @throws DownhillError `argument` unless an output is one row. */
export function requireRow(name: string, outputShape: Shape): void {
  if (outputShape.length === 1) return;
  throw new DownhillError(
    'argument',
    `metric "${name}" takes outputs of shape [C], one row an example; the model's are ${formatShape(outputShape)}`,
  );
}
