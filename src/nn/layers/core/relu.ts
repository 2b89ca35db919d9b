/**
 * ReLU as a layer, with Keras' three options: a ceiling, a slope below the threshold, the threshold.
 * Source: Nair and Hinton (2010); Keras 3 `layers/activations/relu.py`.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { leakyRelu as leakyReluOp, relu as reluOp } from '../../../ops/elementwise/activations.ts';
import { minimum, mul, sub } from '../../../ops/elementwise/binary.ts';
import { greater } from '../../../ops/elementwise/compare.ts';
import { where } from '../../../ops/elementwise/select.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, numberBetween } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface ReLUOptions extends LayerOptions {
  /** Largest value that is let through, at least 0; null, for no limit, when left out. */
  readonly maxValue?: number | null;
  /** Slope below the threshold, at least 0; 0 when left out. */
  readonly negativeSlope?: number;
  /** Values up to it are cut, at least 0; 0 when left out. */
  readonly threshold?: number;
}

/**
 * x [B, …] → the same shape: min(x, maxValue) above the threshold, negativeSlope · (x − threshold) below; no weights.
 */
export class ReLU extends Layer {
  override readonly className = 'ReLU';
  private readonly options;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: ReLUOptions = {}) {
    checkKnownOptions('relu', options, [...LAYER_OPTIONS, 'maxValue', 'negativeSlope', 'threshold']);
    super(options);
    const { maxValue = null, negativeSlope = 0, threshold = 0 } = options;
    this.options = {
      maxValue: maxValue === null ? null : numberBetween('relu', 'maxValue', maxValue, 0),
      negativeSlope: numberBetween('relu', 'negativeSlope', negativeSlope, 0),
      threshold: numberBetween('relu', 'threshold', threshold, 0),
    };
  }

  override get config(): LayerConfig {
    return this.options;
  }

  override get rectifies(): boolean {
    return this.options.negativeSlope === 0;
  }

  override call(x: Tensor): Tensor {
    const { maxValue, negativeSlope, threshold } = this.options;
    if (maxValue === null && threshold === 0) {
      return negativeSlope === 0 ? reluOp(x) : leakyReluOp(x, { alpha: negativeSlope });
    }
    const above = maxValue === null ? x : minimum(x, maxValue);
    return where(greater(x, threshold), above, negativeSlope === 0 ? 0 : mul(sub(x, threshold), negativeSlope));
  }
}

/** max(x, 0): `relu()`, `relu({ maxValue: 6 })`. */
export const relu = (options: ReLUOptions = {}, ...surplus: Surplus): ReLU => sole('relu', surplus, new ReLU(options));

/** For the conformance tests. */
export const reluCases: readonly LayerCase[] = [
  {
    title: 'relu',
    make: () => relu(),
    inputShape: [7],
    outputShape: [7],
    parameters: 0,
  },
  {
    title: 'relu with a ceiling, a slope and a threshold',
    make: () => relu({ maxValue: 1.5, negativeSlope: 0.25, threshold: 0.5 }),
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 0,
  },
];
