/**
 * pad: a tensor in a larger frame of one value. Its gradient is a slice.
 */

import { defineOp, type Op } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';
import { type Shape, stridesOf } from '../../util/shape.ts';
import { show } from '../../util/show.ts';
import { checkValue, constantWgsl } from '../create.ts';
import { checkPaddings, PAD_MODES, type PadMode, padMirrored } from './pad-mirrored.ts';
import { slice } from './slice.ts';
import { stridedOffsets } from './strided.ts';

/** Elements to add before and after each axis. */
export type Paddings = readonly (readonly [before: number, after: number])[];

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
      cost: 'cheap',
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

interface Frame {
  size: number;
  before: number;
  after: number;
}

/** The same padding over as few axes as possible: an axis without padding is part of the one before it. */
function framesOf(shape: Shape, paddings: Paddings): Frame[] {
  const frames: Frame[] = [];
  shape.forEach((size, axis) => {
    const [before, after] = paddings[axis];
    const last = frames.at(-1);
    if (last !== undefined && before + after === 0) {
      last.size *= size;
      last.before *= size;
      last.after *= size;
    } else {
      frames.push({ size, before, after });
    }
  });
  return frames;
}

/** The records of this file. */
export const padOps: readonly Op[] = [pad];
