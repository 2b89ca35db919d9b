/**
 * RandomZoom: in training, scales each image around its centre by random factors. Source: Keras 3, RandomZoom.
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

export interface RandomZoomOptions extends ResamplingOptions {
  /** By how much more of the height is seen, as [low, high] within (-1, 1]: 0.2 shows 20 % more; f means [-f, f]. */
  readonly heightFactor: number | Range;
  /** The same of the width; the number drawn for the height, which keeps the proportions, when left out. */
  readonly widthFactor?: number | Range;
}

/** Keras leaves out -1, which would show nothing. */
const LEAST = -1 + 2 ** -20;

/** x [B, H, W, C] → the same shape; no weights. */
export class RandomZoom extends ResamplingLayer {
  override readonly className = 'RandomZoom';
  private readonly heightFactor: Range;
  private readonly widthFactor: Range | undefined;

  /** @throws DownhillError `argument` for factors outside of (-1, 1] or other options. */
  constructor(options: RandomZoomOptions) {
    const known = ['heightFactor', 'widthFactor', ...RESAMPLING_OPTIONS, ...LAYER_OPTIONS];
    checkKnownOptions('randomZoom', options, known);
    super('randomZoom', options);
    const range = (option: string, value: unknown): Range => factorRange('randomZoom', option, value, LEAST);
    this.heightFactor = range('heightFactor', options.heightFactor);
    this.widthFactor = options.widthFactor === undefined ? undefined : range('widthFactor', options.widthFactor);
  }

  override get config(): LayerConfig {
    const { heightFactor, widthFactor } = this;
    return { heightFactor, ...(widthFactor && { widthFactor }), ...this.resampling };
  }

  /** `images` [B, H, W, C] with `tall` times their height and `wide` times their width in view, f32 [B]. */
  zoom(images: Tensor, tall: Tensor, wide: Tensor): Tensor {
    const [x, y] = [(images.shape[2] - 1) / 2, (images.shape[1] - 1) / 2];
    return this.resample(
      images,
      [tall, wide],
      [
        [0, 0, x, 0, 0, y, 0, 0],
        [0, 0, 0, 0, 1, -y, 0, 0],
        [1, 0, -x, 0, 0, 0, 0, 0],
      ],
    );
  }

  protected override augment(images: Tensor, draw: Draw): Tensor {
    const around = ([low, high]: Range): Range => [1 + low, 1 + high];
    const tall = drawUniform(draw, 0, around(this.heightFactor));
    const wide = this.widthFactor === undefined ? tall : drawUniform(draw, 1, around(this.widthFactor));
    return this.zoom(images, tall, wide);
  }
}

/** Scales images at random while training: `randomZoom({ heightFactor: 0.1 })`. */
export const randomZoom = (options: RandomZoomOptions, ...surplus: Surplus): RandomZoom =>
  sole('randomZoom', surplus, new RandomZoom(options));

/** For the conformance tests. */
export const randomZoomCases: readonly LayerCase[] = [
  {
    title: 'randomZoom',
    make: () => randomZoom({ heightFactor: 0.1 }),
    inputShape: [5, 4, 2],
    outputShape: [5, 4, 2],
    parameters: 0,
  },
  {
    title: 'randomZoom of both axes',
    make: () => randomZoom({ heightFactor: [0, 0.2], widthFactor: [-0.1, 0], fillMode: 'constant', fillValue: 0.5 }),
    inputShape: [5, 4, 1],
    outputShape: [5, 4, 1],
    parameters: 0,
  },
];
