/**
 * SpatialDropout2D: dropout of whole channels. Neighbours within a channel are alike, so dropping single values would
 * hide little. At inference, nothing at all.
 *
 * Invariant: the mask is a function of (seed, step, layer), the same bits on CPU and GPU.
 * Source: Tompson, Goroshin, Jain, LeCun, Bregler (2015); Keras 3 `layers/regularization/spatial_dropout.py`.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, numberBetween } from '../../check-options.ts';
import { type CallContext, LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

import { dropChannels } from './spatial-dropout.ts';

export interface SpatialDropout2DOptions extends LayerOptions {
  /** Share of the channels that are dropped, in [0, 1). */
  readonly rate: number;
}

/** x [B, H, W, C] → the same shape; no weights. */
export class SpatialDropout2D extends Layer {
  override readonly className = 'SpatialDropout2D';
  private readonly rate: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: SpatialDropout2DOptions) {
    checkKnownOptions('spatialDropout2d', options, [...LAYER_OPTIONS, 'rate']);
    super(options);
    this.rate = numberBetween('spatialDropout2d', 'rate', options.rate, 0, 1, true);
  }

  override get config(): LayerConfig {
    return { rate: this.rate };
  }

  override call(x: Tensor, _weights: readonly Tensor[], context: CallContext): Tensor {
    return dropChannels(x, 'images [height, width, channels]', 4, this.label, this.rate, context);
  }
}

/** Drops whole channels while training: `spatialDropout2d({ rate: 0.2 })`. */
export const spatialDropout2d = (options: SpatialDropout2DOptions, ...surplus: Surplus): SpatialDropout2D =>
  sole('spatialDropout2d', surplus, new SpatialDropout2D(options));

/** For the conformance tests. */
export const spatialDropout2dCases: readonly LayerCase[] = [
  {
    title: 'spatial dropout 2d',
    make: () => spatialDropout2d({ rate: 0.2 }),
    inputShape: [3, 2, 8],
    outputShape: [3, 2, 8],
    parameters: 0,
  },
];
