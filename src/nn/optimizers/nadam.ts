/**
 * Nadam, Adam with Nesterov's momentum, by Keras 3's formulas (keras/src/optimizers/nadam.py): with the momentum of
 * step t, μₜ = β₁ (1 − 0.5 · 0.96ᵗ), and Πₜ = μ₁ μ₂ … μₜ,
 * w ← w − rate (μₜ₊₁ m / (1 − Πₜ₊₁) + (1 − μₜ) g / (1 − Πₜ)) / (√(v / (1 − β₂ᵗ)) + ε), m and v as in Adam.
 * Source: Dozat, "Incorporating Nesterov Momentum into Adam", ICLR workshop 2016.
 */

import { add, div, mul, sub } from '../../ops/elementwise/binary.ts';
import { sqrt, square } from '../../ops/elementwise/unary.ts';
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
export interface NadamOptions extends OptimizerOptions {
  /** Decay of the mean of gradients, in [0, 1); 0.9 when left out. */
  readonly beta1?: number;
  /** Decay of the mean of squares, in [0, 1); 0.999 when left out. */
  readonly beta2?: number;
  /** Added to the root; 1e-7 when left out. */
  readonly epsilon?: number;
}

export class Nadam extends Optimizer {
  override readonly name = 'nadam';
  override readonly state = { m: 0, v: 0 };
  override readonly ruleScalars = ['meanRate', 'gradientRate', 'correction'];
  private readonly beta1: number;
  private readonly beta2: number;
  private readonly epsilon: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: NadamOptions = {}) {
    super('nadam', options, 0.001, ['beta1', 'beta2', 'epsilon']);
    this.beta1 = numberBetween('nadam', 'beta1', options.beta1 ?? 0.9, 0, 1, true);
    this.beta2 = numberBetween('nadam', 'beta2', options.beta2 ?? 0.999, 0, 1, true);
    this.epsilon = numberBetween('nadam', 'epsilon', options.epsilon ?? 1e-7, 0);
  }

  override get ruleConfig(): OptimizerConfig {
    const { beta1, beta2, epsilon } = this;
    return { beta1, beta2, epsilon };
  }

  override get rateScalars(): readonly string[] {
    return ['meanRate', 'gradientRate', 'decay'];
  }

  override ruleValues(update: number, rate: number): readonly number[] {
    const product = this.product(update);
    const now = this.momentum(update);
    const next = this.momentum(update + 1);
    return [(rate * next) / (1 - product * next), (rate * (1 - now)) / (1 - product), 1 / (1 - this.beta2 ** update)];
  }

  override update({ parameters, gradient, slots, scalars }: UpdateInputs): UpdateOutputs {
    const m = add(slots.m, mul(sub(gradient, slots.m), 1 - this.beta1));
    const v = add(slots.v, mul(sub(square(gradient), slots.v), 1 - this.beta2));
    const ahead = add(mul(m, scalars.meanRate), mul(gradient, scalars.gradientRate));
    const change = div(ahead, add(sqrt(mul(v, scalars.correction)), this.epsilon));
    return { parameters: sub(parameters, change), slots: { m, v } };
  }

  private momentum(update: number): number {
    return this.beta1 * (1 - 0.5 * 0.96 ** update);
  }

  /** Πₜ of t = `update`. */
  private product(update: number): number {
    return this.beta1 ** update * warmups()[Math.min(update, WARMUP_LENGTH)];
  }
}

/** From here on the factors 1 − 0.5 · 0.96ᵗ of the momentum are 1 in f64. */
const WARMUP_LENGTH = 900;
let warmupProducts: readonly number[] | undefined;

/** Entry t is the product of the first t factors: numbers that belong to no optimizer, computed once. */
function warmups(): readonly number[] {
  if (warmupProducts !== undefined) return warmupProducts;
  const products = [1];
  for (let t = 1; t <= WARMUP_LENGTH; t++) products.push(products[t - 1] * (1 - 0.5 * 0.96 ** t));
  warmupProducts = products;
  return products;
}

/** Nadam: `nadam({ learningRate: 0.001 })`. */
export const nadam = (options: NadamOptions = {}, ...surplus: Surplus): Nadam =>
  sole('nadam', surplus, new Nadam(options));
