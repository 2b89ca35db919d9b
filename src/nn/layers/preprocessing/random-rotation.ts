/**
 * RandomRotation: in training, turns each image around its centre by a random angle. Source: Keras 3, RandomRotation.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { mul } from '../../../ops/elementwise/binary.ts';
import { cos, sin } from '../../../ops/elementwise/unary.ts';
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

export interface RandomRotationOptions extends ResamplingOptions {
  /** Share of a full turn, as [low, high] within [-1, 1] (positive is counter-clockwise); f means [-f, f]. */
  readonly factor: number | Range;
}

/** x [B, H, W, C] → the same shape; no weights. */
export class RandomRotation extends ResamplingLayer {
  override readonly className = 'RandomRotation';
  private readonly factor: Range;

  /** @throws DownhillError `argument` for a factor outside of [-1, 1] or other options. */
  constructor(options: RandomRotationOptions) {
    checkKnownOptions('randomRotation', options, ['factor', ...RESAMPLING_OPTIONS, ...LAYER_OPTIONS]);
    super('randomRotation', options);
    this.factor = factorRange('randomRotation', 'factor', options.factor);
  }

  override get config(): LayerConfig {
    return { factor: this.factor, ...this.resampling };
  }

  /** `images` [B, H, W, C] turned by `turns`, shares of a full turn, f32 [B]. */
  rotate(images: Tensor, turns: Tensor): Tensor {
    const [x, y] = [(images.shape[2] - 1) / 2, (images.shape[1] - 1) / 2];
    const angle = mul(turns, 2 * Math.PI);
    return this.resample(
      images,
      [cos(angle), sin(angle)],
      [
        [0, 0, x, 0, 0, y, 0, 0],
        [1, 0, -x, 0, 1, -y, 0, 0],
        [0, -1, y, 1, 0, -x, 0, 0],
      ],
    );
  }

  protected override augment(images: Tensor, draw: Draw): Tensor {
    return this.rotate(images, drawUniform(draw, 0, this.factor));
  }
}

/** Turns images at random while training: `randomRotation({ factor: 0.05 })`, up to 18° either way. */
export const randomRotation = (options: RandomRotationOptions, ...surplus: Surplus): RandomRotation =>
  sole('randomRotation', surplus, new RandomRotation(options));

/** For the conformance tests. */
export const randomRotationCases: readonly LayerCase[] = [
  {
    title: 'randomRotation',
    make: () => randomRotation({ factor: 0.03, fillMode: 'nearest' }),
    inputShape: [5, 4, 2],
    outputShape: [5, 4, 2],
    parameters: 0,
  },
];
