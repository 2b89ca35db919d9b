/**
 * Adagrad by Keras 3's formulas (keras/src/optimizers/adagrad.py): s ← s + g², w ← w − rate · g / √(s + ε). The sum s
 * starts from `initialAccumulatorValue`.
 * Source: Duchi, Hazan, Singer, "Adaptive Subgradient Methods for Online Learning", JMLR 2011.
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
export interface AdagradOptions extends OptimizerOptions {
  /** Where the sum of squares starts, at least 0; 0.1 when left out. */
  readonly initialAccumulatorValue?: number;
  /** Added under the root; 1e-7 when left out. */
  readonly epsilon?: number;
}

export class Adagrad extends Optimizer {
  override readonly name = 'adagrad';
  override readonly state: Readonly<Record<string, number>>;
  override readonly ruleScalars = ['learningRate'];
  private readonly epsilon: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: AdagradOptions = {}) {
    super('adagrad', options, 0.001, ['initialAccumulatorValue', 'epsilon']);
    const { initialAccumulatorValue = 0.1, epsilon = 1e-7 } = options;
    this.state = { accumulator: numberBetween('adagrad', 'initialAccumulatorValue', initialAccumulatorValue, 0) };
    this.epsilon = numberBetween('adagrad', 'epsilon', epsilon, 0);
  }

  override get ruleConfig(): OptimizerConfig {
    return { initialAccumulatorValue: this.state.accumulator, epsilon: this.epsilon };
  }

  override ruleValues(_update: number, rate: number): readonly number[] {
    return [rate];
  }

  override update({ parameters, gradient, slots, scalars }: UpdateInputs): UpdateOutputs {
    const accumulator = add(slots.accumulator, square(gradient));
    const change = div(mul(gradient, scalars.learningRate), sqrt(add(accumulator, this.epsilon)));
    return { parameters: sub(parameters, change), slots: { accumulator } };
  }
}

/** Adagrad: `adagrad({ learningRate: 0.01 })`. */
export const adagrad = (options: AdagradOptions = {}, ...surplus: Surplus): Adagrad =>
  sole('adagrad', surplus, new Adagrad(options));
