/**
 * The same elements under another shape: reshape and what is made of it. All are views: no work, no memory.
 */

import { defineOp, type Op } from '../../core/op.ts';
import { type Aval, describe, type Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { checkShape, formatShape, normalizeAxes, type Shape, sizeOf } from '../../util/shape.ts';

interface ReshapeAttrs {
  readonly shape: Shape;
}

type Reshape = (x: Tensor, shape: Shape) => Tensor;

/**
 * The elements of `x` in the same row-major order, under `shape`; one size may be -1 and follows from the others.
 * @throws DownhillError `shape` when the counts of elements differ.
 */
export const reshape: Reshape & Op<ReshapeAttrs> = defineOp<ReshapeAttrs, Reshape>(
  {
    name: 'reshape',
    doc: 'The elements of x in the same row-major order under another shape; one size may be -1. A view. Any dtype.',
    infer: ([x], { shape }) => ({ shape: resolveShape(x, shape), dtype: x.dtype }),
    cpu: ([x], output) => output.data.set(x.data),
    vjp: (dy, [x]) => [reshape(dy, x.shape)],
    lower: { kind: 'view', offset: () => 0 },
    samples: [
      { inputs: [{ shape: [2, 3] }], attrs: { shape: [3, 2] } },
      { inputs: [{ shape: [4, 6] }], attrs: { shape: [2, -1, 3] } },
      { inputs: [{ shape: [] }], attrs: { shape: [1, 1] } },
      { inputs: [{ shape: [1] }], attrs: { shape: [] } },
      { title: 'bool', inputs: [{ shape: [5, 7], dtype: 'bool', values: { below: 2 } }], attrs: { shape: [-1] } },
    ],
    rejects: [
      {
        title: 'another count of elements',
        inputs: [{ shape: [2, 3] }],
        attrs: { shape: [4] },
        message: /^reshape: f32\[2,3\] has 6 elements, shape \[4\] takes 4/,
      },
      {
        title: 'no whole size for -1',
        inputs: [{ shape: [2, 3] }],
        attrs: { shape: [4, -1] },
        message: /^reshape: f32\[2,3\] has 6 elements, which do not divide by the 4 of \[4,-1\]/,
      },
      {
        title: 'two unknown sizes',
        inputs: [{ shape: [2, 3] }],
        attrs: { shape: [-1, -1] },
        message: /^reshape: \[-1,-1\] leaves two sizes open; only one may be -1/,
      },
    ],
    tolerance: { relative: 0, source: 'no arithmetic' },
    bench: { flops: () => 0, sample: { inputs: [{ shape: [1024, 1024] }], attrs: { shape: [-1] } } },
  },
  (apply) => (x, shape) => apply([x], { shape: [...shape] }),
);

/** All axes from `startAxis` (0) on as one. */
export function flatten(x: Tensor, startAxis = 0): Tensor {
  if (startAxis === 0) return reshape(x, [x.size]);
  const [axis] = normalizeAxes('flatten', startAxis, x.shape);
  return reshape(x, [...x.shape.slice(0, axis), sizeOf(x.shape.slice(axis))]);
}

/** `x` with a new axis of size 1 before `axis`; -1 puts it last. */
export function expandDims(x: Tensor, axis: number): Tensor {
  const [position] = normalizeAxes('expandDims', axis, [...x.shape, 1]);
  return reshape(x, [...x.shape.slice(0, position), 1, ...x.shape.slice(position)]);
}

/**
 * `x` without the `axes`, which must have size 1; left out: without all axes of size 1.
 * @throws DownhillError `shape` when one of them has another size.
 */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  const ones = x.shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
  const removed = axes === undefined ? ones : normalizeAxes('squeeze', axes, x.shape);
  for (const axis of removed) {
    if (x.shape[axis] !== 1) {
      throw new DownhillError('shape', `squeeze: axis ${axis} of ${describe(x)} has size ${x.shape[axis]}, not 1`);
    }
  }
  return reshape(
    x,
    x.shape.filter((_, axis) => !removed.includes(axis)),
  );
}

/** The records of this file. */
export const shapeOps: readonly Op[] = [reshape];

function resolveShape(x: Aval, shape: Shape): Shape {
  const open = shape.indexOf(-1);
  const size = sizeOf(x.shape);
  if (open === -1) {
    checkShape('reshape', shape);
    if (sizeOf(shape) !== size) {
      throw new DownhillError(
        'shape',
        `reshape: ${describe(x)} has ${size} elements, shape ${formatShape(shape)} takes ${sizeOf(shape)}`,
      );
    }
    return shape;
  }
  if (open !== shape.lastIndexOf(-1)) {
    throw new DownhillError('shape', `reshape: ${formatShape(shape)} leaves two sizes open; only one may be -1`);
  }
  const known = sizeOf(shape.filter((_, axis) => axis !== open));
  if (known === 0 || size % known !== 0) {
    throw new DownhillError(
      'shape',
      `reshape: ${describe(x)} has ${size} elements, which do not divide by the ${known} of ${formatShape(shape)}`,
    );
  }
  const resolved = shape.map((d, axis) => (axis === open ? size / known : d));
  checkShape('reshape', resolved);
  return resolved;
}
