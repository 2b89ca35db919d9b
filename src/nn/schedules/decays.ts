/**
 * Decays in closed form by Keras 3's formulas (keras/src/optimizers/schedules/learning_rate_schedule.py): exponential,
 * inverse in time, polynomial, and constant by pieces (the step schedule).
 */

import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { checkKnownOptions, numberBetween, show, trueOrFalse } from '../check-options.ts';
import type { LearningRateSchedule } from './schedule.ts';

export interface DecayOptions {
  /** The rate at step 0. */
  readonly initialLearningRate: number;
  /** Steps that count as one time unit. */
  readonly decaySteps: number;
  /** How much a time unit changes the rate. */
  readonly decayRate: number;
  /** True to count whole time units only; false when left out. */
  readonly staircase?: boolean;
}

/**
 * initial · decayRate^(step / decaySteps):
 * `exponentialDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.9 })`.
 * @throws DownhillError `argument` for an option that is not accepted.
 */
export function exponentialDecay(options: DecayOptions, ...surplus: Surplus): LearningRateSchedule {
  refuseSurplus('exponentialDecay', surplus);
  return inTime('exponentialDecay', options, (initial, rate, time) => initial * rate ** time);
}

/**
 * initial / (1 + decayRate · step / decaySteps).
 * @throws DownhillError `argument` for an option that is not accepted.
 */
export function inverseTimeDecay(options: DecayOptions, ...surplus: Surplus): LearningRateSchedule {
  refuseSurplus('inverseTimeDecay', surplus);
  return inTime('inverseTimeDecay', options, (initial, rate, time) => initial / (1 + rate * time));
}

export interface PolynomialDecayOptions {
  /** The rate at step 0. */
  readonly initialLearningRate: number;
  /** Steps from the first rate to the last. */
  readonly decaySteps: number;
  /** 0.0001 when left out. */
  readonly endLearningRate?: number;
  /** Of the polynomial; 1 when left out, which is a straight line. */
  readonly power?: number;
  /** True to stretch `decaySteps` to its next multiple whenever it is reached; false when left out. */
  readonly cycle?: boolean;
}

/**
 * (initial − end) · (1 − step / decaySteps)^power + end.
 * @throws DownhillError `argument` for an option that is not accepted.
 */
export function polynomialDecay(options: PolynomialDecayOptions, ...surplus: Surplus): LearningRateSchedule {
  refuseSurplus('polynomialDecay', surplus);
  const name = 'polynomialDecay';
  checkKnownOptions(name, options, ['initialLearningRate', 'decaySteps', 'endLearningRate', 'power', 'cycle']);
  const initialLearningRate = numberBetween(name, 'initialLearningRate', options.initialLearningRate, 0);
  const decaySteps = numberBetween(name, 'decaySteps', options.decaySteps, 1);
  const endLearningRate = numberBetween(name, 'endLearningRate', options.endLearningRate ?? 0.0001, 0);
  const power = numberBetween(name, 'power', options.power ?? 1, 0);
  const cycle = trueOrFalse(name, 'cycle', options.cycle ?? false);
  return {
    name,
    config: { initialLearningRate, decaySteps, endLearningRate, power, cycle },
    at(step) {
      const length = cycle ? decaySteps * Math.max(1, Math.ceil(step / decaySteps)) : decaySteps;
      const left = 1 - Math.min(step, length) / length;
      return (initialLearningRate - endLearningRate) * left ** power + endLearningRate;
    },
  };
}

export interface PiecewiseConstantDecayOptions {
  /** The last step of each piece but the last, rising. */
  readonly boundaries: readonly number[];
  /** The rate of each piece: one more than there are boundaries. */
  readonly values: readonly number[];
}

/**
 * A rate for each stretch of steps: values[0] up to and including step boundaries[0], and so on.
 * @throws DownhillError `argument` for an option that is not accepted.
 */
export function piecewiseConstantDecay(
  options: PiecewiseConstantDecayOptions,
  ...surplus: Surplus
): LearningRateSchedule {
  refuseSurplus('piecewiseConstantDecay', surplus);
  const name = 'piecewiseConstantDecay';
  checkKnownOptions(name, options, ['boundaries', 'values']);
  const boundaries = numbers(name, 'boundaries', options.boundaries);
  const values = numbers(name, 'values', options.values);
  if (values.length !== boundaries.length + 1) {
    const found = `found ${values.length} for ${boundaries.length}`;
    throw new DownhillError('argument', `${name}: values must be one more than boundaries, ${found}`);
  }
  const falling = boundaries.findIndex((boundary, k) => k > 0 && boundary <= boundaries[k - 1]);
  if (falling >= 0) {
    const found = `${boundaries[falling]} comes after ${boundaries[falling - 1]}`;
    throw new DownhillError('argument', `${name}: boundaries must rise; ${found}`);
  }
  return {
    name,
    config: { boundaries, values },
    at(step) {
      const piece = boundaries.findIndex((boundary) => step <= boundary);
      return values[piece < 0 ? boundaries.length : piece];
    },
  };
}

function inTime(
  name: string,
  options: DecayOptions,
  rateAt: (initial: number, rate: number, time: number) => number,
): LearningRateSchedule {
  checkKnownOptions(name, options, ['initialLearningRate', 'decaySteps', 'decayRate', 'staircase']);
  const initialLearningRate = numberBetween(name, 'initialLearningRate', options.initialLearningRate, 0);
  const decaySteps = numberBetween(name, 'decaySteps', options.decaySteps, 1);
  const decayRate = numberBetween(name, 'decayRate', options.decayRate, 0);
  const staircase = trueOrFalse(name, 'staircase', options.staircase ?? false);
  return {
    name,
    config: { initialLearningRate, decaySteps, decayRate, staircase },
    at(step) {
      const time = step / decaySteps;
      return rateAt(initialLearningRate, decayRate, staircase ? Math.floor(time) : time);
    },
  };
}

function numbers(owner: string, option: string, value: unknown): readonly number[] {
  if (!Array.isArray(value)) {
    throw new DownhillError('argument', `${owner}: ${option} must be a list of numbers, found ${show(value)}`);
  }
  return value.map((one, k) => numberBetween(owner, `${option}[${k}]`, one, 0));
}
