/**
 * Axes in another order: transpose, and flip, which runs them backwards. Index arithmetic alone, so the compiler may
 * write either into the kernel that reads it.
 */

import { defineOp, type Op, type OpRecord, type Sample } from '../../core/op.ts';
import { describe, Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, normalizeAxes, type Shape, stridesOf } from '../../util/shape.ts';
import { readStrided, type StridedRead, stridedIndex } from './strided.ts';

interface TransposeAttrs {
  /** Axis k of the output is axis perm[k] of the input. */
  readonly perm: readonly number[];
}

type Transpose = (x: Tensor, perm?: readonly number[]) => Tensor;

/**
 * `x` with its axes in the order `perm`: axis k of the result is axis perm[k] of x. Left out: all axes reversed.
 * @throws DownhillError `argument` unless perm names every axis once.
 */
export const transpose: Transpose & Op<TransposeAttrs> = defineOp<TransposeAttrs, Transpose>(
  {
    ...movement<TransposeAttrs>(({ shape }, { perm }) => {
      const strides = stridesOf(shape);
      return { sizes: perm.map((axis) => shape[axis]), strides: perm.map((axis) => strides[axis]), base: 0 };
    }),
    name: 'transpose',
    doc: 'x with its axes in the order perm (reversed when left out): axis k of the result is axis perm[k] of x. Any dtype.',
    infer([x], { perm }) {
      const sorted = [...perm].sort((a, b) => a - b);
      if (perm.length !== x.shape.length || sorted.some((axis, k) => axis !== k)) {
        throw new DownhillError(
          'argument',
          `transpose: perm ${formatShape(perm)} must name each of the ${x.shape.length} axes of ${describe(x)} once`,
        );
      }
      return { shape: perm.map((axis) => x.shape[axis]), dtype: x.dtype };
    },
    vjp: (dy, _inputs, _output, { perm }) => [
      transpose(
        dy,
        perm.map((_, axis) => perm.indexOf(axis)),
      ),
    ],
    samples: [
      moved([3, 5], { perm: [1, 0] }),
      moved([2, 3, 5], { perm: [2, 0, 1] }),
      moved([2, 3, 5], { perm: [0, 2, 1] }),
      moved([3, 1, 4, 2], { perm: [0, 2, 1, 3] }),
      moved([33, 7], { perm: [0, 1] }),
      moved([1, 1], { perm: [1, 0] }),
      moved([], { perm: [] }),
      { title: 'i32', inputs: [{ shape: [3, 2], dtype: 'i32' }], attrs: { perm: [1, 0] } },
    ],
    rejects: [
      {
        title: 'an axis twice',
        ...moved([2, 3], { perm: [0, 0] }),
        message: /^transpose: perm \[0,0\] must name each of the 2 axes of f32\[2,3\] once/,
      },
      { title: 'an axis missing', ...moved([2, 3], { perm: [0] }), message: /^transpose: perm \[0\] must name each/ },
    ],
    bench: { flops: () => 0, sample: moved([1024, 1024], { perm: [1, 0] }) },
  },
  (apply) => (x, perm) => {
    if (!(x instanceof Tensor)) return apply([x], { perm: perm ?? [] });
    const order = perm ?? x.shape.map((_, axis) => x.rank - 1 - axis);
    return apply([x], { perm: order.map((axis) => (axis < 0 ? axis + x.rank : axis)) });
  },
);

interface FlipAttrs {
  readonly axes: readonly number[];
}

type Flip = (x: Tensor, options?: { readonly axes?: number | readonly number[] }) => Tensor;

/** `x` backwards along `axes` (all when left out). @throws DownhillError `argument` for an axis that is not there. */
export const flip: Flip & Op<FlipAttrs> = defineOp<FlipAttrs, Flip>(
  {
    ...movement<FlipAttrs>(({ shape }, { axes }) => {
      const strides = stridesOf(shape);
      return {
        sizes: shape,
        strides: strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
        base: axes.reduce((base, axis) => base + (shape[axis] - 1) * strides[axis], 0),
      };
    }),
    name: 'flip',
    doc: 'x backwards along axes (all when left out). Any dtype.',
    infer([x], { axes }) {
      normalizeAxes('flip', axes, x.shape);
      return { shape: x.shape, dtype: x.dtype };
    },
    vjp: (dy, _inputs, _output, { axes }) => [flip(dy, { axes })],
    samples: [
      moved([7], { axes: [0] }),
      moved([3, 5], { axes: [1] }),
      moved([3, 5], { axes: [0, 1] }),
      moved([2, 3, 33], { axes: [1] }),
      moved([2, 1, 3], { axes: [] }),
      { title: 'bool', inputs: [{ shape: [4], dtype: 'bool' }], attrs: { axes: [0] } },
    ],
    rejects: [
      {
        title: 'an axis that is not there',
        ...moved([2, 3], { axes: [2] }),
        message: /^flip: axis 2 is out of range for shape \[2,3\]/,
      },
    ],
    bench: { flops: () => 0, sample: moved([1024, 1024], { axes: [1] }) },
  },
  (apply) => (x, options) => {
    const { axes } = checkOptions('flip', options, ['axes']);
    return apply([x], { axes: x instanceof Tensor ? normalizeAxes('flip', axes, x.shape) : [] });
  },
);

/** The records of this file. */
export const transposeOps: readonly Op[] = [transpose, flip];

/** Reference and lowering of an op that only moves elements. */
function movement<A>(
  readOf: (x: { shape: Shape }, attrs: A) => StridedRead,
): Pick<OpRecord<A>, 'cpu' | 'lower' | 'tolerance'> {
  return {
    cpu: ([x], output, attrs) => readStrided(x, output, readOf(x, attrs)),
    lower: {
      kind: 'index',
      cost: 'inline',
      wgsl: ({ i, inputs: [x], attrs, load }) => `return ${load(0, stridedIndex(i, readOf(x, attrs)))};`,
    },
    tolerance: { relative: 0, source: 'no arithmetic' },
  };
}

function moved<A>(shape: Shape, attrs: A): Sample<A> {
  return { inputs: [{ shape }], attrs };
}
