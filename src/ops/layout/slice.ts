/**
 * slice, a block of a tensor, and pad, a tensor in a larger frame: the gradient of each is the other, so they are in
 * one file.
 *
 * A block that is one run of memory is a view and costs nothing (rows of a batch, a weight in the flat parameter
 * buffer); any other is read by index arithmetic. `slice` chooses.
 */

import { defineOp, type Op, type OpRecord, type Reject, type Sample } from '../../core/op.ts';
import { type Aval, describe, type Tensor } from '../../core/tensor.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';
import { formatShape, type Shape, stridesOf } from '../../util/shape.ts';
import { show } from '../../util/show.ts';
import { checkValue, constantWgsl } from '../create.ts';
import {
  blockRead,
  checkBlock,
  checkPaddings,
  framesOf,
  isContiguous,
  type Paddings,
  type SliceAttrs,
} from './block.ts';
import { PAD_MODES, type PadMode, padMirrored } from './pad-mirrored.ts';
import { readStrided, stridedIndex, stridedOffsets } from './strided.ts';

type Slice = (x: Tensor, begin: readonly number[], size: Shape) => Tensor;

/**
 * The block of `x` that starts at `begin` and has shape `size`; a size of -1 goes to the end of its axis.
 * @throws DownhillError `shape` for another count of axes or a block that leaves x.
 */
export function slice(x: Tensor, begin: readonly number[], size: Shape): Tensor {
  const sizes = size.map((count, axis) => (count === -1 ? x.shape[axis] - begin[axis] : count));
  return isContiguous(x.shape, sizes) ? sliceContiguous(x, begin, sizes) : sliceBlock(x, begin, sizes);
}

/** A block that is one run of memory: a view. Use `slice`, which tells. @throws DownhillError `shape`. */
export const sliceContiguous: Slice & Op<SliceAttrs> = defineOp<SliceAttrs, Slice>(
  {
    ...commonParts('sliceContiguous'),
    doc: 'A block of x (first coordinates, shape) that is one run of memory: a view. slice takes it where it can. Any dtype.',
    infer([x], attrs) {
      checkBlock('sliceContiguous', x, attrs);
      if (!isContiguous(x.shape, attrs.size)) {
        throw new DownhillError(
          'shape',
          `sliceContiguous: a block ${formatShape(attrs.size)} of ${describe(x)} is not one run of memory; use slice`,
        );
      }
      return { shape: attrs.size, dtype: x.dtype };
    },
    lower: { kind: 'view', offset: ([x], attrs) => blockRead(x.shape, attrs).base },
    samples: [
      block([5], [2], [3]),
      block([6, 3, 2], [1, 0, 0], [3, 3, 2]),
      block([4, 7], [2, 3], [1, 4]),
      block([3], [1], [1]),
      { title: 'i32', ...block([4, 3], [1, 0], [2, 3], 'i32') },
    ],
    rejects: [
      ...blockRejects('sliceContiguous'),
      {
        title: 'a block with gaps',
        ...block([4, 3], [0, 0], [2, 2]),
        message: /^sliceContiguous: .* not one run of memory; use slice/,
      },
    ],
    bench: { flops: () => 0, sample: block([2048, 1024], [512, 0], [1024, 1024]) },
  },
  (apply) => (x, begin, size) => apply([x], { begin: [...begin], size: [...size] }),
);

/** Any block, by index arithmetic. Use `slice`, which takes the view where it can. @throws DownhillError `shape`. */
export const sliceBlock: Slice & Op<SliceAttrs> = defineOp<SliceAttrs, Slice>(
  {
    ...commonParts('sliceBlock'),
    doc: 'A block of x: first coordinates and shape. slice makes it a view where the block is one run of memory. Any dtype.',
    infer([x], attrs) {
      checkBlock('sliceBlock', x, attrs);
      return { shape: attrs.size, dtype: x.dtype };
    },
    lower: {
      kind: 'index',
      cost: 'inline',
      wgsl: ({ i, inputs: [x], attrs, load }) => `return ${load(0, stridedIndex(i, blockRead(x.shape, attrs)))};`,
    },
    samples: [
      block([4, 3], [1, 1], [2, 2]),
      block([3, 5, 7], [0, 2, 1], [3, 2, 5]),
      block([2, 1, 33], [1, 0, 4], [1, 1, 29]),
      block([5, 4, 3, 2], [1, 0, 1, 0], [4, 4, 2, 1]),
      { title: 'bool', ...block([4, 3], [1, 1], [2, 2], 'bool') },
    ],
    rejects: blockRejects('sliceBlock'),
    bench: { flops: () => 0, sample: block([1024, 1024], [0, 128], [1024, 512]) },
  },
  (apply) => (x, begin, size) => apply([x], { begin: [...begin], size: [...size] }),
);

interface PadAttrs {
  readonly paddings: Paddings;
  readonly value: number;
}

/** What the new elements are: a number, or one of PAD_MODES. */
type Pad = (x: Tensor, paddings: readonly (readonly number[])[], value?: number | PadMode) => Tensor;

/**
 * `x` with `paddings[axis] = [before, after]` elements around it: of `value` (0), or `'edge'`, `'reflect'` or
 * `'symmetric'` as in NumPy (see `padMirrored`).
 * @throws DownhillError `shape` unless each axis has a pair of whole numbers ≥ 0 that the mode can fill, `argument` for
 *   another mode.
 */
export const pad: Pad & Op<PadAttrs> = defineOp<PadAttrs, Pad>(
  {
    name: 'pad',
    doc: 'x with elements of one value before and after each axis. Any dtype.',
    infer([x], { paddings, value }) {
      checkPaddings('pad', x, paddings);
      checkValue('pad', value, x.dtype);
      return { shape: x.shape.map((size, axis) => paddings[axis][0] + size + paddings[axis][1]), dtype: x.dtype };
    },
    cpu([x], output, { paddings, value }) {
      output.data.fill(value);
      const strides = stridesOf(output.shape);
      const base = paddings.reduce((sum, [before], axis) => sum + before * strides[axis], 0);
      const targets = stridedOffsets({ sizes: x.shape, strides, base });
      for (let i = 0; i < targets.length; i++) output.data[targets[i]] = x.data[i];
    },
    vjp: (dy, [x], _output, { paddings }) => [
      slice(
        dy,
        paddings.map(([before]) => before),
        x.shape,
      ),
    ],
    lower: {
      kind: 'index',
      cost: 'inline',
      wgsl(context) {
        const { i, inputs, attrs, load } = context;
        const frames = framesOf(inputs[0].shape, attrs.paddings);
        const value = constantWgsl(attrs.value, inputs[0].dtype, context);
        const lines: string[] = [];
        const terms: string[] = [];
        let [inner, stride] = [1, 1];
        frames.reverse().forEach(({ size, before, after }, k) => {
          const whole = before + size + after;
          const outermost = k === frames.length - 1;
          // Left of the frame the coordinate wraps and is too large as well.
          lines.push(`let c${k} = ${i} / ${inner}u${outermost ? '' : ` % ${whole}u`} - ${before}u;`);
          if (before + after > 0) lines.push(`if (c${k} >= ${size}u) { return ${value}; }`);
          terms.push(`c${k} * ${stride}u`);
          inner *= whole;
          stride *= size;
        });
        return `${lines.join('\n')}\nreturn ${load(0, terms.join(' + ') || '0u')};`;
      },
    },
    samples: [
      { inputs: [{ shape: [] }], attrs: { paddings: [], value: 0 } },
      { inputs: [{ shape: [3] }], attrs: { paddings: [[2, 1]], value: 0 } },
      {
        inputs: [{ shape: [2, 3, 5] }],
        attrs: {
          paddings: [
            [0, 0],
            [1, 2],
            [0, 3],
          ],
          value: -1.5,
        },
      },
      {
        title: 'outer axis alone',
        inputs: [{ shape: [2, 7, 3] }],
        attrs: {
          paddings: [
            [1, 0],
            [0, 0],
            [0, 0],
          ],
          value: 0,
        },
      },
      {
        title: 'infinity around NaN',
        inputs: [{ shape: [2, 2], values: [1, Number.NaN, -2, 0] }],
        attrs: {
          paddings: [
            [1, 1],
            [1, 1],
          ],
          value: Number.NEGATIVE_INFINITY,
        },
      },
      { title: 'i32', inputs: [{ shape: [3], dtype: 'i32' }], attrs: { paddings: [[0, 2]], value: -7 } },
      { title: 'bool', inputs: [{ shape: [3], dtype: 'bool' }], attrs: { paddings: [[1, 0]], value: 1 } },
    ],
    rejects: [
      {
        title: 'a pair missing',
        inputs: [{ shape: [2, 3] }],
        attrs: { paddings: [[1, 1]], value: 0 },
        message: /^pad: f32\[2,3\] needs 2 pairs \[before, after\] of whole numbers ≥ 0, got \[\[1,1\]\]/,
      },
      {
        title: 'a negative count',
        inputs: [{ shape: [2] }],
        attrs: { paddings: [[-1, 1]], value: 0 },
        message: /^pad: f32\[2\] needs 1 pairs/,
      },
      {
        title: 'a fraction among integers',
        inputs: [{ shape: [2], dtype: 'i32' }],
        attrs: { paddings: [[1, 1]], value: 0.5 },
        message: /^pad: i32 holds whole numbers/,
      },
    ],
    tolerance: { relative: 6e-8, source: 'the value rounded to f32' },
    bench: {
      flops: () => 0,
      sample: {
        inputs: [{ shape: [1024, 1024] }],
        attrs: {
          paddings: [
            [1, 1],
            [1, 1],
          ],
          value: 0,
        },
      },
    },
  },
  (apply) =>
    (x, paddings, value = 0) => {
      if (!Array.isArray(paddings) || !paddings.every((pair) => Array.isArray(pair))) {
        throw new DownhillError(
          'argument',
          `pad: expected pairs [before, after], one an axis, found ${show(paddings)}`,
        );
      }
      if (value === 'edge' || value === 'reflect' || value === 'symmetric') {
        return padMirrored(x, paddings, { mode: value });
      }
      if (typeof value !== 'number' && value !== 'constant') {
        throw unknownName('mode of pad:', value, ['constant', ...PAD_MODES]);
      }
      const fill = value === 'constant' ? 0 : value;
      return apply([x], { paddings: paddings.map((pair) => [...pair] as [number, number]), value: fill });
    },
);

/** The records of slices. */
export const sliceOps: readonly Op[] = [sliceContiguous, sliceBlock];

function commonParts(name: string): Pick<OpRecord<SliceAttrs>, 'name' | 'cpu' | 'vjp' | 'tolerance'> {
  return {
    name,
    cpu: ([x], output, attrs) => readStrided(x, output, blockRead(x.shape, attrs)),
    vjp: (dy, [x], _output, { begin, size }) => [
      pad(
        dy,
        x.shape.map((whole, axis) => [begin[axis], whole - begin[axis] - size[axis]]),
      ),
    ],
    tolerance: { relative: 0, source: 'no arithmetic' },
  };
}

function block(shape: Shape, begin: readonly number[], size: Shape, dtype: Aval['dtype'] = 'f32'): Sample<SliceAttrs> {
  return { inputs: [{ shape, dtype }], attrs: { begin, size } };
}

function blockRejects(op: string): Reject<SliceAttrs>[] {
  return [
    {
      title: 'a block that leaves x',
      ...block([4], [2], [3]),
      message: new RegExp(`^${op}: 3 from 2 on is not within axis 0 of f32\\[4\\], which has 4`),
    },
    {
      title: 'a negative start',
      ...block([4], [-1], [2]),
      message: new RegExp(`^${op}: 2 from -1 on is not within axis 0`),
    },
    {
      title: 'too few axes',
      ...block([4, 3], [1], [2]),
      message: new RegExp(`^${op}: f32\\[4,3\\] has 2 axes, begin \\[1\\] and size \\[2\\] must have as many`),
    },
  ];
}
