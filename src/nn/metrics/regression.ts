/**
 * Metrics of real numbers, beyond those that a loss gives.
 * Source: keras/src/metrics/regression_metrics.py.
 */

import { full } from '../../ops/create.ts';
import { mul, sub } from '../../ops/elementwise/binary.ts';
import { square } from '../../ops/elementwise/unary.ts';
import { pack } from '../../ops/layout/concat.ts';
import { sum } from '../../ops/reduction/reduce.ts';
import { refuseSurplus, type Surplus, sole } from '../../util/check-options.ts';
import { oneOf } from '../check-options.ts';
import { exampleMean } from '../losses/loss.ts';
import { changed } from '../losses/options.ts';
import { checkAxis, cosine } from '../losses/regression.ts';
import { type MetricOptions, type MetricSpec, metricSpec, requireRow, type TotalsMetric, weigh } from './metric.ts';

export interface CosineMetricOptions extends MetricOptions {
  /** The axis of the vectors, not 0 (the examples); −1 when left out. */
  readonly axis?: number;
}

export interface R2ScoreOptions extends MetricOptions {
  /** `uniformAverage` of the outputs' scores (when left out), or one weighted by the variance of their targets. */
  readonly classAggregation?: 'uniformAverage' | 'varianceWeightedAverage';
}

/** The root of the mean of (y − prediction)². */
export const rootMeanSquaredError = (options: MetricOptions = {}, ...surplus: Surplus): MetricSpec =>
  sole(
    'rootMeanSquaredError',
    surplus,
    metricSpec('rootMeanSquaredError', options, [], {}, (name) => ({
      name,
      targets: 'values',
      perExample: (y, { values }) => exampleMean(square(sub(values, y))),
      result: Math.sqrt,
    })),
  );

/** Mean of cos of the angle between target and prediction: the loss of that name with the other sign. */
export function cosineSimilarity(options: CosineMetricOptions = {}, ...surplus: Surplus): MetricSpec {
  refuseSurplus('cosineSimilarity', surplus);
  const axis = checkAxis('cosineSimilarity', options.axis ?? -1);
  const config = changed({ axis }, { axis: -1 });
  return metricSpec('cosineSimilarity', options, ['axis'], config, (name) => ({
    name,
    targets: 'values',
    perExample: (y, { values }) => exampleMean(cosine(y, values, axis)),
  }));
}

/**
 * Coefficient of determination: 1 − Σ(y − prediction)² / Σ(y − mean of y)², for each output, averaged. 1 is perfect, 0
 * is as good as the mean. An output whose targets are all alike counts as 0, as in Keras. Sums are f32: where targets
 * are far from 0 for their spread, they lose digits; standardise them.
 */
export function r2Score(options: R2ScoreOptions = {}, ...surplus: Surplus): MetricSpec {
  refuseSurplus('r2Score', surplus);
  const aggregation = oneOf('r2Score', 'classAggregation', options.classAggregation ?? 'uniformAverage', [
    'uniformAverage',
    'varianceWeightedAverage',
  ]);
  const config = changed({ classAggregation: aggregation }, { classAggregation: 'uniformAverage' });
  return metricSpec('r2Score', options, ['classAggregation'], config, (name, _loss, outputShape): TotalsMetric => {
    requireRow(name, outputShape);
    return {
      name,
      targets: 'values',
      totals(y, { values }, weights) {
        const own = weigh(y, weights);
        const columns = { axes: 0 };
        return pack([
          sum(own, columns),
          sum(mul(y, own), columns),
          sum(weigh(square(sub(y, values)), weights), columns),
          weights === undefined ? full([1], y.shape[0]) : sum(weights),
        ]);
      },
      result: (totals) => r2(totals, aggregation),
    };
  });
}

/** @param totals Σy, Σy², Σ(y − p)² for each output, and the number of examples. */
function r2(totals: ArrayLike<number>, aggregation: 'uniformAverage' | 'varianceWeightedAverage'): number {
  const outputs = (totals.length - 1) / 3;
  const count = totals[totals.length - 1];
  let sum = 0;
  let variances = 0;
  let weighted = 0;
  for (let k = 0; k < outputs; k++) {
    const variance = totals[outputs + k] - totals[k] ** 2 / count;
    const quotient = 1 - totals[2 * outputs + k] / variance;
    const score = Math.abs(quotient) === Number.POSITIVE_INFINITY ? 0 : quotient;
    sum += score;
    variances += variance;
    weighted += variance * score;
  }
  return aggregation === 'uniformAverage' ? sum / outputs : weighted / variances;
}
