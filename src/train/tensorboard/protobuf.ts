/**
 * As much of Protocol Buffers' wire format as events need: fields in ascending order, values of the proto3 defaults
 * left out by whoever writes them.
 * Source: protobuf.dev/programming-guides/encoding.
 */

import { joinBytes } from '../../util/join-bytes.ts';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

/** Field `number` with a whole number of at least 0. */
export function varintField(number: number, value: number): Uint8Array {
  return joinBytes([varint(8 * number + VARINT), varint(value)]);
}

/** Field `number` with an f64. */
export function doubleField(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return joinBytes([varint(8 * number + FIXED64), bytes]);
}

/** Field `number` with bytes, a text (UTF-8) or a message. */
export function bytesField(number: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return joinBytes([varint(8 * number + BYTES), varint(bytes.length), bytes]);
}

/** Seven bits a byte, the lowest first; up to 2⁵³, where bit operators would stop at 2³². */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(128 + (rest % 128));
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
