/**
 * Joining tensors: concat along an axis, pack into one flat tensor, and stack made of concat.
 *
 * pack is not a copy but an in-place concatenation: the compiler lets each part be computed where it belongs. Flat
 * gradient buffers, over which an optimizer runs as one kernel, are made with it.
 */

import { defineOp, type Op, type Sample } from '../../core/op.ts';
import { type Aval, describe, Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { normalizeAxes, reduceShape, type Shape, sameShape, sizeOf } from '../../util/shape.ts';
import type { NoAttrs } from '../define.ts';
import { expandDims, reshape } from './shape.ts';
import { slice } from './slice.ts';

interface ConcatAttrs {
  readonly axis: number;
}

type Concat = (tensors: readonly Tensor[], options?: { readonly axis?: number }) => Tensor;

/** Inputs of one kernel; with output and scalars they stay within the 8 storage buffers of WebGPU's default limits. */
const MAX_INPUTS = 6;

/**
 * The tensors one after another along `axis` (0); the other axes must agree. Any number of them, of one dtype.
 * @throws DownhillError `shape` or `dtype` when they do not fit together, `argument` for none.
 */
export const concat: Concat & Op<ConcatAttrs> = defineOp<ConcatAttrs, Concat>(
  {
    name: 'concat',
    doc: 'Tensors one after another along an axis; the other axes and the dtypes must agree. Any dtype.',
    infer(inputs, { axis }) {
      checkParts('concat', inputs);
      const [first, ...others] = inputs;
      normalizeAxes('concat', axis, first.shape);
      for (const other of others) {
        if (!sameShape(reduceShape(first.shape, [axis], true), reduceShape(other.shape, [axis], true))) {
          throw new DownhillError(
            'shape',
            `concat: ${describe(other)} does not continue ${describe(first)} along axis ${axis}; all other sizes must be equal`,
          );
        }
      }
      const size = inputs.reduce((sum, input) => sum + input.shape[axis], 0);
      return { shape: first.shape.map((d, k) => (k === axis ? size : d)), dtype: first.dtype };
    },
    cpu(inputs, output, { axis }) {
      const outer = sizeOf(output.shape.slice(0, axis));
      const width = output.data.length / outer;
      let start = 0;
      for (const { data } of inputs) {
        const part = data.length / outer;
        for (let o = 0; o < outer; o++) output.data.set(data.subarray(o * part, (o + 1) * part), o * width + start);
        start += part;
      }
    },
    vjp(dy, inputs, _output, { axis }) {
      let start = 0;
      return inputs.map(({ shape }) => {
        const begin = shape.map((_, k) => (k === axis ? start : 0));
        start += shape[axis];
        return slice(dy, begin, shape);
      });
    },
    lower: {
      kind: 'index',
      cost: 'inline',
      wgsl({ i, inputs, output, attrs: { axis }, load, count }) {
        // Widths of axis 0 grow with the batch.
        const number = (value: number): string => (axis === 0 ? count(value) : `${value}u`);
        const widths = inputs.map(({ shape }) => sizeOf(shape.slice(axis)));
        const width = sizeOf(output.shape.slice(axis));
        const lines = [`var at = ${axis === 0 ? i : `${i} % ${number(width)}`};`];
        if (axis !== 0) lines.push(`let row = ${i} / ${number(width)};`);
        widths.forEach((part, k) => {
          const found = `return ${load(k, axis === 0 ? 'at' : `row * ${number(part)} + at`)};`;
          if (k === widths.length - 1) lines.push(found);
          else lines.push(`if (at < ${number(part)}) { ${found} }`, `at -= ${number(part)};`);
        });
        return lines.join('\n');
      },
    },
    samples: [
      parts([[3]], { axis: 0 }),
      parts([[2], [1], [4]], { axis: 0 }),
      parts(
        [
          [2, 3],
          [4, 3],
        ],
        { axis: 0 },
      ),
      parts(
        [
          [2, 3],
          [2, 1],
          [2, 5],
        ],
        { axis: 1 },
      ),
      parts(
        [
          [2, 3, 2],
          [2, 7, 2],
        ],
        { axis: 1 },
      ),
      { title: 'six of u32', ...parts([[1], [2], [3], [1], [2], [3]], { axis: 0 }, 'u32') },
    ],
    rejects: [
      { title: 'none', ...parts([], { axis: 0 }), message: /^concat: needs at least one tensor/ },
      {
        title: 'another axis differs',
        ...parts(
          [
            [2, 3],
            [2, 4],
          ],
          { axis: 0 },
        ),
        message: /^concat: f32\[2,4\] does not continue f32\[2,3\] along axis 0/,
      },
      {
        title: 'an axis that is not there',
        ...parts([[2], [2]], { axis: 1 }),
        message: /^concat: axis 1 is out of range for shape \[2\]/,
      },
      {
        title: 'two dtypes',
        inputs: [{ shape: [2] }, { shape: [2], dtype: 'i32' }],
        attrs: { axis: 0 },
        message: /^concat: parts must have one dtype, got f32\[2\] and i32\[2\]/,
      },
    ],
    tolerance: { relative: 0, source: 'no arithmetic' },
    bench: {
      flops: () => 0,
      sample: parts(
        [
          [1024, 512],
          [1024, 512],
        ],
        { axis: 1 },
      ),
    },
  },
  (apply) =>
    function join(tensors, options): Tensor {
      const { axis = 0 } = checkOptions('concat', options, ['axis']);
      if (tensors.length > MAX_INPUTS) {
        const groups: Tensor[] = [];
        for (let k = 0; k < tensors.length; k += MAX_INPUTS)
          groups.push(join(tensors.slice(k, k + MAX_INPUTS), { axis }));
        return join(groups, { axis });
      }
      const [first] = tensors;
      const known = first instanceof Tensor && axis < 0 ? normalizeAxes('concat', axis, first.shape)[0] : axis;
      return apply(tensors, { axis: known });
    },
);

type Pack = (tensors: readonly Tensor[]) => Tensor;

/**
 * The elements of all tensors, each in row-major order, as one tensor [total]: side by side in memory.
 * @throws DownhillError `argument` for none, `dtype` unless they have one dtype.
 */
export const pack: Pack & Op<NoAttrs> = defineOp<NoAttrs, Pack>(
  {
    name: 'pack',
    doc: 'The elements of all tensors, each in row-major order, side by side as one tensor [total]. Any dtype.',
    infer(inputs) {
      checkParts('pack', inputs);
      return { shape: [inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0)], dtype: inputs[0].dtype };
    },
    cpu(inputs, output) {
      let offset = 0;
      for (const { data } of inputs) {
        output.data.set(data, offset);
        offset += data.length;
      }
    },
    vjp(dy, inputs) {
      const offsets = offsetsOf(inputs);
      return inputs.map(({ shape, size }, k) => reshape(slice(dy, [offsets[k]], [size]), shape));
    },
    lower: { kind: 'concat', offsets: offsetsOf },
    samples: [
      parts([[3]], {}),
      parts([[2, 3], [], [7], [1, 4, 1]], {}),
      { title: 'i32', ...parts([[2], [5]], {}, 'i32') },
    ],
    rejects: [
      { title: 'none', ...parts([], {}), message: /^pack: needs at least one tensor/ },
      {
        title: 'two dtypes',
        inputs: [{ shape: [2] }, { shape: [2], dtype: 'i32' }],
        attrs: {},
        message: /^pack: parts must have one dtype, got f32\[2\] and i32\[2\]/,
      },
    ],
    tolerance: { relative: 0, source: 'no arithmetic' },
    bench: { flops: () => 0, sample: parts([[512, 1024], [1024], [511, 1024]], {}) },
  },
  (apply) => (tensors) => apply(tensors, {}),
);

/** Tensors of one shape along a new axis (0). @throws DownhillError as concat does. */
export function stack(tensors: readonly Tensor[], options?: { readonly axis?: number }): Tensor {
  const { axis = 0 } = checkOptions('stack', options, ['axis']);
  return concat(
    tensors.map((tensor) => expandDims(tensor, axis)),
    { axis },
  );
}

/**
 * `x` in equal parts along `axis` (0).
 * @throws DownhillError `shape` when the axis does not divide by `count`.
 */
export function split(x: Tensor, count: number, { axis = 0 }: { readonly axis?: number } = {}): Tensor[] {
  const [along] = normalizeAxes('split', axis, x.shape);
  if (!Number.isInteger(count) || count < 1 || x.shape[along] % count !== 0) {
    throw new DownhillError(
      'shape',
      `split: axis ${along} of ${describe(x)} does not divide into ${count} equal parts`,
    );
  }
  const width = x.shape[along] / count;
  const size = x.shape.map((d, k) => (k === along ? width : d));
  return Array.from({ length: count }, (_, part) =>
    slice(
      x,
      x.shape.map((_, k) => (k === along ? part * width : 0)),
      size,
    ),
  );
}

/** The records of this file. */
export const concatOps: readonly Op[] = [concat, pack];

function offsetsOf(inputs: readonly Aval[]): number[] {
  let offset = 0;
  return inputs.map(({ shape }) => {
    const start = offset;
    offset += sizeOf(shape);
    return start;
  });
}

function checkParts(op: string, inputs: readonly Aval[]): void {
  if (inputs.length === 0) throw new DownhillError('argument', `${op}: needs at least one tensor`);
  const [first] = inputs;
  const other = inputs.find(({ dtype }) => dtype !== first.dtype);
  if (other !== undefined) {
    throw new DownhillError('dtype', `${op}: parts must have one dtype, got ${describe(first)} and ${describe(other)}`);
  }
}

function parts<A>(shapes: readonly Shape[], attrs: A, dtype: Aval['dtype'] = 'f32'): Sample<A> {
  return { inputs: shapes.map((shape) => ({ shape, dtype })), attrs };
}
