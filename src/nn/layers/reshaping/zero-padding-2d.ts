/**
 * ZeroPadding2D: rows and columns of zeros around channels-last images. Source: Keras 3, ZeroPadding2D.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { pad } from '../../../ops/layout/slice.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { type Margin, type MarginLike, marginsOf } from '../../margins.ts';
import { checkImage } from '../../windows.ts';

export interface ZeroPadding2DOptions extends LayerOptions {
  /** A number for every side, [height, width], or [[top, bottom], [left, right]]; 1 when left out. */
  readonly padding?: number | readonly [MarginLike, MarginLike];
}

/** x [B, H, W, C] → [B, top + H + bottom, left + W + right, C]; no weights. */
export class ZeroPadding2D extends Layer {
  override readonly className = 'ZeroPadding2D';
  private readonly padding: readonly [Margin, Margin];

  /** @throws DownhillError `argument` for padding that is not whole numbers ≥ 0. */
  constructor(options: ZeroPadding2DOptions = {}) {
    checkKnownOptions('zeroPadding2d', options, ['padding', ...LAYER_OPTIONS]);
    super(options);
    this.padding = marginsOf('zeroPadding2d', 'padding', options.padding ?? 1);
  }

  override get config(): LayerConfig {
    return { padding: this.padding };
  }

  override call(x: Tensor): Tensor {
    checkImage(this.label, x.shape.slice(1));
    return pad(x, [[0, 0], ...this.padding, [0, 0]]);
  }
}

/** Zeros around images: `zeroPadding2d({ padding: [[1, 0], [1, 0]] })`. */
export const zeroPadding2d = (options: ZeroPadding2DOptions = {}, ...surplus: Surplus): ZeroPadding2D =>
  sole('zeroPadding2d', surplus, new ZeroPadding2D(options));

/** For the conformance tests. */
export const zeroPadding2dCases: readonly LayerCase[] = [
  {
    title: 'zeroPadding2d',
    make: () => zeroPadding2d(),
    inputShape: [2, 3, 2],
    outputShape: [4, 5, 2],
    parameters: 0,
  },
  {
    title: 'zeroPadding2d with a pair',
    make: () => zeroPadding2d({ padding: [0, 2] }),
    inputShape: [2, 3, 1],
    outputShape: [2, 7, 1],
    parameters: 0,
  },
  {
    title: 'zeroPadding2d of four sides',
    make: () =>
      zeroPadding2d({
        padding: [
          [1, 0],
          [2, 3],
        ],
      }),
    inputShape: [3, 2, 2],
    outputShape: [4, 7, 2],
    parameters: 0,
  },
];
