/**
 * Choosing, elementwise: where and clip.
 */

import { DTYPES } from '../../core/dtype.ts';
import { type CpuTensor, defineOp, type Op, type Sample } from '../../core/op.ts';
import { type Aval, describe, type Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { broadcastShapes, sizeOf } from '../../util/shape.ts';
import { asTensor } from '../create.ts';
import { checkPair, type NoAttrs, type Operand, unaryRecord } from '../define.ts';
import { broadcastOffsets } from '../layout/strided.ts';
import { unbroadcast } from '../reduction/sum.ts';
import { greater, less, logicalAnd } from './compare.ts';

type Where = (condition: Tensor, a: Operand, b: Operand) => Tensor;

/**
 * `a` where `condition` (bool) holds, else `b`; the three shapes broadcast, numbers take the other's dtype.
 * @throws DownhillError `dtype` unless the condition is bool and a and b have one dtype; `shape` when they do not
 *   broadcast.
 */
export const where: Where & Op<NoAttrs> = defineOp<NoAttrs, Where>(
  {
    name: 'where',
    doc:
      'a where the condition (bool) holds, else b, elementwise; the three shapes broadcast. a and b have one dtype. The ' +
      'gradient of each is 0 where it was not chosen (a NaN there does not spread).',
    infer([condition, a, b]) {
      if (condition.dtype !== 'bool') {
        throw new DownhillError(
          'dtype',
          `where: the condition must be bool, got ${describe(condition)}; compare it, e.g. greater(x, 0)`,
        );
      }
      checkPair('where', a, b, DTYPES);
      const values = broadcastShapes('where', a.shape, b.shape);
      return { shape: broadcastShapes('where', condition.shape, values), dtype: a.dtype };
    },
    cpu(inputs, output) {
      const [condition, a, b] = inputs.map((input) => reader(input, output));
      for (let i = 0; i < output.data.length; i++) output.data[i] = condition(i) !== 0 ? a(i) : b(i);
    },
    vjp: (dy, [condition, a, b]) => [
      null,
      unbroadcast(where(condition, dy, 0), a.shape),
      unbroadcast(where(condition, 0, dy), b.shape),
    ],
    lower: { kind: 'map', wgsl: ([condition, a, b]) => `select(${b}, ${a}, ${condition})` },
    samples: whereSamples(),
    rejects: [
      {
        title: 'a condition of numbers',
        inputs: [{ shape: [2] }, { shape: [2] }, { shape: [2] }],
        attrs: {},
        message: /^where: the condition must be bool, got f32\[2\]; compare it/,
      },
      {
        title: 'values of two dtypes',
        inputs: [{ shape: [2], dtype: 'bool' }, { shape: [2] }, { shape: [2], dtype: 'i32', values: { below: 2 } }],
        attrs: {},
        message: /^where: operands are f32\[2\] and i32\[2\]/,
      },
      {
        title: 'shapes that do not broadcast',
        inputs: [{ shape: [3], dtype: 'bool' }, { shape: [2] }, { shape: [] }],
        attrs: {},
        message: /^where: shapes \[3\] and \[2\] do not broadcast/,
      },
    ],
    tolerance: { relative: 0, source: 'one of the operands' },
    bench: {
      flops: (_inputs, output) => sizeOf(output.shape),
      sample: {
        inputs: [{ shape: [1024, 1024], dtype: 'bool' }, { shape: [1024, 1024] }, { shape: [1024, 1024] }],
        attrs: {},
      },
    },
  },
  (apply) => (condition, a, b) => apply([condition, asTensor('where', a, b), asTensor('where', b, a)], {}),
);

interface ClipAttrs {
  readonly min: number;
  readonly max: number;
}

type Clip = (x: Tensor, min: number, max: number) => Tensor;

/**
 * x within [min, max]; NaN stays. No gradient flows where x is at or beyond a bound.
 * @throws DownhillError `argument` unless min ≤ max.
 */
export const clip: Clip & Op<ClipAttrs> = defineOp<ClipAttrs, Clip>(
  unaryRecord<ClipAttrs>(
    {
      name: 'clip',
      doc: 'x within [min, max], elementwise; NaN stays. No gradient flows where x is at or beyond a bound. f32.',
      tolerance: { relative: 6e-8, source: 'x itself, or a bound rounded to f32' },
      samples: [
        {
          title: 'open above',
          inputs: [{ shape: [9], values: 'nonzero' }],
          attrs: { min: 0, max: Number.POSITIVE_INFINITY },
        },
      ],
      rejects: [
        {
          title: 'bounds the wrong way round',
          inputs: [{ shape: [2] }],
          attrs: { min: 1, max: -1 },
          message: /^clip: min 1 is above max -1/,
        },
      ],
      f: (x, { min, max }) => Math.min(Math.max(x, min), max),
      wgsl(x, { attrs, scalar, use }) {
        use('float');
        return `float_minimum(float_maximum(${x}, ${scalar(attrs.min)}), ${scalar(attrs.max)})`;
      },
      vjp: (dy, _x, out, { min, max }) => where(logicalAnd(greater(out, min), less(out, max)), dy, 0),
    },
    { min: -0.6, max: 0.55 },
    ({ min, max }) => {
      if (!(min <= max)) throw new DownhillError('argument', `clip: min ${min} is above max ${max}`);
    },
  ),
  (apply) => (x, min, max) => apply([x], { min, max }),
);

/** The records of this file. */
export const selectOps: readonly Op[] = [where, clip];

/** Reads `input` at the output's index, broadcast. */
function reader(input: CpuTensor, output: Aval): (i: number) => number {
  const { data } = input;
  if (data.length === sizeOf(output.shape)) return (i) => data[i];
  const offsets = broadcastOffsets(input.shape, output.shape);
  return (i) => data[offsets[i]];
}

function whereSamples(): Sample<NoAttrs>[] {
  const shapes = [
    [[], [], []],
    [[7], [7], [7]],
    [[3, 1], [1, 5], []],
    [[], [2, 33], [33]],
  ];
  const floats = shapes.map(
    ([condition, a, b]): Sample<NoAttrs> => ({
      inputs: [{ shape: condition, dtype: 'bool', values: { below: 2 } }, { shape: a }, { shape: b }],
      attrs: {},
    }),
  );
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, 0];
  return [
    ...floats,
    {
      title: 'NaN and infinities',
      inputs: [
        { shape: [2, 1], dtype: 'bool', values: [0, 1] },
        { shape: [3], values: odd },
        { shape: [3], values: [1, 2, Number.NaN] },
      ],
      attrs: {},
    },
    {
      title: 'u32',
      inputs: [
        { shape: [5], dtype: 'bool', values: { below: 2 } },
        { shape: [5], dtype: 'u32', values: { below: 9 } },
        { shape: [], dtype: 'u32', values: { below: 9 } },
      ],
      attrs: {},
    },
  ];
}
