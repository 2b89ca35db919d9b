/**
 * The four element types. On the device every element takes four bytes (a bool is a u32 that is 0 or 1), so one
 * element offset addresses any buffer. The CPU backend holds f32 values in Float32Array, or in Float64Array when it
 * is the reference.
 */

export const DTYPES = ['f32', 'i32', 'u32', 'bool'] as const;

/** Element type of a tensor. */
export type DType = (typeof DTYPES)[number];

/** What `await tensor.data()` gives: f32 → Float32Array, i32 → Int32Array, u32 → Uint32Array, bool → Uint8Array. */
export type TypedArray = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** Storage of the CPU backend; Float64Array is f32 at reference precision, bool is a Uint32Array of 0 and 1. */
export type CpuData = Float64Array | Float32Array | Int32Array | Uint32Array;

const DEVICE_BYTES: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u32: 4, bool: 4 };

/** Bytes that `elements` values of `dtype` take on the device. */
export function deviceBytes(dtype: DType, elements: number): number {
  return DEVICE_BYTES[dtype] * elements;
}

/** Arithmetic the CPU backend uses for f32 values. */
export type Precision = 'f32' | 'f64';

/** A zeroed array of `length` elements for values of `dtype`. */
export function cpuArray(dtype: DType, length: number, precision: Precision): CpuData {
  switch (dtype) {
    case 'f32':
      return precision === 'f64' ? new Float64Array(length) : new Float32Array(length);
    case 'i32':
      return new Int32Array(length);
    case 'u32':
    case 'bool':
      return new Uint32Array(length);
    default:
      return dtype satisfies never;
  }
}

/** The WGSL type that stores `dtype` in a buffer. */
export function storageType(dtype: DType): 'f32' | 'i32' | 'u32' {
  return dtype === 'bool' ? 'u32' : dtype;
}

/** True for the types that carry a gradient. */
export function isFloat(dtype: DType): boolean {
  return dtype === 'f32';
}
