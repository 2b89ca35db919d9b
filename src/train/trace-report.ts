/**
 * What a step reports: the loss and the metrics of a batch, traced from targets and the model's output.
 *
 * Invariant: the reported tensors come in the order of `reportNames`.
 */

import type { GraphOutput } from '../core/graph.ts';
import { withScope } from '../core/scope.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Loss } from '../nn/losses.ts';
import type { Metric } from '../nn/metrics.ts';
import type { ModelOutput } from '../nn/output.ts';
import { add } from '../ops/binary.ts';
import { mean } from '../ops/reduce.ts';

/** What a model is trained for. */
export interface Objective {
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
}

/** Names of the outputs that a step with a loss reports, f32 [] each, the mean over the batch: `loss`, then metrics. */
export function reportNames({ metrics }: Objective): string[] {
  return ['loss', ...metrics.map(({ name }) => name)];
}

/** The loss to minimise, and what a step reports. @param penalties f32 [] each, added to the loss. */
export function traceReport(
  { loss, metrics }: Objective,
  y: Tensor,
  output: ModelOutput,
  penalties: readonly Tensor[] = [],
): { loss: Tensor; report: readonly GraphOutput[] } {
  const value = penalties.reduce((sum, penalty) => add(sum, penalty), mean(loss.perExample(y, output)));
  const others = metrics.map((metric) => ({
    name: metric.name,
    tensor: withScope(metric.name, () => mean(metric.perExample(y, output))),
  }));
  return { loss: value, report: [{ name: 'loss', tensor: value }, ...others] };
}
