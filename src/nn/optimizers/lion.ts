/**
 * Lion by Keras 3's formulas (keras/src/optimizers/lion.py): w ← w − rate · sign(β₁ m + (1 − β₁) g), then
 * m ← β₂ m + (1 − β₂) g.
 * Source: Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023.
 */

import { add, mul, sub } from '../../ops/elementwise/binary.ts';
import { sign } from '../../ops/elementwise/unary.ts';
import { type Surplus, sole } from '../../util/check-options.ts';
import { numberBetween } from '../check-options.ts';
import {
  Optimizer,
  type OptimizerConfig,
  type OptimizerOptions,
  type UpdateInputs,
  type UpdateOutputs,
} from './optimizer.ts';

/** `learningRate` is 0.001 when left out. */
export interface LionOptions extends OptimizerOptions {
  /** Weight of the old mean in a step, above 0 and up to 1; 0.9 when left out. */
  readonly beta1?: number;
  /** Decay of the mean of gradients, in [0, 1]; 0.99 when left out. */
  readonly beta2?: number;
}

export class Lion extends Optimizer {
  override readonly name = 'lion';
  override readonly state = { m: 0 };
  override readonly ruleScalars = ['learningRate'];
  private readonly beta1: number;
  private readonly beta2: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: LionOptions = {}) {
    super('lion', options, 0.001, ['beta1', 'beta2']);
    // Without the old mean it would be the sign of the gradient alone: Keras refuses it too.
    this.beta1 = numberBetween('lion', 'beta1', options.beta1 ?? 0.9, Number.MIN_VALUE, 1);
    this.beta2 = numberBetween('lion', 'beta2', options.beta2 ?? 0.99, 0, 1);
  }

  override get ruleConfig(): OptimizerConfig {
    return { beta1: this.beta1, beta2: this.beta2 };
  }

  override ruleValues(_update: number, rate: number): readonly number[] {
    return [rate];
  }

  override update({ parameters, gradient, slots, scalars }: UpdateInputs): UpdateOutputs {
    const direction = sign(add(mul(slots.m, this.beta1), mul(gradient, 1 - this.beta1)));
    const m = add(mul(slots.m, this.beta2), mul(gradient, 1 - this.beta2));
    return { parameters: sub(parameters, mul(direction, scalars.learningRate)), slots: { m } };
  }
}

/** Lion: `lion({ learningRate: 0.0001, weightDecay: 0.1 })`. */
export const lion = (options: LionOptions = {}, ...surplus: Surplus): Lion => sole('lion', surplus, new Lion(options));
