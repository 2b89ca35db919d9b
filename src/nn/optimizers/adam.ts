/**
 * Adam by Keras 3's formulas (keras/src/optimizers/adam.py): m ← m + (g − m)(1 − β₁), v ← v + (g² − v)(1 − β₂),
 * w ← w − α m / (√v + ε) with α = rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ). ε stands outside of the bias correction ("epsilon
 * hat" of the paper). With `amsgrad`, the largest v so far stands under the root. AdamW is Adam with a decay of 0.004.
 * Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, end of section 2; Reddi, Kale, Kumar,
 * ICLR 2018 (AMSGrad); Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019 (AdamW).
 */

import { add, div, maximum, mul, sub } from '../../ops/elementwise/binary.ts';
import { sqrt, square } from '../../ops/elementwise/unary.ts';
import { type Surplus, sole } from '../../util/check-options.ts';
import { numberBetween, trueOrFalse } from '../check-options.ts';
import {
  Optimizer,
  type OptimizerConfig,
  type OptimizerOptions,
  type UpdateInputs,
  type UpdateOutputs,
} from './optimizer.ts';

/** `learningRate` is 0.001 when left out. */
export interface AdamOptions extends OptimizerOptions {
  /** Decay of the mean of gradients, in [0, 1); 0.9 when left out. */
  readonly beta1?: number;
  /** Decay of the mean of squares, in [0, 1); 0.999 when left out. */
  readonly beta2?: number;
  /** Added to the root; 1e-7 when left out. */
  readonly epsilon?: number;
  /** True to divide by the largest mean of squares so far; false when left out. */
  readonly amsgrad?: boolean;
}

export class Adam extends Optimizer {
  override readonly name: string;
  override readonly state: Readonly<Record<string, number>>;
  override readonly ruleScalars = ['alpha'];
  private readonly beta1: number;
  private readonly beta2: number;
  private readonly epsilon: number;
  private readonly amsgrad: boolean;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: AdamOptions = {}, name = 'adam') {
    super(name, options, 0.001, ['beta1', 'beta2', 'epsilon', 'amsgrad']);
    this.name = name;
    this.beta1 = numberBetween(name, 'beta1', options.beta1 ?? 0.9, 0, 1, true);
    this.beta2 = numberBetween(name, 'beta2', options.beta2 ?? 0.999, 0, 1, true);
    this.epsilon = numberBetween(name, 'epsilon', options.epsilon ?? 1e-7, 0);
    this.amsgrad = trueOrFalse(name, 'amsgrad', options.amsgrad ?? false);
    this.state = { m: 0, v: 0, ...(this.amsgrad && { vMax: 0 }) };
  }

  override get ruleConfig(): OptimizerConfig {
    const { beta1, beta2, epsilon, amsgrad } = this;
    return { beta1, beta2, epsilon, ...(amsgrad && { amsgrad }) };
  }

  override ruleValues(update: number, rate: number): readonly number[] {
    return [(rate * Math.sqrt(1 - this.beta2 ** update)) / (1 - this.beta1 ** update)];
  }

  override update({ parameters, gradient, slots, scalars }: UpdateInputs): UpdateOutputs {
    const m = add(slots.m, mul(sub(gradient, slots.m), 1 - this.beta1));
    const v = add(slots.v, mul(sub(square(gradient), slots.v), 1 - this.beta2));
    const vMax = this.amsgrad ? maximum(slots.vMax, v) : v;
    const change = div(mul(m, scalars.alpha), add(sqrt(vMax), this.epsilon));
    return { parameters: sub(parameters, change), slots: { m, v, ...(this.amsgrad && { vMax }) } };
  }
}

/** Adam: `adam({ learningRate: 0.001 })`. */
export const adam = (options: AdamOptions = {}, ...surplus: Surplus): Adam => sole('adam', surplus, new Adam(options));

/** Adam with decoupled weight decay, 0.004 when left out: `adamW({ weightDecay: 0.01 })`. */
export const adamW = (options: AdamOptions = {}, ...surplus: Surplus): Adam =>
  sole(
    'adamW',
    surplus,
    new Adam(
      typeof options === 'object' && options !== null && options.weightDecay === undefined
        ? { ...options, weightDecay: 0.004 }
        : options,
      'adamW',
    ),
  );
