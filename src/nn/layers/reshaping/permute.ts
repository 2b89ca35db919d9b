/**
 * Permute: the axes of each example in another order. Keras counts them from 1: 0 is the batch, which stays.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { transpose } from '../../../ops/layout/transpose.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import { formatShape } from '../../../util/shape.ts';
import { checkKnownOptions, show } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface PermuteOptions extends LayerOptions {
  /** Axis k of the output is axis dims[k] of the input, counted from 1: [2, 1] swaps two. */
  readonly dims: readonly number[];
}

/** x [B, …] → [B, …] with the axes in the order `dims`; no weights. */
export class Permute extends Layer {
  override readonly className = 'Permute';
  private readonly dims: readonly number[];

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: PermuteOptions) {
    checkKnownOptions('permute', options, [...LAYER_OPTIONS, 'dims']);
    super(options);
    this.dims = checkDims(options.dims);
  }

  override get config(): LayerConfig {
    return { dims: [...this.dims] };
  }

  override call(x: Tensor): Tensor {
    if (x.rank === this.dims.length + 1) return transpose(x, [0, ...this.dims]);
    const found = `examples ${formatShape(x.shape.slice(1))} have ${x.rank - 1} axes`;
    throw new DownhillError(
      'shape',
      `${this.label}: ${found}; dims ${formatShape(this.dims)} order ${this.dims.length}`,
    );
  }
}

function checkDims(value: unknown): readonly number[] {
  const dims = Array.isArray(value) ? [...value] : [];
  if (dims.length > 0 && [...dims].sort((a, b) => a - b).every((axis, k) => axis === k + 1)) return dims;
  const rule = 'each axis of an example once, counted from 1, such as [2, 1]';
  throw new DownhillError('argument', `permute: dims must list ${rule}, found ${show(value)}`);
}

/** Axes in another order: `permute({ dims: [2, 1] })`. */
export const permute = (options: PermuteOptions, ...surplus: Surplus): Permute =>
  sole('permute', surplus, new Permute(options));

/** For the conformance tests. */
export const permuteCases: readonly LayerCase[] = [
  {
    title: 'permute',
    make: () => permute({ dims: [2, 1] }),
    inputShape: [2, 5],
    outputShape: [5, 2],
    parameters: 0,
  },
  {
    title: 'permute of three',
    make: () => permute({ dims: [3, 1, 2] }),
    inputShape: [2, 3, 4],
    outputShape: [4, 2, 3],
    parameters: 0,
  },
];
