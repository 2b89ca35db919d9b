/**
 * Stochastic gradient descent, plain, with momentum, or with Nesterov's momentum, by Keras 3's formulas
 * (keras/src/optimizers/sgd.py): v ← momentum · v − rate · g, then w ← w + v, or w ← w + momentum · v − rate · g.
 * Source: Polyak 1964; Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum", ICML 2013.
 */

import { add, mul, sub } from '../../ops/elementwise/binary.ts';
import { type Surplus, sole } from '../../util/check-options.ts';
import { numberBetween, trueOrFalse } from '../check-options.ts';
import {
  Optimizer,
  type OptimizerConfig,
  type OptimizerOptions,
  type UpdateInputs,
  type UpdateOutputs,
} from './optimizer.ts';

/** `learningRate` is 0.01 when left out. */
export interface SgdOptions extends OptimizerOptions {
  /** In [0, 1); 0 when left out, which needs no slot. */
  readonly momentum?: number;
  /** False when left out. */
  readonly nesterov?: boolean;
}

export class SGD extends Optimizer {
  override readonly name = 'sgd';
  override readonly state: Readonly<Record<string, number>>;
  override readonly ruleScalars = ['learningRate'];
  private readonly momentum: number;
  private readonly nesterov: boolean;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: SgdOptions = {}) {
    super('sgd', options, 0.01, ['momentum', 'nesterov']);
    this.momentum = numberBetween('sgd', 'momentum', options.momentum ?? 0, 0, 1, true);
    this.nesterov = trueOrFalse('sgd', 'nesterov', options.nesterov ?? false);
    this.state = this.momentum === 0 ? {} : { velocity: 0 };
  }

  override get ruleConfig(): OptimizerConfig {
    return { momentum: this.momentum, nesterov: this.nesterov };
  }

  override ruleValues(_update: number, rate: number): readonly number[] {
    return [rate];
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
export const sgd = (options: SgdOptions = {}, ...surplus: Surplus): SGD => sole('sgd', surplus, new SGD(options));
