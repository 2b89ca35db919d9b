/**
 * RandomFlip: in training, mirrors each image with probability ½ from left to right, top to bottom, or either.
 *
 * With both, the two coins are thrown apart (Keras 3, the source, throws one for both, so that it only turns by 180°).
 */

import type { Tensor } from '../../../core/tensor.ts';
import { where } from '../../../ops/elementwise/select.ts';
import { flip } from '../../../ops/layout/transpose.ts';
import { randomBernoulli } from '../../../ops/random/random.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { AugmentationLayer, type Draw } from '../../augmentation.ts';
import { checkKnownOptions, oneOf } from '../../check-options.ts';
import { LAYER_OPTIONS, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

const MODES = ['horizontal', 'vertical', 'horizontalAndVertical'] as const;

export interface RandomFlipOptions extends LayerOptions {
  /** `horizontalAndVertical` when left out; `horizontal` swaps left and right. */
  readonly mode?: (typeof MODES)[number];
}

/** x [B, H, W, C] → the same shape; no weights. */
export class RandomFlip extends AugmentationLayer {
  override readonly className = 'RandomFlip';
  private readonly mode: (typeof MODES)[number];

  /** @throws DownhillError `argument` for an unknown mode. */
  constructor(options: RandomFlipOptions = {}) {
    checkKnownOptions('randomFlip', options, ['mode', ...LAYER_OPTIONS]);
    super(options);
    this.mode = oneOf('randomFlip', 'mode', options.mode ?? 'horizontalAndVertical', MODES);
  }

  override get config(): LayerConfig {
    return { mode: this.mode };
  }

  protected override augment(images: Tensor, { key, stream, batch }: Draw): Tensor {
    const toss = (x: Tensor, axis: number): Tensor => {
      const heads = randomBernoulli(key, { shape: [batch, 1, 1, 1], stream: stream + axis, probability: 0.5 });
      return where(heads, flip(x, { axes: axis }), x);
    };
    const sideways = this.mode === 'vertical' ? images : toss(images, 2);
    return this.mode === 'horizontal' ? sideways : toss(sideways, 1);
  }
}

/** Mirrors images at random while training: `randomFlip({ mode: 'horizontal' })`. */
export const randomFlip = (options: RandomFlipOptions = {}, ...surplus: Surplus): RandomFlip =>
  sole('randomFlip', surplus, new RandomFlip(options));

/** For the conformance tests. */
export const randomFlipCases: readonly LayerCase[] = [
  {
    title: 'randomFlip',
    make: () => randomFlip({ mode: 'horizontal' }),
    inputShape: [3, 4, 2],
    outputShape: [3, 4, 2],
    parameters: 0,
  },
  {
    title: 'randomFlip of both axes',
    make: () => randomFlip(),
    inputShape: [3, 2, 1],
    outputShape: [3, 2, 1],
    parameters: 0,
  },
];
