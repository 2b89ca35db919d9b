/**
 * slice: a block of a tensor. A block that is one run of memory is a view and costs nothing (rows of a batch, a weight in
 * the flat parameter buffer); any other is read by index arithmetic. `slice` chooses.
 *
 * Invariant: the gradient of either is `pad`, the gradient of `pad` is `slice`.
 */

import type { Op, OpRecord, Reject, Sample } from '../../core/op.ts';
import { defineOp } from '../../core/op.ts';
import { type Aval, describe, type Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, stridesOf } from '../../util/shape.ts';
import { pad } from './pad.ts';
import { readStrided, type StridedRead, stridedIndex } from './strided.ts';

export interface SliceAttrs {
  /** First coordinate along each axis. */
  readonly begin: readonly number[];
  /** Shape of the block. */
  readonly size: Shape;
}

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
      cost: 'cheap',
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

/** The records of this file. */
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

/** True when, behind single coordinates and one range, all axes are whole. */
function isContiguous(shape: Shape, size: Shape): boolean {
  const range = size.findIndex((count) => count !== 1);
  return range === -1 || size.every((count, axis) => axis <= range || count === shape[axis]);
}

function blockRead(shape: Shape, { begin, size }: SliceAttrs): StridedRead {
  const strides = stridesOf(shape);
  return { sizes: size, strides, base: begin.reduce((base, first, axis) => base + first * strides[axis], 0) };
}

function checkBlock(op: string, x: Aval, { begin, size }: SliceAttrs): void {
  if (begin.length !== x.shape.length || size.length !== x.shape.length) {
    throw new DownhillError(
      'shape',
      `${op}: ${describe(x)} has ${x.shape.length} axes, begin ${formatShape(begin)} and size ${formatShape(size)} must have as many`,
    );
  }
  x.shape.forEach((whole, axis) => {
    const [first, count] = [begin[axis], size[axis]];
    const fits =
      Number.isInteger(first) && Number.isInteger(count) && first >= 0 && count >= 0 && first + count <= whole;
    if (!fits) {
      throw new DownhillError(
        'shape',
        `${op}: ${count} from ${first} on does not lie in axis ${axis} of ${describe(x)}, which has ${whole}`,
      );
    }
  });
}

function block(shape: Shape, begin: readonly number[], size: Shape, dtype: Aval['dtype'] = 'f32'): Sample<SliceAttrs> {
  return { inputs: [{ shape, dtype }], attrs: { begin, size } };
}

function blockRejects(op: string): Reject<SliceAttrs>[] {
  return [
    {
      title: 'a block that leaves x',
      ...block([4], [2], [3]),
      message: new RegExp(`^${op}: 3 from 2 on does not lie in axis 0 of f32\\[4\\], which has 4`),
    },
    {
      title: 'a negative start',
      ...block([4], [-1], [2]),
      message: new RegExp(`^${op}: 2 from -1 on does not lie in axis 0`),
    },
    {
      title: 'too few axes',
      ...block([4, 3], [1], [2]),
      message: new RegExp(`^${op}: f32\\[4,3\\] has 2 axes, begin \\[1\\] and size \\[2\\] must have as many`),
    },
  ];
}
