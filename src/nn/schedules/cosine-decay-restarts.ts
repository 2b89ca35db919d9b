/**
 * Cosine decay with warm restarts by Keras 3's formulas (keras/src/optimizers/schedules/learning_rate_schedule.py,
 * CosineDecayRestarts): each period is `tMul` times as long as the one before and starts `mMul` times as high.
 * Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
 */

import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { checkKnownOptions, numberBetween } from '../check-options.ts';
import type { LearningRateSchedule } from './schedule.ts';

export interface CosineDecayRestartsOptions {
  /** The rate at step 0. */
  readonly initialLearningRate: number;
  /** Steps of the first period. */
  readonly firstDecaySteps: number;
  /** Length of a period over that of the one before, at least 1; 2 when left out. */
  readonly tMul?: number;
  /** First rate of a period over that of the one before; 1 when left out. */
  readonly mMul?: number;
  /** The last rate of a period as a fraction of the initial rate; 0 when left out. */
  readonly alpha?: number;
}

/**
 * Cosine decay that starts again: `cosineDecayRestarts({ initialLearningRate: 0.1, firstDecaySteps: 1000 })`.
 * @throws DownhillError `argument` for an option that is not accepted.
 */
export function cosineDecayRestarts(options: CosineDecayRestartsOptions, ...surplus: Surplus): LearningRateSchedule {
  refuseSurplus('cosineDecayRestarts', surplus);
  const name = 'cosineDecayRestarts';
  checkKnownOptions(name, options, ['initialLearningRate', 'firstDecaySteps', 'tMul', 'mMul', 'alpha']);
  const initialLearningRate = numberBetween(name, 'initialLearningRate', options.initialLearningRate, 0);
  const firstDecaySteps = numberBetween(name, 'firstDecaySteps', options.firstDecaySteps, 1);
  const tMul = numberBetween(name, 'tMul', options.tMul ?? 2, 1);
  const mMul = numberBetween(name, 'mMul', options.mMul ?? 1, 0);
  const alpha = numberBetween(name, 'alpha', options.alpha ?? 0, 0);
  return {
    name,
    config: { initialLearningRate, firstDecaySteps, tMul, mMul, alpha },
    at(step) {
      const { restarts, done } = periodOf(step / firstDecaySteps, tMul);
      const cosine = 0.5 * mMul ** restarts * (1 + Math.cos(Math.PI * done));
      return initialLearningRate * ((1 - alpha) * cosine + alpha);
    },
  };
}

/** Which period `time` (in first periods) is in, and how much of it is over, in [0, 1). */
function periodOf(time: number, growth: number): { restarts: number; done: number } {
  if (growth === 1) return { restarts: Math.floor(time), done: time - Math.floor(time) };
  const start = (k: number): number => (growth ** k - 1) / (growth - 1);
  // The logarithm may be off by a rounding at the very start of a period: the sums decide.
  let restarts = Math.max(0, Math.floor(Math.log(1 + time * (growth - 1)) / Math.log(growth)));
  if (start(restarts + 1) <= time) restarts++;
  else if (start(restarts) > time) restarts--;
  return { restarts, done: (time - start(restarts)) / growth ** restarts };
}
