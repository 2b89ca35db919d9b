/**
 * SpatialDropout1D: dropout of whole channels. Neighbours within a channel are alike, so dropping single values would
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

export interface SpatialDropout1DOptions extends LayerOptions {
  /** Share of the channels that are dropped, in [0, 1). */
  readonly rate: number;
}

/** x [B, T, C] → the same shape; no weights. */
export class SpatialDropout1D extends Layer {
  override readonly className = 'SpatialDropout1D';
  private readonly rate: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: SpatialDropout1DOptions) {
    checkKnownOptions('spatialDropout1d', options, [...LAYER_OPTIONS, 'rate']);
    super(options);
    this.rate = numberBetween('spatialDropout1d', 'rate', options.rate, 0, 1, true);
  }

  override get config(): LayerConfig {
    return { rate: this.rate };
  }

  override call(x: Tensor, _weights: readonly Tensor[], context: CallContext): Tensor {
    return dropChannels(x, 'sequences [steps, channels]', 3, this.label, this.rate, context);
  }
}

/** Drops whole channels while training: `spatialDropout1d({ rate: 0.2 })`. */
export const spatialDropout1d = (options: SpatialDropout1DOptions, ...surplus: Surplus): SpatialDropout1D =>
  sole('spatialDropout1d', surplus, new SpatialDropout1D(options));

/** For the conformance tests. */
export const spatialDropout1dCases: readonly LayerCase[] = [
  {
    title: 'spatial dropout 1d',
    make: () => spatialDropout1d({ rate: 0.2 }),
    inputShape: [6, 4],
    outputShape: [6, 4],
    parameters: 0,
  },
];
