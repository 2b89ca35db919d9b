/**
 * Adam by Keras 3's formulas (keras/src/optimizers/adam.py): m ← m + (g − m)(1 − β₁), v ← v + (g² − v)(1 − β₂),
 * w ← w − α m / (√v + ε) with α = rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ). ε stands outside of the bias correction ("epsilon
 * hat" of the paper).
 * Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, end of section 2.
 */

import { add, div, mul, sub } from '../../ops/binary.ts';
import { sqrt, square } from '../../ops/unary.ts';
import { checkKnownOptions, numberBetween } from '../check-options.ts';
import type { ScheduleConfig } from '../schedules/index.ts';
import {
  type LearningRate,
  Optimizer,
  type OptimizerConfig,
  type UpdateInputs,
  type UpdateOutputs,
} from './optimizer.ts';

export interface AdamOptions {
  /** 0.001 when left out; or a schedule such as `cosineDecay({…})`. */
  readonly learningRate?: LearningRate | ScheduleConfig;
  /** Decay of the mean of gradients, in [0, 1); 0.9 when left out. */
  readonly beta1?: number;
  /** Decay of the mean of squares, in [0, 1); 0.999 when left out. */
  readonly beta2?: number;
  /** Added to the root; 1e-7 when left out. */
  readonly epsilon?: number;
}

export class Adam extends Optimizer {
  override readonly name = 'adam';
  override readonly slots = ['m', 'v'];
  override readonly scalars = ['alpha'];
  private readonly beta1: number;
  private readonly beta2: number;
  private readonly epsilon: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: AdamOptions = {}) {
    checkKnownOptions('adam', options, ['learningRate', 'beta1', 'beta2', 'epsilon']);
    super(options.learningRate ?? 0.001);
    this.beta1 = numberBetween('adam', 'beta1', options.beta1 ?? 0.9, 0, 1, true);
    this.beta2 = numberBetween('adam', 'beta2', options.beta2 ?? 0.999, 0, 1, true);
    this.epsilon = numberBetween('adam', 'epsilon', options.epsilon ?? 1e-7, 0);
  }

  override get config(): OptimizerConfig {
    const { rateConfig: learningRate, beta1, beta2, epsilon } = this;
    return { learningRate, beta1, beta2, epsilon };
  }

  override scalarValues(step: number): readonly number[] {
    return [(this.rateOf(step) * Math.sqrt(1 - this.beta2 ** step)) / (1 - this.beta1 ** step)];
  }

  override update({ parameters, gradient, slots, scalars }: UpdateInputs): UpdateOutputs {
    const m = add(slots.m, mul(sub(gradient, slots.m), 1 - this.beta1));
    const v = add(slots.v, mul(sub(square(gradient), slots.v), 1 - this.beta2));
    const change = div(mul(m, scalars.alpha), add(sqrt(v), this.epsilon));
    return { parameters: sub(parameters, change), slots: { m, v } };
  }
}

/** Adam: `adam({ learningRate: 0.001 })`. */
export const adam = (options: AdamOptions = {}): Adam => new Adam(options);
