/**
 * RandomBrightness: in training, adds a random share of the range of values to each image, and clips to that range.
 * Source: Keras 3, RandomBrightness.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { add, mul } from '../../../ops/elementwise/binary.ts';
import { clip } from '../../../ops/elementwise/select.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import {
  AugmentationLayer,
  type Draw,
  drawUniform,
  factorRange,
  type Range,
  valueRangeOf,
} from '../../augmentation.ts';
import { checkKnownOptions } from '../../check-options.ts';
import { LAYER_OPTIONS, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface RandomBrightnessOptions extends LayerOptions {
  /** Share of the range that is added, as [low, high] within [-1, 1]; a number f means [-f, f]. */
  readonly factor: number | Range;
  /** The values that images may have; [0, 255] when left out. */
  readonly valueRange?: Range;
}

/** x [B, H, W, C] → the same shape; no weights. */
export class RandomBrightness extends AugmentationLayer {
  override readonly className = 'RandomBrightness';
  private readonly factor: Range;
  private readonly valueRange: Range;

  /** @throws DownhillError `argument` for a factor outside of [-1, 1] or a range that is none. */
  constructor(options: RandomBrightnessOptions) {
    checkKnownOptions('randomBrightness', options, ['factor', 'valueRange', ...LAYER_OPTIONS]);
    super(options);
    this.factor = factorRange('randomBrightness', 'factor', options.factor);
    this.valueRange = valueRangeOf('randomBrightness', options.valueRange ?? [0, 255]);
  }

  override get config(): LayerConfig {
    return { factor: this.factor, valueRange: this.valueRange };
  }

  /** `images` [B, H, W, C] brighter by `shares` f32 [B] of the range of values. */
  adjust(images: Tensor, shares: Tensor): Tensor {
    const [low, high] = this.valueRange;
    const change = mul(reshape(shares, [images.shape[0], 1, 1, 1]), high - low);
    return clip(add(images, change), low, high);
  }

  protected override augment(images: Tensor, draw: Draw): Tensor {
    return this.adjust(images, drawUniform(draw, 0, this.factor));
  }
}

/** Changes brightness at random while training: `randomBrightness({ factor: 0.2, valueRange: [0, 1] })`. */
export const randomBrightness = (options: RandomBrightnessOptions, ...surplus: Surplus): RandomBrightness =>
  sole('randomBrightness', surplus, new RandomBrightness(options));

/** For the conformance tests. */
export const randomBrightnessCases: readonly LayerCase[] = [
  {
    title: 'randomBrightness',
    make: () => randomBrightness({ factor: 0.1, valueRange: [-3, 3] }),
    inputShape: [4, 3, 2],
    outputShape: [4, 3, 2],
    parameters: 0,
  },
];
