/**
 * ELU as a layer: alpha · (eˣ − 1) below 0.
 * Source: Clevert, Unterthiner and Hochreiter (2015); Keras 3 `layers/activations/elu.py`.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { elu as eluOp } from '../../../ops/elementwise/activations.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, numberBetween } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface ELUOptions extends LayerOptions {
  /** What the value tends to below 0, negated; at least 0; 1 when left out. */
  readonly alpha?: number;
}

/** x [B, …] → the same shape; no weights. */
export class ELU extends Layer {
  override readonly className = 'ELU';
  private readonly alpha: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: ELUOptions = {}) {
    checkKnownOptions('elu', options, [...LAYER_OPTIONS, 'alpha']);
    super(options);
    this.alpha = numberBetween('elu', 'alpha', options.alpha ?? 1, 0);
  }

  override get config(): LayerConfig {
    return { alpha: this.alpha };
  }

  override call(x: Tensor): Tensor {
    return eluOp(x, { alpha: this.alpha });
  }
}

/** An exponential linear unit: `elu()`. */
export const elu = (options: ELUOptions = {}, ...surplus: Surplus): ELU => sole('elu', surplus, new ELU(options));

/** For the conformance tests. */
export const eluCases: readonly LayerCase[] = [
  {
    title: 'elu',
    make: () => elu({ alpha: 0.5 }),
    inputShape: [7],
    outputShape: [7],
    parameters: 0,
  },
];
