/**
 * Position of the extreme along one axis, as i32. The first of equal elements wins and a NaN beats every number, as in
 * NumPy. No gradient: the position does not change under a small step.
 */

import { defineOp, type Op } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, normalizeAxes, reduceShape, sizeOf } from '../../util/shape.ts';
import { requireFloat } from '../checks.ts';

export interface ArgOptions {
  /** -1, the last, when left out. */
  readonly axis?: number;
  /** Leave size 1 where the axis was. False when left out. */
  readonly keepDims?: boolean;
}

interface ArgAttrs {
  /** Not negative. */
  readonly axis: number;
  readonly keepDims: boolean;
}

type ArgOp = ((x: Tensor, options?: ArgOptions) => Tensor) & Op<ArgAttrs>;

function defineArg(name: string, step: string, doc: string, beats: (a: number, b: number) => boolean): ArgOp {
  return defineOp<ArgAttrs, (x: Tensor, options?: ArgOptions) => Tensor>(
    {
      name,
      doc,
      infer([x], { axis, keepDims }) {
        requireFloat(name, ['x'], [x]);
        const axes = normalizeAxes(name, axis, x.shape);
        if (x.shape[axes[0]] === 0) {
          throw new DownhillError('shape', `${name}: axis ${axis} of ${formatShape(x.shape)} has no elements`);
        }
        return { shape: reduceShape(x.shape, axes, keepDims), dtype: 'i32' };
      },
      cpu([x], output, { axis }) {
        const length = x.shape[axis];
        const inner = sizeOf(x.shape.slice(axis + 1));
        for (let o = 0; o < output.data.length; o++) {
          const start = Math.floor(o / inner) * length * inner + (o % inner);
          let best = 0;
          for (let k = 1; k < length; k++) {
            const [candidate, champion] = [x.data[start + k * inner], x.data[start + best * inner]];
            if (Number.isNaN(champion)) break;
            if (Number.isNaN(candidate) || beats(candidate, champion)) best = k;
          }
          output.data[o] = best;
        }
      },
      vjp: null,
      lower: {
        kind: 'reduce',
        axes: (_, { axis }) => [axis],
        chain: {
          state: ({ use }) => {
            use('arg-reduce');
            return 'ArgBest';
          },
          init: () => 'ArgBest(0.0, 0u)',
          step: (best, x, r) => `${step}(${best}, ${x}, ${r})`,
          merge: null,
          finish: (best) => `i32(${best}.index)`,
        },
      },
      samples: [
        { inputs: [{ shape: [6, 10], values: 'distinct' }], attrs: { axis: 1, keepDims: false } },
        { inputs: [{ shape: [6, 10], values: 'distinct' }], attrs: { axis: 0, keepDims: true } },
        { inputs: [{ shape: [1] }], attrs: { axis: 0, keepDims: false } },
        { title: 'ties', inputs: [{ shape: [3, 5], values: { below: 2 } }], attrs: { axis: 1, keepDims: false } },
        {
          title: 'NaN and infinities',
          inputs: [
            {
              shape: [2, 3],
              values: [1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2, Number.NaN],
            },
          ],
          attrs: { axis: 1, keepDims: false },
        },
        { title: 'long', inputs: [{ shape: [2, 600], values: 'distinct' }], attrs: { axis: 1, keepDims: false } },
      ],
      rejects: [
        {
          title: 'an axis out of range',
          inputs: [{ shape: [2, 3] }],
          attrs: { axis: 2, keepDims: false },
          message: new RegExp(`^${name}: axis 2 is out of range for shape \\[2,3\\]`),
        },
        {
          title: 'an empty axis',
          inputs: [{ shape: [2, 0] }],
          attrs: { axis: 1, keepDims: false },
          message: new RegExp(`^${name}: axis 1 of \\[2,0\\] has no elements`),
        },
      ],
      tolerance: { relative: 0, source: 'only comparisons' },
      bench: {
        flops: ([x]) => sizeOf(x.shape),
        sample: { inputs: [{ shape: [1024, 1024] }], attrs: { axis: 1, keepDims: false } },
      },
    },
    (apply) => (x, options) => {
      const { axis = -1, keepDims = false } = checkOptions(name, options, ['axis', 'keepDims']);
      return apply([x], { axis: axis < 0 && axis >= -x.rank ? axis + x.rank : axis, keepDims });
    },
  );
}

/** Position of the largest element along an axis: i32. @throws DownhillError `dtype`, `argument` or `shape`. */
export const argMax = defineArg(
  'argMax',
  'arg_max_step',
  'Position of the largest element along an axis (the last when left out), i32; the first of equals, a NaN before all.',
  (a, b) => a > b,
);

/** Position of the smallest element along an axis: i32. @throws DownhillError `dtype`, `argument` or `shape`. */
export const argMin = defineArg(
  'argMin',
  'arg_min_step',
  'Position of the smallest element along an axis (the last when left out), i32; the first of equals, a NaN before all.',
  (a, b) => a < b,
);

export const argReduceOps: readonly Op[] = [argMax, argMin];
