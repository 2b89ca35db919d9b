/**
 * RandomContrast: in training, scales the distance of each value from its channel's mean over the image by a random
 * factor, and clips to the range that values have.
 *
 * Source: Keras 3, RandomContrast, by its documentation: one number f means [1 - f, 1 + f], and two are lower and upper
 * in that order (its code takes [1, 1 + f], and sorts the two).
 */

import type { Tensor } from '../../../core/tensor.ts';
import { add, mul, sub } from '../../../ops/elementwise/binary.ts';
import { clip } from '../../../ops/elementwise/select.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { mean } from '../../../ops/reduction/reduce.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { AugmentationLayer, type Draw, drawUniform, type Range, valueRangeOf } from '../../augmentation.ts';
import { checkKnownOptions, numberBetween } from '../../check-options.ts';
import { LAYER_OPTIONS, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface RandomContrastOptions extends LayerOptions {
  /** [lower, upper] within [0, 1]: the factor is drawn from [1 - lower, 1 + upper]; a number is both. */
  readonly factor: number | Range;
  /** The values that images may have; [0, 255] when left out. */
  readonly valueRange?: Range;
}

/** x [B, H, W, C] → the same shape; no weights. */
export class RandomContrast extends AugmentationLayer {
  override readonly className = 'RandomContrast';
  private readonly factor: Range;
  private readonly valueRange: Range;

  /** @throws DownhillError `argument` for a factor outside of [0, 1] or a range that is none. */
  constructor(options: RandomContrastOptions) {
    checkKnownOptions('randomContrast', options, ['factor', 'valueRange', ...LAYER_OPTIONS]);
    super(options);
    const { factor } = options;
    const [lower, upper] = Array.isArray(factor) && factor.length === 2 ? factor : [factor, factor];
    this.factor = [
      numberBetween('randomContrast', 'factor', lower, 0, 1),
      numberBetween('randomContrast', 'factor', upper, 0, 1),
    ];
    this.valueRange = valueRangeOf('randomContrast', options.valueRange ?? [0, 255]);
  }

  override get config(): LayerConfig {
    return { factor: this.factor, valueRange: this.valueRange };
  }

  /** `images` [B, H, W, C] with `factors` f32 [B] times their contrast. */
  adjust(images: Tensor, factors: Tensor): Tensor {
    const average = mean(images, { axes: [1, 2], keepDims: true });
    const scaled = mul(sub(images, average), reshape(factors, [images.shape[0], 1, 1, 1]));
    return clip(add(scaled, average), ...this.valueRange);
  }

  protected override augment(images: Tensor, draw: Draw): Tensor {
    const [lower, upper] = this.factor;
    return this.adjust(images, drawUniform(draw, 0, [1 - lower, 1 + upper]));
  }
}

/** Changes contrast at random while training: `randomContrast({ factor: 0.2, valueRange: [0, 1] })`. */
export const randomContrast = (options: RandomContrastOptions, ...surplus: Surplus): RandomContrast =>
  sole('randomContrast', surplus, new RandomContrast(options));

/** For the conformance tests. */
export const randomContrastCases: readonly LayerCase[] = [
  {
    title: 'randomContrast',
    make: () => randomContrast({ factor: 0.2, valueRange: [-3, 3] }),
    inputShape: [4, 3, 2],
    outputShape: [4, 3, 2],
    parameters: 0,
  },
];
