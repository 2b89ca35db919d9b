/**
 * GaussianNoise: adds normal noise of mean 0 in training; at inference, nothing at all.
 *
 * Invariant: the noise is a function of (seed, step, layer), the same bits on CPU and GPU.
 * Source: Keras 3 `layers/regularization/gaussian_noise.py`.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { add } from '../../../ops/elementwise/binary.ts';
import { randomNormal } from '../../../ops/random/random.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, numberBetween } from '../../check-options.ts';
import { type CallContext, LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface GaussianNoiseOptions extends LayerOptions {
  /** Standard deviation of the noise, at least 0. */
  readonly stddev: number;
}

/** x [B, …] → the same shape; no weights. */
export class GaussianNoise extends Layer {
  override readonly className = 'GaussianNoise';
  private readonly stddev: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: GaussianNoiseOptions) {
    checkKnownOptions('gaussianNoise', options, [...LAYER_OPTIONS, 'stddev']);
    super(options);
    this.stddev = numberBetween('gaussianNoise', 'stddev', options.stddev, 0);
  }

  override get config(): LayerConfig {
    return { stddev: this.stddev };
  }

  override call(x: Tensor, _weights: readonly Tensor[], { training, key, stream }: CallContext): Tensor {
    if (!training || key === undefined || this.stddev === 0) return x;
    return add(x, randomNormal(key, { shape: x.shape, stream, stddev: this.stddev }));
  }
}

/** Adds noise while training: `gaussianNoise({ stddev: 0.1 })`. */
export const gaussianNoise = (options: GaussianNoiseOptions, ...surplus: Surplus): GaussianNoise =>
  sole('gaussianNoise', surplus, new GaussianNoise(options));

/** For the conformance tests. */
export const gaussianNoiseCases: readonly LayerCase[] = [
  {
    title: 'gaussian noise',
    make: () => gaussianNoise({ stddev: 0.1 }),
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 0,
  },
];
