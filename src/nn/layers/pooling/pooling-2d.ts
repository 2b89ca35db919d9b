/**
 * What MaxPooling2D and AveragePooling2D share: Keras' options (poolSize 2, strides equal to poolSize, `valid`). In a
 * `same` window only the pixels of the image count.
 */

import type { Tensor } from '../../../core/tensor.ts';
import type { PoolOptions } from '../../../ops/pooling/pool.ts';
import { checkKnownOptions, oneOf } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import { checkImage, PADDINGS, type Padding, type Pair, pairOf } from '../../windows.ts';

export interface Pooling2DOptions extends LayerOptions {
  /** Height and width of a window; 2 when left out. */
  readonly poolSize?: Pair;
  /** Step between windows; `poolSize` when left out. */
  readonly strides?: Pair | null;
  /** `valid` when left out. */
  readonly padding?: Padding;
}

/** x [B, H, W, C] → [B, OH, OW, C]; no weights. */
export abstract class Pooling2D extends Layer {
  private readonly options;

  constructor(owner: string, options: Pooling2DOptions) {
    checkKnownOptions(owner, options, [...LAYER_OPTIONS, 'poolSize', 'strides', 'padding']);
    super(options);
    const poolSize = pairOf(owner, 'poolSize', options.poolSize ?? 2);
    this.options = {
      poolSize,
      strides: pairOf(owner, 'strides', options.strides ?? poolSize),
      padding: oneOf(owner, 'padding', options.padding ?? 'valid', PADDINGS),
    };
  }

  override get config(): LayerConfig {
    return this.options;
  }

  protected abstract pool(x: Tensor, options: PoolOptions): Tensor;

  override call(x: Tensor): Tensor {
    checkImage(this.label, x.shape.slice(1));
    return this.pool(x, this.options);
  }
}
