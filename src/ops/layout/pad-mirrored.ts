/**
 * padMirrored: a tensor in a larger frame that is filled from the tensor itself, axis by axis. Each axis is a gather by
 * positions that are known when the graph is traced; its gradient adds up what was read several times.
 * Source: NumPy `pad` with the modes edge, reflect and symmetric.
 */

import { defineOp, type Op } from '../../core/op.ts';
import { describe, Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';
import { stridesOf } from '../../util/shape.ts';
import { checkPaddings } from './block.ts';
import { gather, gatherGrad } from './gather.ts';

/**
 * Where a new element comes from: `edge` repeats the outermost, `reflect` mirrors about it (1 2 3 → 3 2 1 2 3), and
 * `symmetric` mirrors with it (1 2 3 → 2 1 1 2 3).
 */
export const PAD_MODES = ['edge', 'reflect', 'symmetric'] as const;

export type PadMode = (typeof PAD_MODES)[number] | 'constant';

interface PadMirroredAttrs {
  readonly paddings: readonly (readonly number[])[];
  readonly mode: (typeof PAD_MODES)[number];
}

type PadMirrored = (
  x: Tensor,
  paddings: readonly (readonly number[])[],
  options: { readonly mode: (typeof PAD_MODES)[number] },
) => Tensor;

/**
 * `x` with `paddings[axis] = [before, after]` elements around it, taken from x by `mode`.
 * @throws DownhillError `argument` for an unknown mode, `shape` unless each axis has a pair of whole numbers ≥ 0 that
 *   the mode can fill: edge needs one element, reflect more than are asked for, symmetric at least as many.
 */
export const padMirrored: PadMirrored & Op<PadMirroredAttrs> = defineOp<PadMirroredAttrs, PadMirrored>(
  {
    name: 'padMirrored',
    doc:
      'x with elements of its own before and after each axis: edge repeats the outermost, reflect mirrors about it, ' +
      'symmetric mirrors with it, as in NumPy. pad calls it for these modes. Any dtype; a gradient in f32.',
    infer([x], { paddings, mode }) {
      if (!PAD_MODES.includes(mode)) {
        throw new DownhillError('argument', `padMirrored: ${unknownName('mode', mode, PAD_MODES).message}`);
      }
      checkPaddings('padMirrored', x, paddings);
      x.shape.forEach((size, axis) => {
        const asked = Math.max(...paddings[axis]);
        const most = mode === 'edge' ? (size === 0 ? 0 : asked) : mode === 'reflect' ? Math.max(0, size - 1) : size;
        if (asked <= most) return;
        throw new DownhillError(
          'shape',
          `padMirrored: axis ${axis} of ${describe(x)} gives at most ${most} elements in mode ${mode}, got [${paddings[axis]}]`,
        );
      });
      return { shape: x.shape.map((size, axis) => paddings[axis][0] + size + paddings[axis][1]), dtype: x.dtype };
    },
    cpu([x], output, { paddings, mode }) {
      const from = x.shape.map((size, axis) => positions(size, paddings[axis], mode));
      const [strides, outer] = [stridesOf(x.shape), stridesOf(output.shape)];
      for (let i = 0; i < output.data.length; i++) {
        let at = 0;
        for (let axis = 0; axis < strides.length; axis++) {
          at += from[axis][Math.floor(i / outer[axis]) % output.shape[axis]] * strides[axis];
        }
        output.data[i] = x.data[at];
      }
    },
    vjp(dy, [x], _output, { paddings, mode }) {
      let slope = dy;
      const shape = [...dy.shape];
      for (const axis of paddedAxes(paddings).reverse()) {
        shape[axis] = x.shape[axis];
        const from = indices(x.shape[axis], paddings[axis], mode);
        slope = gatherGrad(slope, from, { shape: [...shape], axis });
      }
      return [slope];
    },
    lower: { kind: 'composite' },
    expand([x], { paddings, mode }) {
      let padded = x;
      for (const axis of paddedAxes(paddings)) {
        padded = gather(padded, indices(x.shape[axis], paddings[axis], mode), { axis });
      }
      return padded;
    },
    samples: [
      { inputs: [{ shape: [] }], attrs: { paddings: [], mode: 'edge' } },
      { inputs: [{ shape: [3] }], attrs: { paddings: [[2, 4]], mode: 'edge' } },
      { inputs: [{ shape: [4] }], attrs: { paddings: [[3, 2]], mode: 'reflect' } },
      { inputs: [{ shape: [3] }], attrs: { paddings: [[3, 1]], mode: 'symmetric' } },
      {
        title: 'two axes of three',
        inputs: [{ shape: [2, 3, 5] }],
        attrs: {
          paddings: [
            [0, 0],
            [2, 1],
            [0, 4],
          ],
          mode: 'reflect',
        },
      },
      {
        title: 'NaN at the edge',
        inputs: [{ shape: [1, 2], values: [Number.NaN, 2] }],
        attrs: {
          paddings: [
            [1, 0],
            [1, 1],
          ],
          mode: 'edge',
        },
      },
      { title: 'i32', inputs: [{ shape: [3], dtype: 'i32' }], attrs: { paddings: [[1, 2]], mode: 'symmetric' } },
    ],
    rejects: [
      {
        title: 'a pair missing',
        inputs: [{ shape: [2, 3] }],
        attrs: { paddings: [[1, 1]], mode: 'edge' },
        message: /^padMirrored: f32\[2,3\] needs 2 pairs \[before, after\] of whole numbers ≥ 0, got \[\[1,1\]\]/,
      },
      {
        title: 'more than can be reflected',
        inputs: [{ shape: [3] }],
        attrs: { paddings: [[3, 0]], mode: 'reflect' },
        message: /^padMirrored: axis 0 of f32\[3\] gives at most 2 elements in mode reflect, got \[3,0\]/,
      },
      {
        title: 'nothing to repeat',
        inputs: [{ shape: [0] }],
        attrs: { paddings: [[1, 0]], mode: 'edge' },
        message: /^padMirrored: axis 0 of f32\[0\] gives at most 0 elements in mode edge/,
      },
      {
        title: 'an unknown mode',
        inputs: [{ shape: [3] }],
        attrs: { paddings: [[1, 0]], mode: 'reflct' as 'reflect' },
        message: /^padMirrored: unknown mode "reflct"; did you mean "reflect"\?/,
      },
    ],
    tolerance: { relative: 0, source: 'no arithmetic' },
    bench: {
      flops: () => 0,
      sample: {
        inputs: [{ shape: [1024, 1024] }],
        attrs: {
          paddings: [
            [1, 1],
            [1, 1],
          ],
          mode: 'reflect',
        },
      },
    },
  },
  (apply) => (x, paddings, options) => {
    const { mode } = checkOptions('padMirrored', options, ['mode'], ['mode']);
    return apply([x], { paddings: paddings.map((pair) => [...pair]), mode });
  },
);

/** Axes that become longer. */
function paddedAxes(paddings: PadMirroredAttrs['paddings']): number[] {
  return paddings.flatMap(([before, after], axis) => (before + after > 0 ? [axis] : []));
}

/** For each position along the padded axis, the one it is read from. */
function positions(size: number, [before, after]: readonly number[], mode: PadMirroredAttrs['mode']): Int32Array {
  // The mirror is on the outermost element, or beside it.
  const beside = mode === 'symmetric' ? 1 : 0;
  return Int32Array.from({ length: before + size + after }, (_, k) => {
    const at = k - before;
    if (at >= 0 && at < size) return at;
    if (mode === 'edge') return at < 0 ? 0 : size - 1;
    return at < 0 ? -at - beside : 2 * (size - 1) - at + beside;
  });
}

function indices(size: number, pair: readonly number[], mode: PadMirroredAttrs['mode']): Tensor {
  const data = positions(size, pair, mode);
  return Tensor.host({ shape: [data.length], dtype: 'i32' }, data);
}
