/**
 * broadcastTo: a tensor stretched to a larger shape. As a map it costs nothing by itself: the compiler broadcasts the
 * inputs of every elementwise kernel anyway.
 */

import { defineOp, type Op } from '../../core/op.ts';
import { describe, type Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { broadcastShapes, checkShape, formatShape, type Shape, sameShape } from '../../util/shape.ts';
import { reshape, unbroadcast } from './shape.ts';
import { broadcastOffsets } from './strided.ts';

interface BroadcastAttrs {
  readonly shape: Shape;
}

type BroadcastTo = (x: Tensor, shape: Shape) => Tensor;

/**
 * `x` stretched to `shape`: axes of size 1 and missing leading axes repeat.
 * @throws DownhillError `shape` when x does not broadcast to it.
 */
export const broadcastTo: BroadcastTo & Op<BroadcastAttrs> = defineOp<BroadcastAttrs, BroadcastTo>(
  {
    name: 'broadcastTo',
    doc: 'x stretched to a larger shape by the rule of NumPy: axes of size 1 and missing leading axes repeat. Any dtype.',
    infer([x], { shape }) {
      checkShape('broadcastTo', shape);
      if (x.shape.length > shape.length || !sameShape(broadcastShapes('broadcastTo', x.shape, shape), shape)) {
        throw new DownhillError(
          'shape',
          `broadcastTo: ${formatShape(x.shape)} does not stretch to ${formatShape(shape)}; only axes of size 1 stretch`,
        );
      }
      return { shape, dtype: x.dtype };
    },
    cpu([x], output) {
      const offsets = broadcastOffsets(x.shape, output.shape);
      for (let i = 0; i < offsets.length; i++) output.data[i] = x.data[offsets[i]];
    },
    vjp: (dy, [x]) => [unbroadcast(dy, x.shape)],
    lower: { kind: 'map', wgsl: ([x]) => x },
    samples: [
      { inputs: [{ shape: [] }], attrs: { shape: [] } },
      { inputs: [{ shape: [] }], attrs: { shape: [33] } },
      { inputs: [{ shape: [3, 1] }], attrs: { shape: [2, 3, 5] } },
      { inputs: [{ shape: [1, 4, 1] }], attrs: { shape: [3, 4, 1] } },
      { title: 'i32', inputs: [{ shape: [3], dtype: 'i32', values: { below: 9 } }], attrs: { shape: [2, 3] } },
      { title: 'bool', inputs: [{ shape: [1], dtype: 'bool', values: { below: 2 } }], attrs: { shape: [7] } },
    ],
    rejects: [
      {
        title: 'sizes that differ',
        inputs: [{ shape: [3] }],
        attrs: { shape: [2, 4] },
        message: /^broadcastTo: shapes \[3\] and \[2,4\] do not broadcast/,
      },
      {
        title: 'to fewer axes',
        inputs: [{ shape: [1, 3] }],
        attrs: { shape: [3] },
        message: /^broadcastTo: \[1,3\] does not stretch to \[3\]/,
      },
      {
        title: 'to size 1',
        inputs: [{ shape: [3] }],
        attrs: { shape: [1] },
        message: /^broadcastTo: \[3\] does not stretch to \[1\]/,
      },
    ],
    tolerance: { relative: 0, source: 'no arithmetic' },
    bench: { flops: () => 0, sample: { inputs: [{ shape: [1, 1024] }], attrs: { shape: [1024, 1024] } } },
  },
  (apply) => (x, shape) => apply([x], { shape: [...shape] }),
);

/**
 * `x` repeated `repeats[axis]` times along each axis.
 * @throws DownhillError `shape` unless repeats has a whole number ≥ 1 for each axis.
 */
export function tile(x: Tensor, repeats: readonly number[]): Tensor {
  if (repeats.length !== x.rank || repeats.some((count) => !Number.isInteger(count) || count < 1)) {
    throw new DownhillError(
      'shape',
      `tile: ${describe(x)} needs ${x.rank} whole numbers ≥ 1, got ${formatShape(repeats)}`,
    );
  }
  const apart = x.shape.flatMap((size) => [1, size]);
  const repeated = x.shape.flatMap((size, axis) => [repeats[axis], size]);
  return reshape(
    broadcastTo(reshape(x, apart), repeated),
    x.shape.map((size, axis) => size * repeats[axis]),
  );
}
