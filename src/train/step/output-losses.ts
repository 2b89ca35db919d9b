/**
 * OutputLosses: the loss and the metrics of each output of a model, and the total loss.
 *
 * A model of one output reports `loss` and its metrics by their names. One of several outputs reports the total as
 * `loss`, then for each output `<output>_loss` and `<output>_<metric>`, as Keras names them. The total is the sum of
 * the outputs' losses times their weights, of the penalties of layers and of the weights' regularisers.
 */

import type { GraphOutput } from '../../core/graph.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { ModelOutput } from '../../nn/output.ts';
import { add, mul } from '../../ops/elementwise/binary.ts';
import type { ReportedValue } from './report.ts';
import { type LossAndMetrics, type ReportParts, reportedValues, traceReport } from './trace-report.ts';

/** The loss and the metrics of one output. */
export interface OutputLoss extends LossAndMetrics {
  /** The output's name: that of its layer. */
  readonly output: string;
  /** Factor of its loss in the total. */
  readonly weight: number;
}

/** One for each output of the model. */
export type OutputLosses = readonly OutputLoss[];

/** What the host makes of a step's report, `loss` first. */
export function reportedOutputs(losses: OutputLosses): ReportedValue[] {
  if (losses.length === 1) return reportedValues(losses[0]);
  const each = losses.flatMap((one) =>
    reportedValues(one).map((value) => ({ ...value, name: `${one.output}_${value.name}` })),
  );
  return [{ name: 'loss', sums: false, result: (totals) => totals[0] }, ...each];
}

/** What counts beside the targets. */
export interface LossParts extends Pick<ReportParts, 'penalties'> {
  /** For each output f32 [B], how much each example counts there; undefined where all count the same. */
  readonly weights?: readonly (Tensor | undefined)[];
}

/** The total loss, f32 [], and what a step reports, in the order of `reportedOutputs`. */
export function traceOutputLosses(
  losses: OutputLosses,
  targets: readonly Tensor[],
  outputs: readonly ModelOutput[],
  { weights, penalties = [] }: LossParts,
): { loss: Tensor; report: readonly GraphOutput[] } {
  const parts = losses.map((one, k) => {
    const own = weights?.[k];
    return traceReport(one, targets[k], outputs[k], own && { weights: own });
  });
  const weighted = parts.map(({ loss }, k) => (losses[k].weight === 1 ? loss : mul(loss, losses[k].weight)));
  const loss = [...weighted, ...penalties].reduce((a, b) => add(a, b));
  const total = { name: 'loss', tensor: loss };
  if (losses.length === 1) return { loss, report: [total, ...parts[0].report.slice(1)] };
  const each = parts.flatMap(({ report }, k) =>
    report.map(({ name, tensor }) => ({ name: `${losses[k].output}_${name}`, tensor })),
  );
  return { loss, report: [total, ...each] };
}
