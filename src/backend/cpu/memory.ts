/**
 * Memory of the CPU backend, addressed by element like a device buffer, so that the plan's reuse of memory is exercised.
 *
 * At f32 a buffer is one block of four-byte elements that every dtype sees. At f64 it has two planes, floats of eight
 * bytes and integers of four, each made when first needed: an element offset then means the same place for any view into
 * a value, whatever its dtype. Writing one plane spoils the same elements of the other, so that a value which was
 * overwritten too early does not survive in its own plane.
 */

import { type CpuData, type DType, deviceBytes, type Precision, type TypedArray } from '../../core/dtype.ts';
import { DownhillError } from '../../util/errors.ts';
import type { BackendBuffer, BackendCounters } from '../backend.ts';
import { countFreed } from '../bookkeeping.ts';

/** What a spoiled integer reads as: large, odd, and no index of anything. */
const SPOILED = 0xdeadbeef;

export class CpuBuffer implements BackendBuffer {
  #floats: Float32Array | Float64Array | undefined;
  #ints: Uint32Array | undefined;
  #bytes = 0;
  #disposed = false;

  constructor(
    readonly counters: BackendCounters,
    readonly precision: Precision,
    readonly elements: number,
    readonly label: string,
    /** Undefined for plan buffers, which hold values of several dtypes. */
    readonly dtype: DType | undefined,
  ) {
    counters.buffersCreated++;
    counters.liveBuffers++;
    if (dtype !== undefined) this.#plane(dtype);
  }

  /** As a device would count them, whatever the precision. */
  get bytes(): number {
    return deviceBytes(this.dtype ?? 'u32', this.elements);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** `elements` elements from `offset`, seen as `dtype`; shares the memory. */
  view(dtype: DType, offset: number, elements: number): CpuData {
    const plane = this.#plane(dtype);
    if (dtype !== 'i32') return plane.subarray(offset, offset + elements);
    return new Int32Array(plane.buffer, plane.byteOffset + offset * 4, elements);
  }

  /** A copy of a range as what a caller of `read` gets. */
  read(dtype: DType, offset: number, elements: number): TypedArray | Float64Array {
    const values = this.view(dtype, offset, elements);
    return dtype === 'bool' ? Uint8Array.from(values) : values.slice();
  }

  /** Copies a range of `from`, whatever dtypes lie there. */
  copyFrom(from: CpuBuffer, fromOffset: number, toOffset: number, elements: number): void {
    if (from.#floats !== undefined) {
      this.view('f32', toOffset, elements).set(from.view('f32', fromOffset, elements));
    }
    if (from.#ints !== undefined) this.view('u32', toOffset, elements).set(from.view('u32', fromOffset, elements));
  }

  /** Sets the whole buffer from the bits that a device would hold; f64 widens the floats. */
  setBits(bits: Uint32Array): void {
    this.#floats?.set(new Float32Array(bits.buffer, bits.byteOffset, bits.length));
    this.#ints?.set(bits);
  }

  /** At f64, makes the other plane's elements unusable after this range was written as `dtype`. */
  spoilOthers(dtype: DType, offset: number, elements: number): void {
    if (this.precision === 'f32') return;
    if (dtype === 'f32') this.#ints?.fill(SPOILED, offset, offset + elements);
    else this.#floats?.fill(Number.NaN, offset, offset + elements);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    countFreed(this.counters, this.#bytes);
    this.#floats = undefined;
    this.#ints = undefined;
  }

  #plane(dtype: DType): Float32Array | Float64Array | Uint32Array {
    if (this.precision === 'f32') {
      if (this.#ints === undefined) {
        this.#ints = this.#count(new Uint32Array(this.elements));
        this.#floats = new Float32Array(this.#ints.buffer);
      }
      return dtype === 'f32' ? (this.#floats as Float32Array) : this.#ints;
    }
    if (dtype === 'f32') return (this.#floats ??= this.#count(new Float64Array(this.elements)));
    return (this.#ints ??= this.#count(new Uint32Array(this.elements)));
  }

  #count<T extends CpuData>(data: T): T {
    if (this.#disposed) throw new DownhillError('state', `buffer "${this.label}" was used after dispose()`);
    this.#bytes += data.byteLength;
    this.counters.liveBytes += data.byteLength;
    this.counters.peakBytes = Math.max(this.counters.peakBytes, this.counters.liveBytes);
    return data;
  }
}

/** `buffer` as one of this backend's. @throws DownhillError `state` after its dispose(), `argument` for a stranger. */
export function ownCpuBuffer(counters: BackendCounters, buffer: BackendBuffer, action: string): CpuBuffer {
  if (!(buffer instanceof CpuBuffer) || buffer.counters !== counters) {
    throw new DownhillError('argument', `${action}: buffer "${buffer?.label}" belongs to another backend`);
  }
  if (buffer.disposed) throw new DownhillError('state', `${action}: buffer "${buffer.label}" was disposed`);
  return buffer;
}
