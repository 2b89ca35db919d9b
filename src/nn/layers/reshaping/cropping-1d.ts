/**
 * Cropping1D: steps cut off at the ends of a sequence. Source: Keras 3, Cropping1D.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { slice } from '../../../ops/layout/slice.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { checkRemainder, checkSteps, type Margin, type MarginLike, marginOf } from '../../margins.ts';

export interface Cropping1DOptions extends LayerOptions {
  /** A number for both ends, or [before, after]; 1 when left out. */
  readonly cropping?: MarginLike;
}

/** x [B, T, C] → [B, T - before - after, C]; no weights. */
export class Cropping1D extends Layer {
  override readonly className = 'Cropping1D';
  private readonly cropping: Margin;

  /** @throws DownhillError `argument` for cropping that is not whole numbers ≥ 0. */
  constructor(options: Cropping1DOptions = {}) {
    checkKnownOptions('cropping1d', options, ['cropping', ...LAYER_OPTIONS]);
    super(options);
    this.cropping = marginOf('cropping1d', 'cropping', options.cropping ?? 1);
  }

  override get config(): LayerConfig {
    return { cropping: this.cropping };
  }

  override call(x: Tensor): Tensor {
    const [B, T, C] = x.shape;
    checkSteps(this.label, x.shape.slice(1));
    checkRemainder(this.label, x.shape.slice(1), [this.cropping]);
    const [before, after] = this.cropping;
    return slice(x, [0, before, 0], [B, T - before - after, C]);
  }
}

/** Cuts the ends off sequences: `cropping1d({ cropping: [1, 2] })`. */
export const cropping1d = (options: Cropping1DOptions = {}, ...surplus: Surplus): Cropping1D =>
  sole('cropping1d', surplus, new Cropping1D(options));

/** For the conformance tests. */
export const cropping1dCases: readonly LayerCase[] = [
  {
    title: 'cropping1d',
    make: () => cropping1d(),
    inputShape: [5, 2],
    outputShape: [3, 2],
    parameters: 0,
  },
  {
    title: 'cropping1d of one end',
    make: () => cropping1d({ cropping: [0, 2] }),
    inputShape: [5, 2],
    outputShape: [3, 2],
    parameters: 0,
  },
];
