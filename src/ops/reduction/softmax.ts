/**
 * Softmax and its logarithm, along one axis. Composites of reductions and elementwise ops: over the last axis the
 * compiler makes one kernel of each as long as rows are short. Softmax over long rows has a hand-written kernel,
 * `shaders/softmax-rows.wgsl`. The maximum is subtracted first, so no exponential overflows.
 * Source: Goodfellow, Bengio, Courville, "Deep Learning" (2016), section 4.1; Keras `ops.softmax`.
 */

import type { HandKernel } from '../../core/lowering.ts';
import { type CpuTensor, defineOp, type Op, type Sample } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { normalizeAxes, sizeOf } from '../../util/shape.ts';
import { requireFloat } from '../checks.ts';
import { div, mul, sub } from '../elementwise/binary.ts';
import { exp, log } from '../elementwise/unary.ts';
import { max, sum } from './reduce.ts';

interface AxisAttrs {
  /** Not negative. */
  readonly axis: number;
}

export interface SoftmaxOptions {
  /** -1, the last, when left out. */
  readonly axis?: number;
}

type Softmax = (x: Tensor, options?: SoftmaxOptions) => Tensor;

const samples: readonly Sample<AxisAttrs>[] = [
  { inputs: [{ shape: [4, 10] }], attrs: { axis: 1 } },
  { inputs: [{ shape: [1, 1] }], attrs: { axis: 1 } },
  { inputs: [{ shape: [7] }], attrs: { axis: 0 } },
  { title: 'inner axis', inputs: [{ shape: [3, 5, 2] }], attrs: { axis: 1 } },
  { title: 'large', inputs: [{ shape: [2, 3], values: [1000, 1001, 999, -1000, -999, -1002] }], attrs: { axis: 1 } },
];
const rejects = (name: string) => [
  {
    title: 'whole numbers',
    inputs: [{ shape: [2, 3], dtype: 'i32' as const, values: { below: 3 } }],
    attrs: { axis: 1 },
    message: new RegExp(`^${name}: .*i32`),
  },
  {
    title: 'an axis out of range',
    inputs: [{ shape: [2, 3] }],
    attrs: { axis: 2 },
    message: new RegExp(`^${name}: axis 2 is out of range for shape \\[2,3\\]`),
  },
];
const bench = { flops: ([x]: readonly { shape: readonly number[] }[]) => 5 * sizeOf(x.shape), sample: benchSample() };

function benchSample(): Sample<AxisAttrs> {
  return { inputs: [{ shape: [1024, 1024] }], attrs: { axis: 1 } };
}

function infer(name: string) {
  return (
    [x]: readonly Tensor[] | readonly { shape: readonly number[]; dtype: Tensor['dtype'] }[],
    { axis }: AxisAttrs,
  ) => {
    requireFloat(name, ['x'], [x]);
    normalizeAxes(name, axis, x.shape);
    return { shape: x.shape, dtype: x.dtype };
  };
}

/** Shorter rows are one kernel already, with their neighbours; longer ones are cut into chunks for a whole device. */
const [LONG, TOO_LONG] = [1024, 65536];

/** @param workgroupSize invocations a row; on software adapters, where barriers are expensive, one vector register. */
function longRows(adapter: 'software' | 'hardware', workgroupSize: number): HandKernel<AxisAttrs> {
  return {
    doc: 'One workgroup a row: one dispatch in place of six.',
    shader: 'softmax-rows',
    uses: ['float'],
    target: { adapter },
    workgroupSize,
    launch([{ shape }], _output, { axis }) {
      const size = shape[axis];
      if (axis !== shape.length - 1 || size <= LONG || size > TOO_LONG) return null;
      const rows = sizeOf(shape) / size;
      return { workgroups: rows, counts: [rows, size] };
    },
  };
}

/** Calls `row(indices)` for every line of `x` along `axis`: the flat indices of its elements. */
function forEachLine(x: CpuTensor, axis: number, row: (indices: readonly number[]) => void): void {
  const length = x.shape[axis];
  const inner = sizeOf(x.shape.slice(axis + 1));
  const outer = sizeOf(x.shape.slice(0, axis));
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      row(Array.from({ length }, (_, k) => (o * length + k) * inner + i));
    }
  }
}

/**
 * exp(x) / Σ exp(x) along `axis`: positive, summing to 1. f32, any shape of rank ≥ 1.
 * @throws DownhillError `dtype`, or `argument` for an axis out of range.
 */
export const softmax: Softmax & Op<AxisAttrs> = defineOp<AxisAttrs, Softmax>(
  {
    name: 'softmax',
    doc: 'exp(x) / Σ exp(x) along an axis (the last when left out): positive, summing to 1. Source: Keras ops.softmax.',
    infer: infer('softmax'),
    cpu([x], output, { axis }) {
      forEachLine(x, axis, (line) => {
        const top = line.reduce((best, i) => Math.max(best, x.data[i]), Number.NEGATIVE_INFINITY);
        const total = line.reduce((sum, i) => sum + Math.exp(x.data[i] - top), 0);
        for (const i of line) output.data[i] = Math.exp(x.data[i] - top) / total;
      });
    },
    // dx = y · (dy − Σ dy · y)
    vjp: (dy, _inputs, y, { axis }) => [mul(y, sub(dy, sum(mul(dy, y), { axes: axis, keepDims: true })))],
    lower: {
      kind: 'composite',
      kernels: [longRows('software', 8), longRows('hardware', 256)],
    },
    expand([x], { axis }) {
      const powers = exp(sub(x, max(x, { axes: axis, keepDims: true })));
      return div(powers, sum(powers, { axes: axis, keepDims: true }));
    },
    samples: [...samples, { title: 'long rows', inputs: [{ shape: [2, 1100] }], attrs: { axis: 1 } }],
    rejects: rejects('softmax'),
    tolerance: { relative: 2e-6, source: 'exp of the shifted value: 3 + 2·|x| ULP, on values of at most 1' },
    bench,
  },
  (apply) => (x, options) => apply([x], { axis: fromEnd(checkOptions('softmax', options, ['axis']).axis ?? -1, x) }),
);

/**
 * log softmax(x) along `axis`, without forming the quotient. f32, any shape of rank ≥ 1.
 * @throws DownhillError `dtype`, or `argument` for an axis out of range.
 */
export const logSoftmax: Softmax & Op<AxisAttrs> = defineOp<AxisAttrs, Softmax>(
  {
    name: 'logSoftmax',
    doc: 'x − log Σ exp(x) along an axis (the last when left out). Source: Keras ops.log_softmax.',
    infer: infer('logSoftmax'),
    cpu([x], output, { axis }) {
      forEachLine(x, axis, (line) => {
        const top = line.reduce((best, i) => Math.max(best, x.data[i]), Number.NEGATIVE_INFINITY);
        const total = line.reduce((sum, i) => sum + Math.exp(x.data[i] - top), 0);
        for (const i of line) output.data[i] = x.data[i] - top - Math.log(total);
      });
    },
    // dx = dy − softmax(x) · Σ dy
    vjp: (dy, [x], _y, { axis }) => [sub(dy, mul(softmax(x, { axis }), sum(dy, { axes: axis, keepDims: true })))],
    lower: { kind: 'composite' },
    expand([x], { axis }) {
      const shifted = sub(x, max(x, { axes: axis, keepDims: true }));
      return sub(shifted, log(sum(exp(shifted), { axes: axis, keepDims: true })));
    },
    samples,
    rejects: rejects('logSoftmax'),
    tolerance: { relative: 1e-5, source: 'log: 3 ULP outside of [0.5, 2], 2⁻²¹ absolute inside' },
    bench,
  },
  (apply) => (x, options) => apply([x], { axis: fromEnd(checkOptions('logSoftmax', options, ['axis']).axis ?? -1, x) }),
);

/** An axis counted from the front; one out of range is left for `infer` to refuse. */
function fromEnd(axis: number, x: Tensor): number {
  return axis < 0 && axis >= -x.rank ? axis + x.rank : axis;
}

export const softmaxOps: readonly Op[] = [softmax, logSoftmax];
