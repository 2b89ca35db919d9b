/**
 * Area under the curve, of true against false yeses (ROC) or of precision against recall (PR), by buckets.
 *
 * A step counts, for each bucket between two thresholds, the examples of yes and of no whose output falls there; the
 * host sums the counts up to the counts above each threshold. That takes no pass per threshold and adds up over
 * batches.
 * Source: keras/src/metrics/confusion_metrics.py (`AUC`) and metrics_utils.py; for PR, Davis and Goadrich (2006).
 */

import type { Tensor } from '../../core/tensor.ts';
import { iota } from '../../ops/create.ts';
import { sigmoid } from '../../ops/elementwise/activations.ts';
import { maximum, mul, sub } from '../../ops/elementwise/binary.ts';
import { cast } from '../../ops/elementwise/cast.ts';
import { equal, notEqual } from '../../ops/elementwise/compare.ts';
import { ceil } from '../../ops/elementwise/rounding.ts';
import { clip, where } from '../../ops/elementwise/select.ts';
import { pack } from '../../ops/layout/concat.ts';
import { reshape } from '../../ops/layout/shape.ts';
import { sum } from '../../ops/reduction/reduce.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { sizeOf } from '../../util/shape.ts';
import { oneOf, trueOrFalse, wholeNumber } from '../check-options.ts';
import {
  type MetricOptions,
  type MetricSpec,
  metricSpec,
  ratio,
  requireProbabilities,
  type TotalsMetric,
  weigh,
} from './metric.ts';

export interface AucOptions extends MetricOptions {
  /** Thresholds, evenly spaced from 0 to 1; at least 2, 200 when left out. */
  readonly numThresholds?: number;
  /** `ROC` when left out. */
  readonly curve?: 'ROC' | 'PR';
  /** How the area between two points is taken; `interpolation` when left out. */
  readonly summationMethod?: 'interpolation' | 'minoring' | 'majoring';
  /** True when outputs are logits, of which the sigmoid is taken; false when left out. */
  readonly fromLogits?: boolean;
}

type Method = NonNullable<AucOptions['summationMethod']>;

/** Counts at each threshold: what is above it and what is not, of yes and of no. */
interface Counts {
  readonly truePositives: Float64Array;
  readonly falsePositives: Float64Array;
  readonly positives: number;
  readonly negatives: number;
}

/** The area under the curve; every element of an output is an answer of its own, for targets of 0 and 1. */
export function auc(options: AucOptions = {}, ...surplus: Surplus): MetricSpec {
  refuseSurplus('auc', surplus);
  const given = {
    numThresholds: wholeNumber('auc', 'numThresholds', options.numThresholds ?? 200, 2),
    curve: oneOf('auc', 'curve', options.curve ?? 'ROC', ['ROC', 'PR']),
    summationMethod: oneOf('auc', 'summationMethod', options.summationMethod ?? 'interpolation', [
      'interpolation',
      'minoring',
      'majoring',
    ]),
    fromLogits: trueOrFalse('auc', 'fromLogits', options.fromLogits ?? false),
  };
  const { numThresholds, curve, summationMethod, fromLogits } = given;
  const defaults: Record<string, unknown> = { numThresholds: 200, curve: 'ROC', summationMethod: 'interpolation' };
  const config = Object.fromEntries(
    Object.entries(given).filter(([name, value]) => value !== (defaults[name] ?? false)),
  );
  return metricSpec('auc', options, Object.keys(given), config, (name, loss): TotalsMetric => {
    requireProbabilities(name, loss, fromLogits, 'give auc({ fromLogits: true })');
    return {
      name,
      targets: 'values',
      answers: true,
      totals: (y, { values }, weights) =>
        bucketCounts(y, fromLogits ? sigmoid(values) : values, numThresholds, weights),
      result: (totals) => area(countsAbove(totals), curve, summationMethod),
    };
  });
}

/**
 * f32 [2·thresholds]: the weights of yes, and of no, whose probability is above each threshold and not above the next.
 */
function bucketCounts(y: Tensor, p: Tensor, thresholds: number, weights: Tensor | undefined): Tensor {
  const answers = sizeOf(p.shape);
  const list = (x: Tensor): Tensor => reshape(x, [answers, 1]);
  const bucket = maximum(sub(ceil(mul(clip(p, 0, 1), thresholds - 1)), 1), 0);
  const isHere = equal(list(bucket), reshape(iota(thresholds, 'f32'), [1, thresholds]));
  const yes = cast(notEqual(y, 0), 'f32');
  const count = (x: Tensor): Tensor => sum(where(isHere, list(weigh(x, weights)), 0), { axes: 0 });
  return pack([count(yes), count(sub(1, yes))]);
}

function countsAbove(totals: ArrayLike<number>): Counts {
  const thresholds = totals.length / 2;
  const above = (from: number): Float64Array => {
    const counts = new Float64Array(thresholds);
    for (let k = thresholds - 1; k >= 0; k--) counts[k] = totals[from + k] + (k === thresholds - 1 ? 0 : counts[k + 1]);
    return counts;
  };
  const truePositives = above(0);
  const falsePositives = above(thresholds);
  return { truePositives, falsePositives, positives: truePositives[0], negatives: falsePositives[0] };
}

function area(counts: Counts, curve: 'ROC' | 'PR', method: Method): number {
  const { truePositives: tp, falsePositives: fp, positives, negatives } = counts;
  if (curve === 'PR' && method === 'interpolation') return interpolatedPrecision(counts);
  const recall = tp.map((count) => ratio(count, positives));
  const x = curve === 'ROC' ? fp.map((count) => ratio(count, negatives)) : recall;
  const y = curve === 'ROC' ? recall : tp.map((count, k) => ratio(count, count + fp[k]));
  let sum = 0;
  for (let k = 0; k + 1 < tp.length; k++) {
    const heights = {
      interpolation: (y[k] + y[k + 1]) / 2,
      minoring: Math.min(y[k], y[k + 1]),
      majoring: Math.max(y[k], y[k + 1]),
    };
    sum += (x[k] - x[k + 1]) * heights[method];
  }
  return sum;
}

/** The area under precision over recall, with true and false yeses, not precision, on straight lines between points. */
function interpolatedPrecision({ truePositives: tp, falsePositives: fp, positives }: Counts): number {
  let sum = 0;
  for (let k = 0; k + 1 < tp.length; k++) {
    const here = tp[k] + fp[k];
    const next = tp[k + 1] + fp[k + 1];
    const gain = tp[k] - tp[k + 1];
    const slope = ratio(gain, Math.max(here - next, 0));
    const intercept = tp[k + 1] - slope * next;
    const quotient = here > 0 && next > 0 ? here / next : 1;
    sum += ratio(slope * (gain + intercept * Math.log(quotient)), positives);
  }
  return sum;
}
