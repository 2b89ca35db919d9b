/**
 * Between host arrays and device elements. On the device every element is four bytes: a bool is a u32 of 0 or 1,
 * so host bools (Uint8Array) are widened on the way in and narrowed on the way out. All lengths count elements.
 */

import type { DType, TypedArray } from '../core/dtype.ts';
import { DownhillError } from '../util/errors.ts';

/** Anything a caller may hand to `write`. */
export type HostData = TypedArray | Float64Array;

/** Host array types that `dtype` accepts, in words. */
const ACCEPTED: Record<DType, string> = {
  f32: 'Float32Array or Float64Array',
  i32: 'Int32Array',
  u32: 'Uint32Array or Uint8Array (one element a byte)',
  bool: 'Uint8Array or Uint32Array of 0 and 1',
};

/** The host array type that values of `dtype` have. @throws DownhillError `dtype` naming the buffer. */
export function checkHostData(data: HostData, dtype: DType, label: string): void {
  const fits =
    dtype === 'f32'
      ? data instanceof Float32Array || data instanceof Float64Array
      : dtype === 'i32'
        ? data instanceof Int32Array
        : data instanceof Uint32Array || data instanceof Uint8Array;
  if (!fits) {
    const found = data?.constructor?.name ?? typeof data;
    throw new DownhillError('dtype', `write to "${label}" (${dtype}): got ${found}, which must be ${ACCEPTED[dtype]}`);
  }
}

/** `data` with four bytes an element; the same array when it already has them. */
export function toDeviceWords(data: HostData): Float32Array | Int32Array | Uint32Array {
  if (data instanceof Float64Array) return Float32Array.from(data);
  if (data instanceof Uint8Array) return Uint32Array.from(data);
  return data;
}

/** The bits of `data`, four bytes an element. */
export function toDeviceBits(data: HostData): Uint32Array {
  const words = toDeviceWords(data);
  return new Uint32Array(words.buffer, words.byteOffset, words.length);
}

/** Device bytes as what `await tensor.data()` gives for `dtype`; shares `bytes` unless it is a bool. */
export function fromDeviceBytes(bytes: ArrayBuffer, dtype: DType): TypedArray {
  switch (dtype) {
    case 'f32':
      return new Float32Array(bytes);
    case 'i32':
      return new Int32Array(bytes);
    case 'u32':
      return new Uint32Array(bytes);
    case 'bool':
      return Uint8Array.from(new Uint32Array(bytes));
    default:
      return dtype satisfies never;
  }
}

/** Refuses a range that leaves its buffer. @throws DownhillError `argument` naming action, buffer and both sizes. */
export function checkRange(
  action: string,
  buffer: { readonly label: string; readonly elements: number },
  offset: number,
  elements: number,
): void {
  if (!Number.isInteger(offset) || !Number.isInteger(elements) || offset < 0 || elements < 0) {
    throw new DownhillError(
      'argument',
      `${action} "${buffer.label}": offset ${offset} and length ${elements} must be whole numbers ≥ 0`,
    );
  }
  if (offset + elements > buffer.elements) {
    throw new DownhillError(
      'argument',
      `${action} "${buffer.label}": elements ${offset} to ${offset + elements} are outside its ${buffer.elements} elements`,
    );
  }
}
