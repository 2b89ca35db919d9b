/**
 * Optimizer: how weights follow their gradient, as a formula over flat tensors. A whole group of parameters, its
 * gradient and its slots (moments) are one tensor each, so the compiler makes one dispatch of the update. A class gives
 * its rule (`update`); what all share (decay, clipping, averages, accumulation) is in common-options.ts and apply.ts.
 *
 * Invariant: nothing that changes from step to step is part of the formula. What does change (the learning rate, bias
 * corrections) is computed on the host in f64, named in `scalars`, and uploaded with each step; `beta ** t` in f32 on
 * a device would be off by up to 1e-3 (WGSL's `pow` inherits the error of `log2`). An optimizer holds its options only, and
 * no method changes it but the setter of `learningRate`: the slots, the count of steps and a learning rate that was set for
 * one model belong to each model that is compiled with it, so models may share an optimizer object.
 */

import type { Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Shape } from '../../util/shape.ts';
import { checkKnownOptions, show } from '../check-options.ts';
import {
  isSchedule,
  isScheduleConfig,
  type LearningRateSchedule,
  resolveSchedule,
  type ScheduleConfig,
} from '../schedules/index.ts';
import { COMMON_OPTIONS, type CommonOptions, type CommonRules, checkCommonOptions } from './common-options.ts';

/** One group of weights in an update: all tensors are f32 [P]. */
export interface UpdateInputs {
  readonly parameters: Tensor;
  readonly gradient: Tensor;
  /** By slot name. */
  readonly slots: Readonly<Record<string, Tensor>>;
  /** By scalar name, f32 [] each. */
  readonly scalars: Readonly<Record<string, Tensor>>;
  /** The weights in the group's order. */
  readonly shapes: readonly Shape[];
  /** What `ruleOf` says of each of them. */
  readonly rule: string;
}

export interface UpdateOutputs {
  readonly parameters: Tensor;
  readonly slots: Readonly<Record<string, Tensor>>;
}

/** Plain JSON data that makes the optimizer again. */
export type OptimizerConfig = Readonly<Record<string, number | boolean | null | readonly string[] | ScheduleConfig>>;

/** A constant rate, or one that depends on the step. */
export type LearningRate = number | LearningRateSchedule;

export interface OptimizerOptions extends CommonOptions {
  /** A number or a schedule such as `cosineDecay({…})`. */
  readonly learningRate?: LearningRate | ScheduleConfig;
}

/** Slot of the sum of gradients since the last update. */
export const GRADIENT_SUM = 'gradientSum';
/** Slot of the moving average of the weights. */
export const AVERAGE = 'average';

export abstract class Optimizer {
  /** `sgd`, `adam`: the name in JSON and in `compile`. */
  abstract readonly name: string;
  /** The values that the rule keeps for each parameter, with the number that they start from. */
  abstract readonly state: Readonly<Record<string, number>>;
  /** Names of the numbers that `ruleValues` gives. */
  abstract readonly ruleScalars: readonly string[];
  /** What all optimizers can do besides their rule. */
  readonly common: CommonRules;
  private rate: LearningRate;
  private timesSet = 0;

  /**
   * @param owner what errors call it. @param known names of the options of the rule.
   * @throws DownhillError `argument` for an option that is not accepted.
   */
  constructor(owner: string, options: OptimizerOptions, defaultRate: number, known: readonly string[]) {
    checkKnownOptions(owner, options, ['learningRate', ...known, ...COMMON_OPTIONS]);
    const learningRate = options.learningRate ?? defaultRate;
    if (isSchedule(learningRate)) this.rate = learningRate;
    else if (isScheduleConfig(learningRate)) this.rate = resolveSchedule(learningRate);
    else this.rate = checkLearningRate(learningRate);
    this.common = checkCommonOptions(owner, options);
  }

  /**
   * Step size, under a schedule that of the first update. A change holds from the next update on and compiles nothing; it
   * takes the place of what `model.learningRate` was set to before.
   */
  get learningRate(): number {
    return this.rateAfter(0);
  }

  /** Step size of the update after `steps` steps. */
  rateAfter(steps: number): number {
    return typeof this.rate === 'number' ? this.rate : this.rate.at(steps);
  }

  /** True when the learning rate comes from a schedule. */
  get followsSchedule(): boolean {
    return typeof this.rate !== 'number';
  }

  /** For every model that is compiled with this object. @throws as `checkRate`. */
  set learningRate(value: number) {
    this.rate = this.checkRate(value);
    this.timesSet++;
  }

  /** How often `learningRate` was set. */
  get rateRevision(): number {
    return this.timesSet;
  }

  /**
   * `value` as a learning rate that can be set.
   * @throws DownhillError `argument` unless it is a finite number of at least 0, `state` under a schedule.
   */
  checkRate(value: unknown): number {
    if (typeof this.rate === 'number') return checkLearningRate(value);
    throw new DownhillError(
      'state',
      `optimizer: the learning rate follows ${this.rate.name} and cannot be set to ${show(value)}; ` +
        'compile the model with a number to set it',
    );
  }

  /** The options of the rule that make this optimizer again, without the learning rate. */
  abstract get ruleConfig(): OptimizerConfig;

  /**
   * The numbers of update `update` (the first is 1) at learning rate `rate`, in the order of `ruleScalars`. A pure function:
   * several models may ask in any order.
   */
  abstract ruleValues(update: number, rate: number): readonly number[];

  /** The new parameters and slots; traced once for each program. */
  abstract update(inputs: UpdateInputs): UpdateOutputs;

  /** Those of `scalars` that are proportional to the learning rate, which a layer's multiplier scales. */
  get rateScalars(): readonly string[] {
    return [...this.ruleScalars, 'decay'];
  }

  /** The options that make this optimizer again. */
  get config(): OptimizerConfig {
    const { rate, common } = this;
    const learningRate = typeof rate === 'number' ? rate : { schedule: rate.name, config: rate.config };
    return { learningRate, ...this.ruleConfig, ...common.config };
  }

  /** Which of the optimizer's rules updates a weight: those of one rule lie side by side. Most optimizers have one. */
  ruleOf(_path: string, _shape: Shape): string {
    return '';
  }

  /** The values that rule `rule` keeps for each parameter, with the number that they start from. */
  protected stateOf(_rule: string): Readonly<Record<string, number>> {
    return this.state;
  }

  /** The scalar that weights of `rule` decay by, undefined when they do not. */
  decayOf(_rule: string): string | undefined {
    return this.common.weightDecay === undefined ? undefined : 'decay';
  }

  /** Names of all values kept for each parameter of `rule`. */
  slotsOf(rule: string): readonly string[] {
    return Object.keys(this.slotStartsOf(rule));
  }

  /** All values kept for each parameter of `rule`, with the number that they start from. */
  slotStartsOf(rule: string): Readonly<Record<string, number>> {
    const { gradientAccumulationSteps, useEma } = this.common;
    return {
      ...this.stateOf(rule),
      ...(gradientAccumulationSteps > 1 && { [GRADIENT_SUM]: 0 }),
      ...(useEma && { [AVERAGE]: 0 }),
    };
  }

  /** Names of the numbers that `scalarValues` gives. */
  get scalars(): readonly string[] {
    const { weightDecay, gradientAccumulationSteps, useEma, emaOverwriteFrequency } = this.common;
    return [
      ...this.ruleScalars,
      ...(weightDecay === undefined ? [] : ['decay']),
      ...(gradientAccumulationSteps > 1 ? ['apply'] : []),
      ...(useEma ? ['emaMomentum'] : []),
      ...(useEma && emaOverwriteFrequency !== undefined ? ['emaOverwrite'] : []),
    ];
  }

  /**
   * The numbers of step `step` (the first is 1), in the order of `scalars`: a function of the arguments and the options.
   * @param rate the learning rate; the optimizer's own when left out. As in Keras, a schedule counts steps, all else
   *   counts updates.
   */
  scalarValues(step: number, rate: number = this.rateAfter(step - 1)): readonly number[] {
    const { weightDecay, gradientAccumulationSteps, useEma, emaMomentum, emaOverwriteFrequency } = this.common;
    const update = Math.floor((step - 1) / gradientAccumulationSteps) + 1;
    return [
      ...this.ruleValues(update, rate),
      ...(weightDecay === undefined ? [] : [weightDecay * rate]),
      ...(gradientAccumulationSteps > 1 ? [step % gradientAccumulationSteps === 0 ? 1 : 0] : []),
      // The first average is the weight itself.
      ...(useEma ? [update === 1 ? 0 : emaMomentum] : []),
      ...(useEma && emaOverwriteFrequency !== undefined ? [update % emaOverwriteFrequency === 0 ? 1 : 0] : []),
    ];
  }
}

function checkLearningRate(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new DownhillError(
    'argument',
    `optimizer: learningRate must be a finite number of at least 0, found ${show(value)}; 0.001 is a usual value for adam, 0.01 for sgd`,
  );
}
