/**
 * Losses as metrics: the same number, logged and not minimised. Where the loss is told that outputs are logits, so is a
 * cross-entropy that is logged beside it.
 */

import { pack } from '../../ops/layout/concat.ts';
import { sum } from '../../ops/reduction/reduce.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { type LossName, losses } from '../losses/index.ts';
import { type Metric, type MetricOptions, type MetricSpec, metricSpec, ratio, weigh } from './metric.ts';

/** The metric of loss `kind`; `known` are the loss' options. */
export function lossMetric<K extends LossName>(kind: K, known: readonly string[] = []) {
  return (options: MetricOptions & Parameters<(typeof losses)[K]>[0] = {}, ...surplus: Surplus): MetricSpec => {
    refuseSurplus(kind, surplus);
    const { name: _, ...own } = options as MetricOptions & Record<string, unknown>;
    const make = (all: object): ReturnType<(typeof losses)[K]> => losses[kind](all) as ReturnType<(typeof losses)[K]>;
    return metricSpec(kind, options, known, make(own).config, (name, trained): Metric => {
      const loss = make(known.includes('fromLogits') ? { fromLogits: trained.fromLogits, ...own } : own);
      const base = { name, targets: loss.targets };
      const { share } = loss;
      if (share === undefined) return { ...base, perExample: (y, output) => loss.perExample(y, output) };
      return {
        ...base,
        totals: (y, output, weights) =>
          pack([sum(weigh(loss.perExample(y, output), weights)), sum(weigh(share(y), weights))]),
        result: (totals: ArrayLike<number>) => ratio(totals[0], totals[1]),
      };
    });
  };
}
