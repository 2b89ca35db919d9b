/**
 * RandomTranslation: in training, moves each image up or down and left or right by random shares of its size.
 * Source: Keras 3, RandomTranslation.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import {
  type Draw,
  drawUniform,
  factorRange,
  type Range,
  RESAMPLING_OPTIONS,
  ResamplingLayer,
  type ResamplingOptions,
} from '../../augmentation.ts';
import { checkKnownOptions } from '../../check-options.ts';
import { LAYER_OPTIONS, type LayerConfig } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface RandomTranslationOptions extends ResamplingOptions {
  /** Share of the height, as [low, high] within [-1, 1] (positive is down); a number f means [-f, f]. */
  readonly heightFactor: number | Range;
  /** Share of the width, likewise (positive is to the right). */
  readonly widthFactor: number | Range;
}

/** x [B, H, W, C] → the same shape; no weights. */
export class RandomTranslation extends ResamplingLayer {
  override readonly className = 'RandomTranslation';
  private readonly heightFactor: Range;
  private readonly widthFactor: Range;

  /** @throws DownhillError `argument` for factors outside of [-1, 1] or other options. */
  constructor(options: RandomTranslationOptions) {
    const known = ['heightFactor', 'widthFactor', ...RESAMPLING_OPTIONS, ...LAYER_OPTIONS];
    checkKnownOptions('randomTranslation', options, known);
    super('randomTranslation', options);
    this.heightFactor = factorRange('randomTranslation', 'heightFactor', options.heightFactor);
    this.widthFactor = factorRange('randomTranslation', 'widthFactor', options.widthFactor);
  }

  override get config(): LayerConfig {
    return { heightFactor: this.heightFactor, widthFactor: this.widthFactor, ...this.resampling };
  }

  /** `images` [B, H, W, C] moved by `down` and `right`, shares of height and width, f32 [B]. */
  translate(images: Tensor, down: Tensor, right: Tensor): Tensor {
    const [, height, width] = images.shape;
    return this.resample(
      images,
      [down, right],
      [
        [1, 0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, -height, 0, 0],
        [0, 0, -width, 0, 0, 0, 0, 0],
      ],
    );
  }

  protected override augment(images: Tensor, draw: Draw): Tensor {
    return this.translate(images, drawUniform(draw, 0, this.heightFactor), drawUniform(draw, 1, this.widthFactor));
  }
}

/** Moves images at random while training: `randomTranslation({ heightFactor: 0.1, widthFactor: 0.1 })`. */
export const randomTranslation = (options: RandomTranslationOptions, ...surplus: Surplus): RandomTranslation =>
  sole('randomTranslation', surplus, new RandomTranslation(options));

/** For the conformance tests. */
export const randomTranslationCases: readonly LayerCase[] = [
  {
    title: 'randomTranslation',
    make: () => randomTranslation({ heightFactor: 0.1, widthFactor: [-0.2, 0.1] }),
    inputShape: [5, 6, 2],
    outputShape: [5, 6, 2],
    parameters: 0,
  },
];
