/**
 * Dot: the scalar products of two inputs along an axis of each; with `normalize`, the cosines between them.
 * Source: Keras 3, Dot (batch_dot) and ops.normalize.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { maximum, mul } from '../../../ops/elementwise/binary.ts';
import { rsqrt, square } from '../../../ops/elementwise/unary.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { transpose } from '../../../ops/layout/transpose.ts';
import { matmul } from '../../../ops/matmul/matmul.ts';
import { sum } from '../../../ops/reduction/reduce.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import { formatShape, normalizeAxes, sizeOf } from '../../../util/shape.ts';
import { checkKnownOptions, show, trueOrFalse } from '../../check-options.ts';
import { LAYER_OPTIONS, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { MergeLayer } from '../../merge-layer.ts';

export interface DotOptions extends LayerOptions {
  /** The axis of both inputs, or one of each, that is summed over; the batch axis is axis 0. */
  readonly axes: number | readonly [number, number];
  /** True scales to length 1 along the axes first; false when left out. */
  readonly normalize?: boolean;
}

/** Keras' backend.epsilon(): the least length that is scaled to 1. */
const EPSILON = 1e-7;

/** a [B, …, D, …] and b [B, …, D, …] → [B, rest of a, rest of b], [B, 1] without a rest; no weights. */
export class Dot extends MergeLayer {
  override readonly className = 'Dot';
  private readonly axes: number | readonly [number, number];
  private readonly normalize: boolean;

  /** @throws DownhillError `argument` for axes that are not whole numbers other than 0. */
  constructor(options: DotOptions) {
    checkKnownOptions('dot', options, ['axes', 'normalize', ...LAYER_OPTIONS]);
    super(options);
    const { axes, normalize = false } = options;
    const isAxis = (axis: unknown): boolean => Number.isSafeInteger(axis) && axis !== 0;
    if (!isAxis(axes) && !(Array.isArray(axes) && axes.length === 2 && axes.every(isAxis))) {
      const rule = 'a whole number or a pair of them, other than 0, the batch axis';
      throw new DownhillError('argument', `dot: axes must be ${rule}, found ${show(axes)}`);
    }
    this.axes = axes;
    this.normalize = trueOrFalse('dot', 'normalize', normalize);
  }

  override get config(): LayerConfig {
    return { axes: this.axes, normalize: this.normalize };
  }

  /** @throws DownhillError `argument` for more than two inputs, `shape` for axes of unequal sizes. */
  override merge(inputs: readonly Tensor[]): Tensor {
    if (inputs.length !== 2) {
      throw new DownhillError('argument', `${this.label}: takes two inputs, found ${inputs.length}`);
    }
    const wanted = typeof this.axes === 'number' ? [this.axes, this.axes] : this.axes;
    const axes = inputs.map((x, k) => normalizeAxes(this.label, wanted[k], x.shape)[0]);
    const sizes = inputs.map(({ shape }, k) => shape[axes[k]]);
    if (axes.includes(0) || sizes[0] !== sizes[1]) {
      const [a, b] = inputs.map(({ shape }, k) => `input ${k + 1} ${formatShape(shape.slice(1))}`);
      const reason = axes.includes(0)
        ? 'axis 0 is the batch axis'
        : `axes ${wanted[0]} and ${wanted[1]} have ${sizes[0]} and ${sizes[1]}`;
      throw new DownhillError('shape', `${this.label}: ${a} and ${b} do not fit: ${reason}`);
    }
    const [a, b] = inputs.map((x, k) => (this.normalize ? unitLength(x, axes[k]) : x));
    const [left, right] = [rowsAlong(a, axes[0]), rowsAlong(b, axes[1])];
    const product = matmul(left.rows, right.rows, { transposeB: true });
    const rest = [...left.rest, ...right.rest];
    return reshape(product, [a.shape[0], ...(rest.length === 0 ? [1] : rest)]);
  }
}

/** Scalar products: `dot({ axes: 1 })([a, b])`; cosines with `normalize: true`. */
export const dot = (options: DotOptions, ...surplus: Surplus): Dot => sole('dot', surplus, new Dot(options));

/** For the conformance tests. */
export const dotCases: readonly LayerCase[] = [
  {
    title: 'dot',
    make: () => dot({ axes: 1 }),
    inputShapes: [[3], [3]],
    outputShape: [1],
    parameters: 0,
  },
  {
    title: 'dot of matrices, normalized',
    make: () => dot({ axes: [1, 2], normalize: true }),
    inputShapes: [
      [4, 2],
      [3, 4],
    ],
    outputShape: [2, 3],
    parameters: 0,
  },
];

/** x with length 1 along `axis`; what is shorter than EPSILON is divided by that. */
function unitLength(x: Tensor, axis: number): Tensor {
  const squares = sum(square(x), { axes: axis, keepDims: true });
  return mul(x, rsqrt(maximum(squares, EPSILON ** 2)));
}

/** x as [B, product of the rest, size of `axis`], and the sizes of the rest. */
function rowsAlong(x: Tensor, axis: number): { readonly rows: Tensor; readonly rest: readonly number[] } {
  const others = x.shape.map((_, k) => k).filter((k) => k !== 0 && k !== axis);
  const rest = others.map((k) => x.shape[k]);
  const moved = axis === x.rank - 1 ? x : transpose(x, [0, ...others, axis]);
  return { rows: reshape(moved, [x.shape[0], sizeOf(rest), x.shape[axis]]), rest };
}
