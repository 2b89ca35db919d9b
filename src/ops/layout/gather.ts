/**
 * Reading rows by number: gather, its gradient, and oneHot.
 *
 * An index out of range reads the nearest row (it is clamped): a kernel cannot throw, so labels and indices are checked
 * where they enter, on the host. The gradient is a sum over all indices for each row: no atomics, one fixed order.
 */

import { defineOp, type Op } from '../../core/op.ts';
import { type Aval, describe, Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { checkShape, normalizeAxes, type Shape, sameShape, sizeOf } from '../../util/shape.ts';
import { iota } from '../create.ts';
import { cast } from '../elementwise/cast.ts';
import { equal } from '../elementwise/compare.ts';
import { inDouble } from '../in-double.ts';
import { termSum } from '../reduction/term-sum.ts';
import { expandDims } from './shape.ts';

interface GatherAttrs {
  readonly axis: number;
}

type Gather = (x: Tensor, indices: Tensor, options?: { readonly axis?: number }) => Tensor;

/**
 * The slices of `x` at `indices` (i32 or u32) along `axis` (0): shape `x.shape` with that axis replaced by the shape of
 * the indices. Indices out of range are clamped.
 * @throws DownhillError `dtype` for other indices, `shape` when the axis is empty.
 */
export const gather: Gather & Op<GatherAttrs> = defineOp<GatherAttrs, Gather>(
  {
    name: 'gather',
    doc:
      'The slices of x at indices (i32 or u32) along an axis (0); the shape of the indices takes the place of the axis. ' +
      'Indices out of range are clamped. x of any dtype.',
    infer([x, indices], { axis }) {
      return { shape: gatheredShape('gather', x.shape, indices, axis), dtype: x.dtype };
    },
    cpu([x, indices], output, { axis }) {
      const { outer, rows, inner, count } = sizes(x.shape, indices, axis);
      for (let o = 0; o < outer; o++) {
        for (let j = 0; j < count; j++) {
          const from = (o * rows + clamp(indices.data[j], rows)) * inner;
          output.data.set(x.data.subarray(from, from + inner), (o * count + j) * inner);
        }
      }
    },
    vjp: (dy, [x, indices], _output, { axis }) => [gatherGrad(dy, indices, { shape: x.shape, axis }), null],
    lower: {
      kind: 'index',
      cost: 'inline',
      wgsl({ i, inputs: [x, indices], attrs: { axis }, load, count: number }) {
        const { outer, rows, inner, count } = sizes(x.shape, indices, axis);
        const last = number(rows - 1);
        const position = inner === 1 ? i : `${i} / ${inner}u`;
        const lines = [
          `let j = ${outer === 1 ? position : `${position} % ${number(count)}`};`,
          `let found = ${load(1, 'j')};`,
          `let row = ${clampWgsl('found', last, indices)};`,
        ];
        const block = outer === 1 ? 'row' : `(${i} / (${number(count)} * ${inner}u) * (${last} + 1u) + row)`;
        const element = inner === 1 ? block : `${block} * ${inner}u + ${i} % ${inner}u`;
        return `${lines.join('\n')}\nreturn ${load(0, element)};`;
      },
    },
    samples: [
      { inputs: [{ shape: [5] }, { shape: [], dtype: 'i32', values: [3] }], attrs: { axis: 0 } },
      { inputs: [{ shape: [5, 3] }, { shape: [7], dtype: 'u32', values: { below: 5 } }], attrs: { axis: 0 } },
      { inputs: [{ shape: [2, 4, 3] }, { shape: [2, 3], dtype: 'i32', values: { below: 4 } }], attrs: { axis: 1 } },
      { inputs: [{ shape: [3, 33] }, { shape: [5], dtype: 'u32', values: { below: 33 } }], attrs: { axis: 1 } },
      {
        title: 'out of range',
        inputs: [{ shape: [3, 2] }, { shape: [4], dtype: 'i32', values: [-1, 3, 100, 1] }],
        attrs: { axis: 0 },
      },
      {
        title: 'u32 rows',
        inputs: [
          { shape: [4, 2], dtype: 'u32' },
          { shape: [3], dtype: 'u32', values: [2, 0, 2 ** 32 - 1] },
        ],
        attrs: { axis: 0 },
      },
    ],
    rejects: [
      {
        title: 'f32 indices',
        inputs: [{ shape: [5] }, { shape: [2] }],
        attrs: { axis: 0 },
        message: /^gather: indices must be i32 or u32, got f32\[2\]/,
      },
      {
        title: 'an axis that is not there',
        inputs: [{ shape: [5] }, { shape: [2], dtype: 'i32' }],
        attrs: { axis: 1 },
        message: /^gather: axis 1 is out of range for shape \[5\]/,
      },
      {
        title: 'nothing to read',
        inputs: [{ shape: [0, 3] }, { shape: [2], dtype: 'i32' }],
        attrs: { axis: 0 },
        message: /^gather: axis 0 of shape \[0,3\] is empty/,
      },
    ],
    tolerance: { relative: 0, source: 'no arithmetic' },
    bench: {
      flops: () => 0,
      sample: {
        inputs: [{ shape: [4096, 256] }, { shape: [1024], dtype: 'u32', values: { below: 4096 } }],
        attrs: { axis: 0 },
      },
    },
  },
  (apply) => (x, indices, options) => {
    const { axis = 0 } = checkOptions('gather', options, ['axis']);
    return apply([x, indices], { axis: x instanceof Tensor ? normalizeAxes('gather', axis, x.shape)[0] : axis });
  },
);

interface GatherGradAttrs extends GatherAttrs {
  /** Shape of the tensor that was gathered from. */
  readonly shape: Shape;
}

type GatherGrad = (dy: Tensor, indices: Tensor, options: GatherGradAttrs) => Tensor;

/**
 * Gradient of gather: each row of the result, of `shape`, is the sum of the rows of `dy` whose index names it.
 * @throws DownhillError `shape` unless dy has the shape that gather gives.
 */
export const gatherGrad: GatherGrad & Op<GatherGradAttrs> = defineOp<GatherGradAttrs, GatherGrad>(
  {
    name: 'gatherGrad',
    doc:
      'Gradient of gather, a scatter-add without atomics: each row of the result is the sum, in order, of the rows of dy ' +
      'whose index names it. Costs rows · indices. f32.',
    infer([dy, indices], { shape, axis }) {
      checkShape('gatherGrad', shape);
      const expected = gatheredShape('gatherGrad', shape, indices, axis);
      if (dy.dtype !== 'f32' || !sameShape(dy.shape, expected)) {
        throw new DownhillError('shape', `gatherGrad: dy must be f32[${expected}], got ${describe(dy)}`);
      }
      return { shape, dtype: 'f32' };
    },
    cpu: inDouble(([dy, indices], output, { shape, axis }) => {
      const { outer, rows, inner, count } = sizes(shape, indices, axis);
      for (let o = 0; o < outer; o++) {
        for (let j = 0; j < count; j++) {
          const to = (o * rows + clamp(indices.data[j], rows)) * inner;
          const from = (o * count + j) * inner;
          for (let c = 0; c < inner; c++) output.data[to + c] += dy.data[from + c];
        }
      }
    }),
    vjp: (g, [, indices], _output, { axis }) => [gather(g, indices, { axis }), null],
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, inputs: [, indices], attrs: { shape, axis }, load, count: number, use }) {
        const { outer, rows, inner, count } = sizes(shape, indices, axis);
        const last = number(rows - 1);
        const block = inner === 1 ? i : `${i} / ${inner}u`;
        const indexCount = number(count);
        const terms = termSum(count, use);
        return `
          let own = ${outer === 1 ? block : `${block} % (${last} + 1u)`};
          let start = ${outer === 1 ? '0u' : `${block} / (${last} + 1u) * ${indexCount}`};
          ${terms.begin}
          for (var j = 0u; j < ${indexCount}; j++) {
            let found = ${load(1, 'j')};
            if (${clampWgsl('found', last, indices)} == own) {
              ${terms.add(load(0, inner === 1 ? 'start + j' : `(start + j) * ${inner}u + ${i} % ${inner}u`))}
            }
          }
          return ${terms.value};`;
      },
    },
    samples: [
      { inputs: [{ shape: [] }, { shape: [], dtype: 'i32', values: [3] }], attrs: { shape: [5], axis: 0 } },
      {
        inputs: [{ shape: [7, 3] }, { shape: [7], dtype: 'u32', values: { below: 5 } }],
        attrs: { shape: [5, 3], axis: 0 },
      },
      {
        inputs: [{ shape: [2, 2, 3, 3] }, { shape: [2, 3], dtype: 'i32', values: { below: 4 } }],
        attrs: { shape: [2, 4, 3], axis: 1 },
      },
      {
        title: 'out of range',
        inputs: [{ shape: [4, 2] }, { shape: [4], dtype: 'i32', values: [-1, 3, 100, 1] }],
        attrs: { shape: [3, 2], axis: 0 },
      },
    ],
    rejects: [
      {
        title: 'dy of another gather',
        inputs: [{ shape: [6, 3] }, { shape: [7], dtype: 'u32', values: { below: 5 } }],
        attrs: { shape: [5, 3], axis: 0 },
        message: /^gatherGrad: dy must be f32\[7,3\], got f32\[6,3\]/,
      },
    ],
    tolerance: { relative: 1e-5, source: 'a sum of terms of order 1, no more than 128 in a row' },
    bench: {
      flops: ([dy], output, { axis }) => sizeOf(dy.shape) * output.shape[axis],
      sample: {
        inputs: [{ shape: [256, 64] }, { shape: [256], dtype: 'u32', values: { below: 1024 } }],
        attrs: { shape: [1024, 64], axis: 0 },
      },
    },
  },
  (apply) => (dy, indices, options) => apply([dy, indices], { ...options, shape: [...options.shape] }),
);

interface OneHotAttrs {
  readonly depth: number;
}

type OneHot = (indices: Tensor, depth: number) => Tensor;

/**
 * f32 [..., depth] with a 1 at each index (i32 or u32 [...]) and 0 elsewhere; a row of zeros for an index out of range.
 * @throws DownhillError `dtype` for other indices, `argument` unless depth is a whole number ≥ 1.
 */
export const oneHot: OneHot & Op<OneHotAttrs> = defineOp<OneHotAttrs, OneHot>(
  {
    name: 'oneHot',
    doc: 'f32 [..., depth] with a 1 at each index (i32 or u32 [...]); a row of zeros for an index out of range.',
    infer([indices], { depth }) {
      checkIndices('oneHot', indices);
      if (!Number.isInteger(depth) || depth < 1) {
        throw new DownhillError('argument', `oneHot: depth must be a whole number ≥ 1, got ${depth}`);
      }
      return { shape: [...indices.shape, depth], dtype: 'f32' };
    },
    cpu([indices], output, { depth }) {
      for (let row = 0; row < indices.data.length; row++) {
        const index = indices.data[row];
        if (index >= 0 && index < depth) output.data[row * depth + index] = 1;
      }
    },
    vjp: null,
    lower: { kind: 'composite' },
    expand: ([indices], { depth }) =>
      cast(equal(expandDims(indices, -1), iota(depth, indices.dtype as 'i32' | 'u32')), 'f32'),
    samples: [
      { inputs: [{ shape: [], dtype: 'i32', values: [2] }], attrs: { depth: 3 } },
      { inputs: [{ shape: [7], dtype: 'u32', values: { below: 5 } }], attrs: { depth: 5 } },
      { inputs: [{ shape: [2, 3], dtype: 'i32', values: [0, -1, 9, 10, 3, 1] }], attrs: { depth: 10 } },
      { inputs: [{ shape: [3], dtype: 'i32', values: [0, 1, 0] }], attrs: { depth: 1 } },
    ],
    rejects: [
      {
        title: 'f32 indices',
        inputs: [{ shape: [5] }],
        attrs: { depth: 3 },
        message: /^oneHot: indices must be i32 or u32, got f32\[5\]/,
      },
      {
        title: 'no depth',
        inputs: [{ shape: [5], dtype: 'i32' }],
        attrs: { depth: 0 },
        message: /^oneHot: depth must be a whole number ≥ 1, got 0/,
      },
    ],
    tolerance: { relative: 0, source: '0 or 1' },
    bench: {
      flops: () => 0,
      sample: { inputs: [{ shape: [65536], dtype: 'i32', values: { below: 10 } }], attrs: { depth: 10 } },
    },
  },
  (apply) => (indices, depth) => apply([indices], { depth }),
);

/** The records of this file. */
export const gatherOps: readonly Op[] = [gather, gatherGrad, oneHot];

/** @throws DownhillError `dtype` unless `indices` are whole numbers. */
export function checkIndices(op: string, indices: Aval): void {
  if (indices.dtype !== 'i32' && indices.dtype !== 'u32') {
    throw new DownhillError(
      'dtype',
      `${op}: indices must be i32 or u32, got ${describe(indices)}; convert with cast(x, 'i32')`,
    );
  }
}

function gatheredShape(op: string, shape: Shape, indices: Aval, axis: number): Shape {
  checkIndices(op, indices);
  normalizeAxes(op, axis, shape);
  if (shape[axis] === 0) throw new DownhillError('shape', `${op}: axis ${axis} of shape [${shape}] is empty`);
  return [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)];
}

/** x is [outer, rows, inner], the result [outer, count, inner]. */
function sizes(shape: Shape, indices: Aval, axis: number) {
  return {
    outer: sizeOf(shape.slice(0, axis)),
    rows: shape[axis],
    inner: sizeOf(shape.slice(axis + 1)),
    count: sizeOf(indices.shape),
  };
}

function clamp(index: number, rows: number): number {
  return Math.min(Math.max(index, 0), rows - 1);
}

function clampWgsl(index: string, last: string, { dtype }: Aval): string {
  return dtype === 'u32' ? `min(${index}, ${last})` : `min(u32(max(${index}, 0i)), ${last})`;
}
