/**
 * ZeroPadding1D: steps of zeros before and after a sequence. Source: Keras 3, ZeroPadding1D.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { pad } from '../../../ops/layout/slice.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { checkSteps, type Margin, type MarginLike, marginOf } from '../../margins.ts';

export interface ZeroPadding1DOptions extends LayerOptions {
  /** A number for both ends, or [before, after]; 1 when left out. */
  readonly padding?: MarginLike;
}

/** x [B, T, C] → [B, before + T + after, C]; no weights. */
export class ZeroPadding1D extends Layer {
  override readonly className = 'ZeroPadding1D';
  private readonly padding: Margin;

  /** @throws DownhillError `argument` for padding that is not whole numbers ≥ 0. */
  constructor(options: ZeroPadding1DOptions = {}) {
    checkKnownOptions('zeroPadding1d', options, ['padding', ...LAYER_OPTIONS]);
    super(options);
    this.padding = marginOf('zeroPadding1d', 'padding', options.padding ?? 1);
  }

  override get config(): LayerConfig {
    return { padding: this.padding };
  }

  override call(x: Tensor): Tensor {
    checkSteps(this.label, x.shape.slice(1));
    return pad(x, [[0, 0], this.padding, [0, 0]]);
  }
}

/** Zeros around sequences: `zeroPadding1d({ padding: [2, 0] })`. */
export const zeroPadding1d = (options: ZeroPadding1DOptions = {}, ...surplus: Surplus): ZeroPadding1D =>
  sole('zeroPadding1d', surplus, new ZeroPadding1D(options));

/** For the conformance tests. */
export const zeroPadding1dCases: readonly LayerCase[] = [
  {
    title: 'zeroPadding1d',
    make: () => zeroPadding1d(),
    inputShape: [3, 2],
    outputShape: [5, 2],
    parameters: 0,
  },
  {
    title: 'zeroPadding1d of one end',
    make: () => zeroPadding1d({ padding: [2, 0] }),
    inputShape: [3, 2],
    outputShape: [5, 2],
    parameters: 0,
  },
];
