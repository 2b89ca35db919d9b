/**
 * cast: a tensor as another dtype. WGSL leaves NaN to integer open; here it is 0, and the clamping that WGSL prescribes
 * for what is out of range is written out, so every driver agrees.
 */

import type { DType } from '../../core/dtype.ts';
import { DTYPES, isFloat } from '../../core/dtype.ts';
import { defineOp, type Op, type Sample } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';

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
export const castOps: readonly Op[] = [cast];

function convert(x: number, from: DType, to: DType): number {
  if (to === 'bool') return x !== 0 ? 1 : 0;
  if (from !== 'f32' || to === 'f32') return x;
  if (Number.isNaN(x)) return 0;
  const [low, high] = CLAMP[to];
  return Math.trunc(Math.min(Math.max(x, low), high));
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
