/**
 * Stochastic gradient descent, plain, with momentum, or with Nesterov's momentum, by Keras 3's formulas
 * (keras/src/optimizers/sgd.py): v ← momentum · v − rate · g, then w ← w + v, or w ← w + momentum · v − rate · g.
 * Source: Polyak 1964; Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum", ICML 2013.
 */

import { add, mul, sub } from '../../ops/binary.ts';
import { checkKnownOptions, numberBetween, trueOrFalse } from '../check-options.ts';
import type { ScheduleConfig } from '../schedules/index.ts';
import {
  type LearningRate,
  Optimizer,
  type OptimizerConfig,
  type UpdateInputs,
  type UpdateOutputs,
} from './optimizer.ts';

export interface SgdOptions {
  /** 0.01 when left out; or a schedule such as `cosineDecay({…})`. */
  readonly learningRate?: LearningRate | ScheduleConfig;
  /** In [0, 1); 0 when left out, which needs no slot. */
  readonly momentum?: number;
  /** False when left out. */
  readonly nesterov?: boolean;
}

export class SGD extends Optimizer {
  override readonly name = 'sgd';
  override readonly slots: readonly string[];
  override readonly scalars = ['learningRate'];
  private readonly momentum: number;
  private readonly nesterov: boolean;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: SgdOptions = {}) {
    checkKnownOptions('sgd', options, ['learningRate', 'momentum', 'nesterov']);
    super(options.learningRate ?? 0.01);
    this.momentum = numberBetween('sgd', 'momentum', options.momentum ?? 0, 0, 1, true);
    this.nesterov = trueOrFalse('sgd', 'nesterov', options.nesterov ?? false);
    this.slots = this.momentum === 0 ? [] : ['velocity'];
  }

  override get config(): OptimizerConfig {
    return { learningRate: this.rateConfig, momentum: this.momentum, nesterov: this.nesterov };
  }

  override scalarValues(step: number): readonly number[] {
    return [this.rateOf(step)];
  }

  override update({ parameters, gradient, slots, scalars }: UpdateInputs): UpdateOutputs {
    const step = mul(gradient, scalars.learningRate);
    if (this.momentum === 0) return { parameters: sub(parameters, step), slots: {} };
    const velocity = sub(mul(slots.velocity, this.momentum), step);
    const change = this.nesterov ? sub(mul(velocity, this.momentum), step) : velocity;
    return { parameters: add(parameters, change), slots: { velocity } };
  }
}

/** Gradient descent: `sgd({ learningRate: 0.1, momentum: 0.9 })`. */
export const sgd = (options: SgdOptions = {}): SGD => new SGD(options);
