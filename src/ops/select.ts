/**
 * Choosing and converting, elementwise: where, clip, cast.
 */

import type { DType } from '../core/dtype.ts';
import { DTYPES, isFloat } from '../core/dtype.ts';
import { type CpuTensor, defineOp, type Op, type Sample } from '../core/op.ts';
import { type Aval, describe, type Tensor } from '../core/tensor.ts';
import { DownhillError } from '../util/errors.ts';
import { broadcastShapes, sizeOf } from '../util/shape.ts';
import { greater, less, logicalAnd } from './compare.ts';
import { asTensor } from './create.ts';
import { checkPair, type NoAttrs, type Operand, unaryRecord } from './define.ts';
import { unbroadcast } from './shape.ts';
import { broadcastOffsets } from './strided.ts';

type Where = (condition: Tensor, a: Operand, b: Operand) => Tensor;

/**
 * `a` where `condition` (bool) holds, else `b`; the three shapes broadcast, numbers take the other's dtype.
 * @throws DownhillError `dtype` unless the condition is bool and a and b have one dtype; `shape` when they do not broadcast.
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

interface CastAttrs {
  readonly dtype: DType;
}

type Cast = (x: Tensor, dtype: DType) => Tensor;

const CLAMP = {
  // The largest f32 below 2³¹ and 2³²: what WGSL's own conversion clamps to.
  i32: [-(2 ** 31), 2 ** 31 - 128],
  u32: [0, 2 ** 32 - 256],
} as const;

/**
 * x as another dtype; x itself when it has that dtype already.
 * f32 to an integer truncates toward zero, values out of range go to the nearest f32 in range, NaN to 0; i32 and u32
 * exchange bits; anything but 0 is true; true is 1.
 */
export const cast: Cast & Op<CastAttrs> = defineOp<CastAttrs, Cast>(
  {
    name: 'cast',
    doc:
      'x as another dtype. f32 → integer truncates toward zero; what is out of range goes to the nearest f32 in range, ' +
      'NaN to 0. i32 ↔ u32 keep the bits. To bool: anything but 0 is true. From bool: true is 1. A gradient flows from f32 to f32 only.',
    infer([x], { dtype }) {
      if (!DTYPES.includes(dtype)) {
        throw new DownhillError(
          'dtype',
          `cast: unknown dtype ${JSON.stringify(dtype)}; dtypes are ${DTYPES.join(', ')}`,
        );
      }
      return { shape: x.shape, dtype };
    },
    cpu([x], output, { dtype }) {
      for (let i = 0; i < output.data.length; i++) output.data[i] = convert(x.data[i], x.dtype, dtype);
    },
    vjp: (dy, [x]) => [isFloat(x.dtype) && isFloat(dy.dtype) ? dy : null],
    lower: {
      kind: 'map',
      wgsl([x], { inputs: [{ dtype: from }], attrs: { dtype: to }, use }) {
        if (from === 'f32' && (to === 'i32' || to === 'u32')) {
          use('float');
          return `float_to_${to}(${x})`;
        }
        // bool(x) of a NaN is not defined; its bits are.
        if (from === 'f32' && to === 'bool') return `((bitcast<u32>(${x}) & 0x7fffffffu) != 0u)`;
        return `${to}(${x})`;
      },
    },
    samples: castSamples(),
    rejects: [
      {
        title: 'unknown dtype',
        inputs: [{ shape: [2] }],
        attrs: { dtype: 'f64' as DType },
        message: /^cast: unknown dtype "f64"; dtypes are f32, i32, u32, bool/,
      },
    ],
    tolerance: { relative: 1.2e-7, source: 'integers above 2²⁴ to f32: one ulp' },
    bench: {
      flops: () => 0,
      sample: { inputs: [{ shape: [1024, 1024], dtype: 'i32', values: { below: 256 } }], attrs: { dtype: 'f32' } },
    },
  },
  (apply) => (x, dtype) => (x.dtype === dtype ? x : apply([x], { dtype })),
);

/** The records of this file. */
export const selectOps: readonly Op[] = [where, clip, cast];

function convert(x: number, from: DType, to: DType): number {
  if (to === 'bool') return x !== 0 ? 1 : 0;
  if (from !== 'f32' || to === 'f32') return x;
  if (Number.isNaN(x)) return 0;
  const [low, high] = CLAMP[to];
  return Math.trunc(Math.min(Math.max(x, low), high));
}

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

function castSamples(): Sample<CastAttrs>[] {
  const values: Record<DType, readonly number[]> = {
    f32: [-1.9, -0.5, 0, 0.99, 2.5, 3e9, -3e9, 5e9, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    i32: [-(2 ** 31), -1, 0, 5, 2 ** 24 + 1, 2 ** 31 - 1],
    u32: [0, 1, 7, 2 ** 24 + 3, 2 ** 31, 2 ** 32 - 1],
    bool: [0, 1, 1],
  };
  return DTYPES.flatMap((from) =>
    DTYPES.filter((to) => to !== from).map((dtype) => ({
      title: `${from} to ${dtype}`,
      inputs: [{ shape: [values[from].length], dtype: from, values: values[from] }],
      attrs: { dtype },
    })),
  );
}
