/**
 * Cropping2D: rows and columns cut off at the sides of channels-last images. Source: Keras 3, Cropping2D.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { slice } from '../../../ops/layout/slice.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { checkRemainder, type Margin, type MarginLike, marginsOf } from '../../margins.ts';
import { checkImage } from '../../windows.ts';

export interface Cropping2DOptions extends LayerOptions {
  /** A number for every side, [height, width], or [[top, bottom], [left, right]]; 0 when left out. */
  readonly cropping?: number | readonly [MarginLike, MarginLike];
}

/** x [B, H, W, C] → [B, H - top - bottom, W - left - right, C]; no weights. */
export class Cropping2D extends Layer {
  override readonly className = 'Cropping2D';
  private readonly cropping: readonly [Margin, Margin];

  /** @throws DownhillError `argument` for cropping that is not whole numbers ≥ 0. */
  constructor(options: Cropping2DOptions = {}) {
    checkKnownOptions('cropping2d', options, ['cropping', ...LAYER_OPTIONS]);
    super(options);
    this.cropping = marginsOf('cropping2d', 'cropping', options.cropping ?? 0);
  }

  override get config(): LayerConfig {
    return { cropping: this.cropping };
  }

  override call(x: Tensor): Tensor {
    const [B, H, W, C] = x.shape;
    checkImage(this.label, x.shape.slice(1));
    checkRemainder(this.label, x.shape.slice(1), this.cropping);
    const [[top, bottom], [left, right]] = this.cropping;
    return slice(x, [0, top, left, 0], [B, H - top - bottom, W - left - right, C]);
  }
}

/** Cuts sides off images: `cropping2d({ cropping: [[0, 1], [0, 1]] })`. */
export const cropping2d = (options: Cropping2DOptions = {}, ...surplus: Surplus): Cropping2D =>
  sole('cropping2d', surplus, new Cropping2D(options));

/** For the conformance tests. */
export const cropping2dCases: readonly LayerCase[] = [
  {
    title: 'cropping2d',
    make: () => cropping2d({ cropping: 1 }),
    inputShape: [4, 5, 2],
    outputShape: [2, 3, 2],
    parameters: 0,
  },
  {
    title: 'cropping2d of four sides',
    make: () =>
      cropping2d({
        cropping: [
          [0, 2],
          [1, 0],
        ],
      }),
    inputShape: [4, 5, 2],
    outputShape: [2, 4, 2],
    parameters: 0,
  },
];
