/**
 * ModelRate: the learning rate of one compiled model. It is that of the optimizer, until it is set for this model
 * alone: models that were compiled with the same optimizer object do not disturb each other.
 *
 * Invariant: of a rate that was set for the model and one that was set for the optimizer, the later one counts.
 */

import type { Optimizer } from '../../nn/optimizers/optimizer.ts';

export class ModelRate {
  /** What was set for the model, and how often the optimizer's own rate had been set by then. */
  private own: { readonly rate: number; readonly revision: number } | undefined;

  constructor(private readonly optimizer: Optimizer) {}

  /** Step size of the update after `steps` steps. */
  rateAfter(steps: number): number {
    return this.override ?? this.optimizer.rateAfter(steps);
  }

  /** A change holds from the next update on and compiles nothing. @throws as `Optimizer.checkRate`. */
  set(rate: number): void {
    this.own = { rate: this.optimizer.checkRate(rate), revision: this.optimizer.rateRevision };
  }

  /** What was set for the model alone; undefined when the optimizer's rate counts. */
  get override(): number | undefined {
    return this.own?.revision === this.optimizer.rateRevision ? this.own.rate : undefined;
  }
}
