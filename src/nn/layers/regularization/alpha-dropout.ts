/**
 * AlphaDropout: dropout for networks of selu. Dropped values become selu's lower limit, and an affine map afterwards
 * gives inputs of mean 0 and variance 1 the same mean and variance again. At inference, nothing at all.
 *
 * Invariant: the mask is a function of (seed, step, layer), the same bits on CPU and GPU.
 * Source: Klambauer, Unterthiner, Mayr, Hochreiter (2017), section 3; Keras 3 `layers/regularization/alpha_dropout.py`.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { add, mul } from '../../../ops/elementwise/binary.ts';
import { where } from '../../../ops/elementwise/select.ts';
import { randomBernoulli } from '../../../ops/random/random.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, numberBetween } from '../../check-options.ts';
import { type CallContext, LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

/** What selu tends to at −∞. */
const LIMIT = -1.0507009873554805 * 1.6732632423543772;

export interface AlphaDropoutOptions extends LayerOptions {
  /** Share of the values that are dropped, in [0, 1). */
  readonly rate: number;
}

/** x [B, …] → the same shape; no weights. */
export class AlphaDropout extends Layer {
  override readonly className = 'AlphaDropout';
  private readonly rate: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: AlphaDropoutOptions) {
    checkKnownOptions('alphaDropout', options, [...LAYER_OPTIONS, 'rate']);
    super(options);
    this.rate = numberBetween('alphaDropout', 'rate', options.rate, 0, 1, true);
  }

  override get config(): LayerConfig {
    return { rate: this.rate };
  }

  override call(x: Tensor, _weights: readonly Tensor[], { training, key, stream }: CallContext): Tensor {
    const { rate } = this;
    if (!training || key === undefined || rate === 0) return x;
    const scale = ((1 - rate) * (1 + rate * LIMIT ** 2)) ** -0.5;
    const kept = randomBernoulli(key, { shape: x.shape, stream, probability: 1 - rate });
    return add(mul(where(kept, x, LIMIT), scale), -scale * LIMIT * rate);
  }
}

/** Dropout that keeps mean 0 and variance 1: `alphaDropout({ rate: 0.1 })`. */
export const alphaDropout = (options: AlphaDropoutOptions, ...surplus: Surplus): AlphaDropout =>
  sole('alphaDropout', surplus, new AlphaDropout(options));

/** For the conformance tests. */
export const alphaDropoutCases: readonly LayerCase[] = [
  {
    title: 'alpha dropout',
    make: () => alphaDropout({ rate: 0.1 }),
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 0,
  },
];
