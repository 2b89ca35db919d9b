/**
 * Adadelta by Keras 3's formulas (keras/src/optimizers/adadelta.py): s ← ρ s + (1 − ρ) g², d = √(u + ε) g / √(s + ε),
 * u ← ρ u + (1 − ρ) d², w ← w − rate · d. Keras' rate is 0.001; the paper has none, which is a rate of 1.
 * Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701.
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
export interface AdadeltaOptions extends OptimizerOptions {
  /** Decay of the means, in [0, 1); 0.95 when left out. */
  readonly rho?: number;
  /** Added under the roots; 1e-7 when left out. */
  readonly epsilon?: number;
}

export class Adadelta extends Optimizer {
  override readonly name = 'adadelta';
  override readonly state = { squares: 0, changes: 0 };
  override readonly ruleScalars = ['learningRate'];
  private readonly rho: number;
  private readonly epsilon: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: AdadeltaOptions = {}) {
    super('adadelta', options, 0.001, ['rho', 'epsilon']);
    this.rho = numberBetween('adadelta', 'rho', options.rho ?? 0.95, 0, 1, true);
    this.epsilon = numberBetween('adadelta', 'epsilon', options.epsilon ?? 1e-7, 0);
  }

  override get ruleConfig(): OptimizerConfig {
    return { rho: this.rho, epsilon: this.epsilon };
  }

  override ruleValues(_update: number, rate: number): readonly number[] {
    return [rate];
  }

  override update({ parameters, gradient, slots, scalars }: UpdateInputs): UpdateOutputs {
    const { rho, epsilon } = this;
    const squares = add(mul(slots.squares, rho), mul(square(gradient), 1 - rho));
    const change = div(mul(sqrt(add(slots.changes, epsilon)), gradient), sqrt(add(squares, epsilon)));
    const changes = add(mul(slots.changes, rho), mul(square(change), 1 - rho));
    return { parameters: sub(parameters, mul(change, scalars.learningRate)), slots: { squares, changes } };
  }
}

/** Adadelta: `adadelta({ learningRate: 1 })` is the paper's. */
export const adadelta = (options: AdadeltaOptions = {}, ...surplus: Surplus): Adadelta =>
  sole('adadelta', surplus, new Adadelta(options));
