/**
 * Adamax by Keras 3's formulas (keras/src/optimizers/adamax.py): m ← m + (g − m)(1 − β₁), u ← max(β₂ u, |g|),
 * w ← w − α m / (u + ε) with α = rate / (1 − β₁ᵗ).
 * Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, section 7.1.
 */

import { add, div, maximum, mul, sub } from '../../ops/elementwise/binary.ts';
import { abs } from '../../ops/elementwise/unary.ts';
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
export interface AdamaxOptions extends OptimizerOptions {
  /** Decay of the mean of gradients, in [0, 1); 0.9 when left out. */
  readonly beta1?: number;
  /** Decay of the largest gradient, in [0, 1); 0.999 when left out. */
  readonly beta2?: number;
  /** Added to the divisor; 1e-7 when left out. */
  readonly epsilon?: number;
}

export class Adamax extends Optimizer {
  override readonly name = 'adamax';
  override readonly state = { m: 0, u: 0 };
  override readonly ruleScalars = ['alpha'];
  private readonly beta1: number;
  private readonly beta2: number;
  private readonly epsilon: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: AdamaxOptions = {}) {
    super('adamax', options, 0.001, ['beta1', 'beta2', 'epsilon']);
    this.beta1 = numberBetween('adamax', 'beta1', options.beta1 ?? 0.9, 0, 1, true);
    this.beta2 = numberBetween('adamax', 'beta2', options.beta2 ?? 0.999, 0, 1, true);
    this.epsilon = numberBetween('adamax', 'epsilon', options.epsilon ?? 1e-7, 0);
  }

  override get ruleConfig(): OptimizerConfig {
    const { beta1, beta2, epsilon } = this;
    return { beta1, beta2, epsilon };
  }

  override ruleValues(update: number, rate: number): readonly number[] {
    return [rate / (1 - this.beta1 ** update)];
  }

  override update({ parameters, gradient, slots, scalars }: UpdateInputs): UpdateOutputs {
    const m = add(slots.m, mul(sub(gradient, slots.m), 1 - this.beta1));
    const u = maximum(mul(slots.u, this.beta2), abs(gradient));
    const change = div(mul(m, scalars.alpha), add(u, this.epsilon));
    return { parameters: sub(parameters, change), slots: { m, u } };
  }
}

/** Adamax: `adamax({ learningRate: 0.002 })`. */
export const adamax = (options: AdamaxOptions = {}, ...surplus: Surplus): Adamax =>
  sole('adamax', surplus, new Adamax(options));
