/**
 * sum and its adjoint, broadcastTo: the gradient of each is the other, so they are in one file. With them what
 * gradients of reductions and of broadcasting have in common.
 *
 * As a map broadcastTo costs nothing by itself: the compiler broadcasts the inputs of every elementwise kernel anyway.
 */

import { defineOp, type Op } from '../../core/op.ts';
import type { Aval, Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { broadcastShapes, checkShape, formatShape, reduceShape, type Shape, sameShape } from '../../util/shape.ts';
import { reshape } from '../layout/shape.ts';
import { broadcastOffsets } from '../layout/strided.ts';
import { BLOCKED_SUMMATION, defineReduce, reduceWith } from './define-reduce.ts';
import { equalValues, long, odd, tall } from './reduce-samples.ts';

/** Sum over `axes` (all when left out); integers wrap. */
export const sum = defineReduce({
  name: 'sum',
  doc: 'Sum over axes, or axis (all when left out); integers wrap. The sum of nothing is 0.',
  accepts: ['f32', 'i32', 'u32'],
  empty: 'allowed',
  cpu: reduceWith(0, (sum, x) => sum + x),
  vjp: (dy, [x], _output, { axes }) => [spread(dy, x, axes)],
  lower: {
    chain: {
      state: ({ output }) => output.dtype,
      init: ({ output }) => `${output.dtype}(0)`,
      step: (acc, x) => `${acc} + ${x}`,
      merge: (a, b) => `${a} + ${b}`,
    },
    // Sums of runs meet in `low`, every so often `low` in `middle` and `middle` in `high`.
    runs: {
      library: 'sum',
      state: 'Sum',
      init: 'Sum(0.0, 0.0, 0.0)',
      run: { state: 'f32', init: '0.0' },
      step: (run, x) => `${run} + ${x}`,
      close: (acc, run, { turn }) => `sum_add(${acc}, ${run}, ${turn})`,
      words: (acc) => [`sum_of(${acc})`],
      restore: ([word]) => `Sum(0.0, 0.0, ${word})`,
      merge: (acc, chunk, { turn }) => `sum_add(${acc}, sum_of(${chunk}), ${turn})`,
      finish: (acc) => `sum_of(${acc})`,
    },
    algebra: 'sum',
  },
  samples: [long, equalValues, tall, odd],
  tolerance: BLOCKED_SUMMATION,
});

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
    doc:
      'x stretched to a larger shape by the rule of NumPy: axes of size 1 and missing leading axes repeat. ' +
      'Any dtype.',
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
 * The gradient of an operand of `shape` from the gradient at the shape it was broadcast to: the sum over the axes that
 * were stretched. The same tensor where nothing was.
 */
export function unbroadcast(dy: Tensor, shape: Shape): Tensor {
  if (sameShape(dy.shape, shape)) return dy;
  const lead = dy.rank - shape.length;
  const stretched = dy.shape.flatMap((size, axis) =>
    axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : [],
  );
  // Axes that have size 1 on both sides need no sum: a reshape is enough.
  const reduced = stretched.filter((axis) => dy.shape[axis] !== 1);
  return reshape(reduced.length === 0 ? dy : sum(dy, { axes: reduced }), shape);
}

/**
 * A value of the shape of a reduction's output, left with size 1 along `axes`: for ops that broadcast by themselves.
 */
export function alignReduced(reduced: Tensor, x: Aval, axes: readonly number[]): Tensor {
  return reshape(reduced, reduceShape(x.shape, axes, true));
}

/** As `alignReduced`, stretched to the shape of the reduction's input: each element sees the value of its reduction. */
export function spread(reduced: Tensor, x: Aval, axes: readonly number[]): Tensor {
  return broadcastTo(alignReduced(reduced, x, axes), x.shape);
}
