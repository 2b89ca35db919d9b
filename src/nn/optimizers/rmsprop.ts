/**
 * RMSprop by Keras 3's formulas (keras/src/optimizers/rmsprop.py): s ← ρ s + (1 − ρ) g², step = rate · g / √(s + ε).
 * `centered` takes the square of the mean gradient from s; with `momentum` μ, steps add up as p ← μ p + step.
 * Source: Hinton, Srivastava, Swersky, "Neural Networks for Machine Learning", lecture 6e, 2012; Graves,
 * "Generating Sequences With Recurrent Neural Networks", arXiv:1308.0850, eq. 38–45 (centered).
 */

import { add, div, mul, sub } from '../../ops/elementwise/binary.ts';
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
export interface RmspropOptions extends OptimizerOptions {
  /** Decay of the means, in [0, 1); 0.9 when left out. */
  readonly rho?: number;
  /** In [0, 1); 0 when left out, which needs no slot. */
  readonly momentum?: number;
  /** Added under the root; 1e-7 when left out. */
  readonly epsilon?: number;
  /** True to divide by the variance instead of the mean square; false when left out. */
  readonly centered?: boolean;
}

export class RMSprop extends Optimizer {
  override readonly name = 'rmsprop';
  override readonly state: Readonly<Record<string, number>>;
  override readonly ruleScalars = ['learningRate'];
  private readonly rho: number;
  private readonly momentum: number;
  private readonly epsilon: number;
  private readonly centered: boolean;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: RmspropOptions = {}) {
    super('rmsprop', options, 0.001, ['rho', 'momentum', 'epsilon', 'centered']);
    this.rho = numberBetween('rmsprop', 'rho', options.rho ?? 0.9, 0, 1, true);
    this.momentum = numberBetween('rmsprop', 'momentum', options.momentum ?? 0, 0, 1, true);
    this.epsilon = numberBetween('rmsprop', 'epsilon', options.epsilon ?? 1e-7, 0);
    this.centered = trueOrFalse('rmsprop', 'centered', options.centered ?? false);
    this.state = { squares: 0, ...(this.momentum > 0 && { velocity: 0 }), ...(this.centered && { mean: 0 }) };
  }

  override get ruleConfig(): OptimizerConfig {
    const { rho, momentum, epsilon, centered } = this;
    return { rho, momentum, epsilon, centered };
  }

  override ruleValues(_update: number, rate: number): readonly number[] {
    return [rate];
  }

  override update({ parameters, gradient, slots, scalars }: UpdateInputs): UpdateOutputs {
    const { rho, momentum, epsilon } = this;
    const squares = add(mul(slots.squares, rho), mul(square(gradient), 1 - rho));
    const mean = this.centered ? add(mul(slots.mean, rho), mul(gradient, 1 - rho)) : undefined;
    const spread = mean === undefined ? squares : sub(squares, square(mean));
    const step = div(mul(gradient, scalars.learningRate), sqrt(add(spread, epsilon)));
    const velocity = momentum > 0 ? add(mul(slots.velocity, momentum), step) : undefined;
    return {
      parameters: sub(parameters, velocity ?? step),
      slots: { squares, ...(velocity && { velocity }), ...(mean && { mean }) },
    };
  }
}

/** RMSprop: `rmsprop({ learningRate: 0.001, momentum: 0.9 })`. */
export const rmsprop = (options: RmspropOptions = {}, ...surplus: Surplus): RMSprop =>
  sole('rmsprop', surplus, new RMSprop(options));
