/**
 * UpSampling2D: images enlarged by whole factors, by repeating pixels or by linear interpolation; Keras' names and
 * defaults. `bilinear` places pixel centres at half-integers, as Keras does. Not here: bicubic and Lanczos.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { resizeBilinear } from '../../../ops/image/resize.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { broadcastTo } from '../../../ops/reduction/sum.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, oneOf } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { checkImage, type Pair, pairOf } from '../../windows.ts';

const INTERPOLATIONS = ['nearest', 'bilinear'] as const;

export interface UpSampling2DOptions extends LayerOptions {
  /** Factors of height and width; 2 when left out. */
  readonly size?: Pair;
  /** `nearest` when left out. */
  readonly interpolation?: 'nearest' | 'bilinear';
}

/** x [B, H, W, C] → [B, H · size, W · size, C]; no weights. */
export class UpSampling2D extends Layer {
  override readonly className = 'UpSampling2D';
  private readonly options;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: UpSampling2DOptions = {}) {
    checkKnownOptions('upSampling2d', options, [...LAYER_OPTIONS, 'size', 'interpolation']);
    super(options);
    this.options = {
      size: pairOf('upSampling2d', 'size', options.size ?? 2),
      interpolation: oneOf('upSampling2d', 'interpolation', options.interpolation ?? 'nearest', INTERPOLATIONS),
    };
  }

  override get config(): LayerConfig {
    return this.options;
  }

  override call(x: Tensor): Tensor {
    checkImage(this.label, x.shape.slice(1));
    const { size, interpolation } = this.options;
    const [N, H, W, C] = x.shape;
    const large = [H * size[0], W * size[1]] as const;
    if (interpolation === 'bilinear') return resizeBilinear(x, { size: large });
    const repeated = broadcastTo(reshape(x, [N, H, 1, W, 1, C]), [N, H, size[0], W, size[1], C]);
    return reshape(repeated, [N, ...large, C]);
  }
}

/** Larger images: `upSampling2d({ size: 2, interpolation: 'bilinear' })`. */
export const upSampling2d = (options: UpSampling2DOptions = {}, ...surplus: Surplus): UpSampling2D =>
  sole('upSampling2d', surplus, new UpSampling2D(options));

/** For the conformance tests. */
export const upSampling2dCases: readonly LayerCase[] = [
  {
    title: 'upsampling, nearest',
    make: () => upSampling2d({ size: [2, 3] }),
    inputShape: [3, 2, 2],
    outputShape: [6, 6, 2],
    parameters: 0,
  },
  {
    title: 'upsampling, bilinear',
    make: () => upSampling2d({ interpolation: 'bilinear' }),
    inputShape: [3, 4, 2],
    outputShape: [6, 8, 2],
    parameters: 0,
  },
];
