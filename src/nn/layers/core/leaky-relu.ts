/**
 * LeakyReLU as a layer. Its slope is 0.3 when left out, as in Keras' layer; the activation `leakyRelu` has 0.2, as
 * Keras' has.
 * Source: Maas, Hannun and Ng (2013); Keras 3 `layers/activations/leaky_relu.py`.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { leakyRelu as leakyReluOp } from '../../../ops/elementwise/activations.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, numberBetween } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface LeakyReLUOptions extends LayerOptions {
  /** Slope below 0, at least 0; 0.3 when left out. */
  readonly negativeSlope?: number;
}

/** x [B, …] → the same shape: x above 0, negativeSlope · x below; no weights. */
export class LeakyReLU extends Layer {
  override readonly className = 'LeakyReLU';
  private readonly negativeSlope: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: LeakyReLUOptions = {}) {
    checkKnownOptions('leakyRelu', options, [...LAYER_OPTIONS, 'negativeSlope']);
    super(options);
    this.negativeSlope = numberBetween('leakyRelu', 'negativeSlope', options.negativeSlope ?? 0.3, 0);
  }

  override get config(): LayerConfig {
    return { negativeSlope: this.negativeSlope };
  }

  override call(x: Tensor): Tensor {
    return leakyReluOp(x, { alpha: this.negativeSlope });
  }
}

/** A relu that lets some of the negative through: `leakyRelu({ negativeSlope: 0.1 })`. */
export const leakyRelu = (options: LeakyReLUOptions = {}, ...surplus: Surplus): LeakyReLU =>
  sole('leakyRelu', surplus, new LeakyReLU(options));

/** For the conformance tests. */
export const leakyReluCases: readonly LayerCase[] = [
  {
    title: 'leaky relu',
    make: () => leakyRelu(),
    inputShape: [7],
    outputShape: [7],
    parameters: 0,
  },
];
