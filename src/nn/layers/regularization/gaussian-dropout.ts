/**
 * GaussianDropout: in training, each value times a normal number of mean 1 and variance rate / (1 − rate), which is the
 * variance of dropout's own factor; at inference, nothing at all.
 *
 * Invariant: the noise is a function of (seed, step, layer), the same bits on CPU and GPU.
 * Source: Srivastava et al., "Dropout", JMLR 2014, section 10; Keras 3 `layers/regularization/gaussian_dropout.py`.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { mul } from '../../../ops/elementwise/binary.ts';
import { randomNormal } from '../../../ops/random/random.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, numberBetween } from '../../check-options.ts';
import { type CallContext, LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface GaussianDropoutOptions extends LayerOptions {
  /** As dropout's, in [0, 1). */
  readonly rate: number;
}

/** x [B, …] → the same shape; no weights. */
export class GaussianDropout extends Layer {
  override readonly className = 'GaussianDropout';
  private readonly rate: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: GaussianDropoutOptions) {
    checkKnownOptions('gaussianDropout', options, [...LAYER_OPTIONS, 'rate']);
    super(options);
    this.rate = numberBetween('gaussianDropout', 'rate', options.rate, 0, 1, true);
  }

  override get config(): LayerConfig {
    return { rate: this.rate };
  }

  override call(x: Tensor, _weights: readonly Tensor[], { training, key, stream }: CallContext): Tensor {
    if (!training || key === undefined || this.rate === 0) return x;
    const stddev = Math.sqrt(this.rate / (1 - this.rate));
    return mul(x, randomNormal(key, { shape: x.shape, stream, mean: 1, stddev }));
  }
}

/** Multiplies by noise while training: `gaussianDropout({ rate: 0.2 })`. */
export const gaussianDropout = (options: GaussianDropoutOptions, ...surplus: Surplus): GaussianDropout =>
  sole('gaussianDropout', surplus, new GaussianDropout(options));

/** For the conformance tests. */
export const gaussianDropoutCases: readonly LayerCase[] = [
  {
    title: 'gaussian dropout',
    make: () => gaussianDropout({ rate: 0.1 }),
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 0,
  },
];
