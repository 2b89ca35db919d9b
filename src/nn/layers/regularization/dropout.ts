/**
 * Dropout: in training, sets each value to zero with probability `rate` and divides the others by 1 − rate, so that the
 * expectation stays; at inference, nothing at all.
 *
 * Invariant: the mask is a function of (seed, step, layer), the same bits on CPU and GPU.
 * Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout", JMLR 2014 (inverted form).
 */

import type { Tensor } from '../../../core/tensor.ts';
import { mul } from '../../../ops/elementwise/binary.ts';
import { cast } from '../../../ops/elementwise/cast.ts';
import { randomBernoulli } from '../../../ops/random/random.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, numberBetween } from '../../check-options.ts';
import { type CallContext, LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface DropoutOptions extends LayerOptions {
  /** Share of the values that are dropped, in [0, 1). */
  readonly rate: number;
}

/** x [B, …] → the same shape; no weights. */
export class Dropout extends Layer {
  override readonly className = 'Dropout';
  private readonly rate: number;

  /** @throws DownhillError `argument` for a rate outside of [0, 1). */
  constructor(options: DropoutOptions) {
    checkKnownOptions('dropout', options, [...LAYER_OPTIONS, 'rate']);
    super(options);
    this.rate = numberBetween('dropout', 'rate', options.rate, 0, 1, true);
  }

  override get config(): LayerConfig {
    return { rate: this.rate };
  }

  override call(x: Tensor, _weights: readonly Tensor[], { training, key, stream }: CallContext): Tensor {
    if (!training || key === undefined || this.rate === 0) return x;
    const kept = cast(randomBernoulli(key, { shape: x.shape, stream, probability: 1 - this.rate }), 'f32');
    return mul(x, mul(kept, 1 / (1 - this.rate)));
  }
}

/** Drops values at random while training: `dropout({ rate: 0.5 })`. */
export const dropout = (options: DropoutOptions, ...surplus: Surplus): Dropout =>
  sole('dropout', surplus, new Dropout(options));

/** For the conformance tests. */
export const dropoutCases: readonly LayerCase[] = [
  { title: 'dropout', make: () => dropout({ rate: 0.2 }), inputShape: [20], outputShape: [20], parameters: 0 },
  {
    title: 'dropout of nothing',
    make: () => dropout({ rate: 0 }),
    inputShape: [3, 2],
    outputShape: [3, 2],
    parameters: 0,
  },
];
