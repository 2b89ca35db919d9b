/**
 * Optimizer: how weights follow their gradient, as a formula over flat tensors. A whole group of parameters, its
 * gradient and its slots (moments) are one tensor each, so the compiler makes one dispatch of the update.
 *
 * Invariant: nothing that changes from step to step is part of the formula. What does change (the learning rate, bias
 * corrections) is computed on the host in f64, named in `scalars`, and uploaded with each step; `beta ** t` in f32 on
 * a device would be off by up to 1e-3 (WGSL's `pow` inherits the error of `log2`).
 */

import type { Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { show } from '../check-options.ts';
import { type LearningRateSchedule, resolveSchedule, type ScheduleConfig } from '../schedules/index.ts';

/** One group of weights in an update: all tensors are f32 [P]. */
export interface UpdateInputs {
  readonly parameters: Tensor;
  readonly gradient: Tensor;
  /** By slot name. */
  readonly slots: Readonly<Record<string, Tensor>>;
  /** By scalar name, f32 [] each. */
  readonly scalars: Readonly<Record<string, Tensor>>;
}

export interface UpdateOutputs {
  readonly parameters: Tensor;
  readonly slots: Readonly<Record<string, Tensor>>;
}

/** Plain JSON data that makes the optimizer again. */
export type OptimizerConfig = Readonly<Record<string, number | boolean | ScheduleConfig>>;

/** A constant rate, or one that depends on the step. */
export type LearningRate = number | LearningRateSchedule;

export abstract class Optimizer {
  /** `sgd`, `adam`: the name in JSON and in `compile`. */
  abstract readonly name: string;
  /** Names of the values kept for each parameter; zero before the first step. */
  abstract readonly slots: readonly string[];
  /** Names of the numbers that `scalarValues` gives. */
  abstract readonly scalars: readonly string[];
  private rate: LearningRate;
  /** Updates asked for so far. */
  private steps = 0;

  /** @throws DownhillError `argument` unless the learning rate is a schedule or a finite number of at least 0. */
  constructor(learningRate: LearningRate | ScheduleConfig) {
    if (isSchedule(learningRate)) this.rate = learningRate;
    else if (isScheduleConfig(learningRate)) this.rate = resolveSchedule(learningRate);
    else this.rate = checkLearningRate(learningRate);
  }

  /** Step size of the next update; a change holds from then on and compiles nothing. */
  get learningRate(): number {
    return typeof this.rate === 'number' ? this.rate : this.rate.at(this.steps);
  }

  /** @throws DownhillError `argument` unless it is a finite number of at least 0, `state` under a schedule. */
  set learningRate(value: number) {
    if (typeof this.rate !== 'number') {
      throw new DownhillError(
        'state',
        `optimizer: the learning rate follows ${this.rate.name} and cannot be set to ${show(value)}; compile the model with a number to set it`,
      );
    }
    this.rate = checkLearningRate(value);
  }

  /** The learning rate as it stands in `config`. */
  protected get rateConfig(): number | ScheduleConfig {
    return typeof this.rate === 'number' ? this.rate : { schedule: this.rate.name, config: this.rate.config };
  }

  /** The learning rate of update `step` (the first is 1). */
  protected rateOf(step: number): number {
    this.steps = step;
    return typeof this.rate === 'number' ? this.rate : this.rate.at(step - 1);
  }

  /** The options that make this optimizer again. */
  abstract get config(): OptimizerConfig;

  /** The numbers of update `step` (the first is 1), in the order of `scalars`. */
  abstract scalarValues(step: number): readonly number[];

  /** The new parameters and slots; traced once for each program. */
  abstract update(inputs: UpdateInputs): UpdateOutputs;
}

function checkLearningRate(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new DownhillError(
    'argument',
    `optimizer: learningRate must be a finite number of at least 0, found ${show(value)}; 0.001 is a usual value for adam, 0.01 for sgd`,
  );
}

function isSchedule(value: unknown): value is LearningRateSchedule {
  return typeof value === 'object' && value !== null && 'at' in value && typeof value.at === 'function';
}

function isScheduleConfig(value: unknown): value is ScheduleConfig {
  return typeof value === 'object' && value !== null && 'schedule' in value;
}
