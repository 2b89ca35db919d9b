/**
 * What a step reports: the loss and the metrics of a batch, traced from targets and one output of the model.
 *
 * Invariant: the traced tensors come in the order of `reportedValues`, f32 [] for a mean, f32 [n] for sums.
 */

import type { GraphOutput } from '../../core/graph.ts';
import { withScope } from '../../core/scope.ts';
import type { Tensor } from '../../core/tensor.ts';
import { type Loss, lossValue } from '../../nn/losses/index.ts';
import { type Metric, metricResult, traceMetric } from '../../nn/metrics/index.ts';
import type { ModelOutput } from '../../nn/output.ts';
import { add } from '../../ops/elementwise/binary.ts';
import type { ReportedValue } from './report.ts';

/** The loss and the metrics of one output of a model. */
export interface LossAndMetrics {
  readonly loss: Loss;
  /** They count every example once. */
  readonly metrics: readonly Metric[];
  /** They count an example as often as its weight says; without weights, once. */
  readonly weightedMetrics?: readonly Metric[];
}

/** What the host makes of the report: `loss`, then metrics. */
export function reportedValues({ metrics, weightedMetrics = [] }: LossAndMetrics): ReportedValue[] {
  return [
    { name: 'loss', sums: false, result: (totals) => totals[0] },
    ...[...metrics, ...weightedMetrics].map((metric) => ({
      name: metric.name,
      sums: 'totals' in metric,
      result: (totals: ArrayLike<number>) => metricResult(metric, totals),
    })),
  ];
}

/** What counts beside the targets. */
export interface ReportParts {
  /** f32 [B], how much each example counts; all the same when left out. */
  readonly weights?: Tensor;
  /** f32 [] each, added to the loss. */
  readonly penalties?: readonly Tensor[];
}

/** The loss to minimise, f32 [], and what the step reports. */
export function traceReport(
  { loss, metrics, weightedMetrics = [] }: LossAndMetrics,
  y: Tensor,
  output: ModelOutput,
  { weights, penalties = [] }: ReportParts = {},
): { loss: Tensor; report: readonly GraphOutput[] } {
  const value = penalties.reduce((sum, penalty) => add(sum, penalty), lossValue(loss, y, output, weights));
  const trace = (metric: Metric, of: Tensor | undefined): GraphOutput => ({
    name: metric.name,
    tensor: withScope(metric.name, () => traceMetric(metric, y, output, of)),
  });
  return {
    loss: value,
    report: [
      { name: 'loss', tensor: value },
      ...metrics.map((metric) => trace(metric, undefined)),
      ...weightedMetrics.map((metric) => trace(metric, weights)),
    ],
  };
}
