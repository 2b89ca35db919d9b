/**
 * MaxPooling1D and AveragePooling1D: windows over sequences, as images of height 1; Keras' names and defaults (poolSize
 * 2, strides equal to poolSize, `valid`). In a `same` window only the steps of the sequence count.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { averagePool2d, maxPool2d, type PoolOptions } from '../../../ops/pooling/pool.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, oneOf } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { checkFits, checkSpatial, PADDINGS, type Padding, sizesOf } from '../../windows.ts';

export interface Pooling1DOptions extends LayerOptions {
  /** Steps of a window; 2 when left out. */
  readonly poolSize?: number | readonly [number];
  /** Steps between windows; `poolSize` when left out. */
  readonly strides?: number | readonly [number] | null;
  /** `valid` when left out. */
  readonly padding?: Padding;
}

abstract class Pooling1D extends Layer {
  private readonly options;

  constructor(owner: string, options: Pooling1DOptions) {
    checkKnownOptions(owner, options, [...LAYER_OPTIONS, 'poolSize', 'strides', 'padding']);
    super(options);
    const poolSize = sizesOf(owner, 'poolSize', options.poolSize ?? 2, 1)[0];
    this.options = {
      poolSize,
      strides: sizesOf(owner, 'strides', options.strides ?? poolSize, 1)[0],
      padding: oneOf(owner, 'padding', options.padding ?? 'valid', PADDINGS),
    };
  }

  override get config(): LayerConfig {
    return this.options;
  }

  protected abstract pool(x: Tensor, options: PoolOptions): Tensor;

  override call(x: Tensor): Tensor {
    const { poolSize, strides, padding } = this.options;
    checkSpatial(this.label, x.shape.slice(1), 1);
    checkFits(this.label, 'poolSize', x.shape.slice(1), { kernelSize: [poolSize], padding });
    const [N, L, C] = x.shape;
    const y = this.pool(reshape(x, [N, 1, L, C]), { poolSize: [1, poolSize], strides: [1, strides], padding });
    return reshape(y, [N, y.shape[2], C]);
  }
}

/** x [B, L, C] → [B, OL, C]: the largest value of each window; no weights. */
export class MaxPooling1D extends Pooling1D {
  override readonly className = 'MaxPooling1D';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: Pooling1DOptions = {}) {
    super('maxPooling1d', options);
  }

  protected override pool(x: Tensor, options: PoolOptions): Tensor {
    return maxPool2d(x, options);
  }
}

/** x [B, L, C] → [B, OL, C]: the mean of each window; no weights. */
export class AveragePooling1D extends Pooling1D {
  override readonly className = 'AveragePooling1D';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: Pooling1DOptions = {}) {
    super('averagePooling1d', options);
  }

  protected override pool(x: Tensor, options: PoolOptions): Tensor {
    return averagePool2d(x, options);
  }
}

/** Maximum over windows of a sequence: `maxPooling1d({ poolSize: 2 })`. */
export const maxPooling1d = (options: Pooling1DOptions = {}, ...surplus: Surplus): MaxPooling1D =>
  sole('maxPooling1d', surplus, new MaxPooling1D(options));

/** Mean over windows of a sequence: `averagePooling1d({ poolSize: 2 })`. */
export const averagePooling1d = (options: Pooling1DOptions = {}, ...surplus: Surplus): AveragePooling1D =>
  sole('averagePooling1d', surplus, new AveragePooling1D(options));

/** For the conformance tests. */
export const pooling1dCases: readonly LayerCase[] = [
  { title: 'max pooling 1d', make: () => maxPooling1d(), inputShape: [7, 2], outputShape: [3, 2], parameters: 0 },
  {
    title: 'average pooling 1d, same, overlapping',
    make: () => averagePooling1d({ poolSize: 3, strides: 2, padding: 'same' }),
    inputShape: [6, 2],
    outputShape: [3, 2],
    parameters: 0,
  },
];
