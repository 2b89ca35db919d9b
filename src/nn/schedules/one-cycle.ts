/**
 * The one-cycle policy: up to the highest rate and down far below the first, each along half a cosine. Keras has none;
 * names, defaults and formulas are those of PyTorch's `OneCycleLR` with `anneal_strategy='cos'` and two phases.
 * Source: Smith and Topin, "Super-Convergence", arXiv:1708.07120; torch/optim/lr_scheduler.py.
 */

import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { checkKnownOptions, numberBetween, show, wholeNumber } from '../check-options.ts';
import type { LearningRateSchedule } from './schedule.ts';

export interface OneCycleOptions {
  /** The highest rate. */
  readonly maxLearningRate: number;
  /** Steps of the whole cycle; afterwards the last rate stays. */
  readonly totalSteps: number;
  /** Share of the steps on the way up, in [0, 1]; 0.3 when left out. */
  readonly pctStart?: number;
  /** The first rate is maxLearningRate / divFactor; 25 when left out. */
  readonly divFactor?: number;
  /** The last rate is the first / finalDivFactor; 10000 when left out. */
  readonly finalDivFactor?: number;
}

/**
 * One cycle: `oneCycle({ maxLearningRate: 0.1, totalSteps: 2000 })`.
 * @throws DownhillError `argument` for an option that is not accepted.
 */
export function oneCycle(options: OneCycleOptions, ...surplus: Surplus): LearningRateSchedule {
  refuseSurplus('oneCycle', surplus);
  const name = 'oneCycle';
  checkKnownOptions(name, options, ['maxLearningRate', 'totalSteps', 'pctStart', 'divFactor', 'finalDivFactor']);
  const maxLearningRate = numberBetween(name, 'maxLearningRate', options.maxLearningRate, 0);
  const totalSteps = wholeNumber(name, 'totalSteps', options.totalSteps, 2);
  const pctStart = numberBetween(name, 'pctStart', options.pctStart ?? 0.3, 0, 1);
  const divFactor = divisor(name, 'divFactor', options.divFactor ?? 25);
  const finalDivFactor = divisor(name, 'finalDivFactor', options.finalDivFactor ?? 10000);
  const first = maxLearningRate / divFactor;
  const last = first / finalDivFactor;
  // PyTorch's turning point; it may be before step 0 for a very short way up.
  const top = pctStart * totalSteps - 1;
  const end = totalSteps - 1;
  return {
    name,
    config: { maxLearningRate, totalSteps, pctStart, divFactor, finalDivFactor },
    at(step) {
      if (step >= end) return last;
      if (step <= top) return along(first, maxLearningRate, step / top);
      return along(maxLearningRate, last, (step - top) / (end - top));
    },
  };
}

/** Half a cosine from `from` to `to`; a way of no length is its end. */
function along(from: number, to: number, done: number): number {
  return to + (from - to) * 0.5 * (1 + Math.cos(Math.PI * (Number.isNaN(done) ? 1 : done)));
}

function divisor(owner: string, option: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new DownhillError('argument', `${owner}: ${option} must be a finite number above 0, found ${show(value)}`);
}
