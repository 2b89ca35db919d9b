/**
 * Tensors from nothing: constants and ramps. A constant is an op without inputs, so it takes no memory: the compiler
 * writes it into the kernels that read it. An f32 value goes through the uniform block (two kernels that differ only in
 * a constant are one pipeline, and Inf and NaN, which WGSL refuses as constants, pass).
 */

import type { DType } from '../core/dtype.ts';
import { DTYPES } from '../core/dtype.ts';
import type { EmitContext } from '../core/lowering.ts';
import { defineOp, type Op } from '../core/op.ts';
import { type Aval, Tensor } from '../core/tensor.ts';
import { DownhillError } from '../util/errors.ts';
import { checkShape, type Shape } from '../util/shape.ts';

interface FullAttrs {
  readonly shape: Shape;
  readonly value: number;
  readonly dtype: DType;
}

type Full = (shape: Shape, value: number | boolean, dtype?: DType) => Tensor;

/**
 * A tensor of `shape` filled with `value`; f32 unless `dtype` says otherwise.
 * @throws DownhillError `shape` for a shape that is not valid, `argument` for a value that `dtype` cannot hold.
 */
export const full: Full & Op<FullAttrs> = defineOp<FullAttrs, Full>(
  {
    name: 'full',
    doc: 'A tensor of one repeated value, of any shape and dtype. It takes no memory until something needs it there.',
    infer(_inputs, { shape, value, dtype }) {
      checkShape('full', shape);
      checkValue('full', value, dtype);
      return { shape, dtype };
    },
    cpu(_inputs, output, { value }) {
      output.data.fill(value);
    },
    vjp: () => [],
    lower: {
      kind: 'map',
      wgsl: (_args, context) => constantWgsl(context.attrs.value, context.attrs.dtype, context),
    },
    samples: [
      { inputs: [], attrs: { shape: [], value: 0.1, dtype: 'f32' } },
      { inputs: [], attrs: { shape: [3, 1, 7], value: -2.5, dtype: 'f32' } },
      { title: 'infinity', inputs: [], attrs: { shape: [3], value: Number.POSITIVE_INFINITY, dtype: 'f32' } },
      { title: 'NaN', inputs: [], attrs: { shape: [3], value: Number.NaN, dtype: 'f32' } },
      { inputs: [], attrs: { shape: [33], value: -(2 ** 31), dtype: 'i32' } },
      { inputs: [], attrs: { shape: [5], value: 2 ** 32 - 1, dtype: 'u32' } },
      { inputs: [], attrs: { shape: [5], value: 1, dtype: 'bool' } },
    ],
    rejects: [
      {
        title: 'a size that is not a count of elements',
        inputs: [],
        attrs: { shape: [2, -1], value: 0, dtype: 'f32' },
        message: /^full: \[2,-1\] is not a shape/,
      },
      {
        title: 'a fraction as i32',
        inputs: [],
        attrs: { shape: [2], value: 0.5, dtype: 'i32' },
        message: /^full: i32 holds whole numbers from -2147483648 to 2147483647, got 0\.5/,
      },
      {
        title: 'unknown dtype',
        inputs: [],
        attrs: { shape: [2], value: 0, dtype: 'f16' as DType },
        message: /^full: unknown dtype "f16".* f32, i32, u32, bool/,
      },
    ],
    tolerance: { relative: 6e-8, source: 'the value rounded to f32' },
    bench: { flops: () => 0, sample: { inputs: [], attrs: { shape: [1024, 1024], value: 1, dtype: 'f32' } } },
  },
  (apply) =>
    (shape, value, dtype = 'f32') =>
      apply([], { shape: [...shape], value: Number(value), dtype }),
);

interface IotaAttrs {
  readonly length: number;
  readonly dtype: DType;
}

type Iota = (length: number, dtype?: 'f32' | 'i32' | 'u32') => Tensor;

/**
 * 0, 1, 2, … as a tensor [length]; i32 unless `dtype` says otherwise.
 * @throws DownhillError `shape` for a length that is not a whole number.
 */
export const iota: Iota & Op<IotaAttrs> = defineOp<IotaAttrs, Iota>(
  {
    name: 'iota',
    doc: 'The ramp 0, 1, 2, … [length] as i32, u32 or f32 (exact to 2²⁴).',
    infer(_inputs, { length, dtype }) {
      checkShape('iota', [length]);
      if (dtype === 'bool' || !DTYPES.includes(dtype)) {
        throw new DownhillError('dtype', `iota: a ramp has numbers; dtype is f32, i32 or u32, got ${dtype}`);
      }
      return { shape: [length], dtype };
    },
    cpu(_inputs, output) {
      for (let i = 0; i < output.data.length; i++) output.data[i] = i;
    },
    vjp: () => [],
    lower: { kind: 'index', cost: 'inline', wgsl: ({ i, attrs: { dtype } }) => `return ${dtype}(${i});` },
    samples: [
      { inputs: [], attrs: { length: 1, dtype: 'i32' } },
      { inputs: [], attrs: { length: 33, dtype: 'u32' } },
      { inputs: [], attrs: { length: 7, dtype: 'f32' } },
    ],
    rejects: [
      { title: 'half a length', inputs: [], attrs: { length: 2.5, dtype: 'i32' }, message: /^iota: \[2\.5\] is not a/ },
      {
        title: 'bool',
        inputs: [],
        attrs: { length: 2, dtype: 'bool' },
        message: /^iota: .* f32, i32 or u32, got bool/,
      },
    ],
    tolerance: { relative: 0, source: 'whole numbers, exact' },
    bench: { flops: () => 0, sample: { inputs: [], attrs: { length: 1 << 20, dtype: 'i32' } } },
  },
  (apply) =>
    (length, dtype = 'i32') =>
      apply([], { length, dtype }),
);

/** Zeros of `shape`. */
export function zeros(shape: Shape, dtype: DType = 'f32'): Tensor {
  return full(shape, 0, dtype);
}

/** Ones of `shape`. */
export function ones(shape: Shape, dtype: DType = 'f32'): Tensor {
  return full(shape, 1, dtype);
}

/** Zeros of the shape and dtype of `x`. */
export function zerosLike(x: Aval): Tensor {
  return full(x.shape, 0, x.dtype);
}

/** Ones of the shape and dtype of `x`. */
export function onesLike(x: Aval): Tensor {
  return full(x.shape, 1, x.dtype);
}

/** One value as a tensor of shape []. */
export function scalar(value: number | boolean, dtype?: DType): Tensor {
  return full([], value, dtype ?? (typeof value === 'boolean' ? 'bool' : 'f32'));
}

/**
 * An operand as a tensor: a number takes the dtype of its partner, a tensor (or anything that an op will refuse by
 * itself) passes.
 * @throws DownhillError `argument` for a number that the dtype cannot hold.
 */
export function asTensor(op: string, value: Tensor | number, partner: Tensor | number): Tensor {
  if (typeof value !== 'number') return value;
  const dtype = partner instanceof Tensor ? partner.dtype : 'f32';
  checkValue(op, value, dtype);
  return full([], value, dtype);
}

/** The records of this family. */
export const createOps: readonly Op[] = [full, iota];

const RANGES = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1], bool: [0, 1] } as const;

/** @throws DownhillError unless `dtype` is one and can hold `value`. */
export function checkValue(op: string, value: number, dtype: DType): void {
  if (!DTYPES.includes(dtype)) {
    throw new DownhillError('dtype', `${op}: unknown dtype ${JSON.stringify(dtype)}; dtypes are ${DTYPES.join(', ')}`);
  }
  if (dtype === 'f32') return;
  const [low, high] = RANGES[dtype];
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new DownhillError('argument', `${op}: ${dtype} holds whole numbers from ${low} to ${high}, got ${value}`);
  }
}

/** WGSL expression for a constant of `dtype`; f32 through the uniform block. */
export function constantWgsl(value: number, dtype: DType, context: Pick<EmitContext<unknown>, 'scalar'>): string {
  if (dtype === 'f32') return context.scalar(value);
  if (dtype === 'bool') return String(value !== 0);
  // As bits: -2147483648i is not a literal.
  return dtype === 'u32' ? `${value}u` : `bitcast<i32>(${value >>> 0}u)`;
}
