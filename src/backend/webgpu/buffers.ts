/**
 * Device memory. Every buffer is zero when made, can be bound as storage and copied in both directions.
 *
 * Invariant: a size that the device refuses is an error here, before anything is bound to it. Sizes are rounded up to
 * 16 bytes, so that a kernel may read the last elements of a buffer as a vec4.
 */

import type { DType } from '../../core/dtype.ts';
import { DownhillError } from '../../util/errors.ts';
import type { BackendBuffer } from '../backend.ts';
import { countCreated, countFreed, elementsIn } from '../bookkeeping.ts';
import { type HostData, toDeviceWords } from '../host-data.ts';
import type { DeviceContext } from './device.ts';
import { COPY_DST, COPY_SRC, STORAGE } from './flags.ts';

export class WebGPUBuffer implements BackendBuffer {
  #disposed = false;

  constructor(
    readonly context: DeviceContext,
    readonly gpu: GPUBuffer,
    readonly bytes: number,
    readonly label: string,
    /** Undefined for plan buffers, which hold values of several dtypes. */
    readonly dtype: DType | undefined,
    /** What the device said of the allocation; settles soon after. */
    readonly failure: Promise<DownhillError | undefined>,
  ) {}

  get elements(): number {
    return elementsIn(this.bytes, this.dtype);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Frees the memory once submitted work no longer needs it. Calling it twice is harmless. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    countFreed(this.context.counters, this.gpu.size);
    this.gpu.destroy();
  }
}

/**
 * A zeroed buffer of `bytes`, a whole number of words.
 * @throws DownhillError `device` when it exceeds a limit; a failing allocation shows in `failure`.
 */
export function allocate(
  context: DeviceContext,
  bytes: number,
  label: string,
  dtype?: DType,
  usage: number = STORAGE | COPY_SRC | COPY_DST,
): WebGPUBuffer {
  checkSize(context, bytes, label, usage);
  const padded = Math.max(16, Math.ceil(bytes / 16) * 16);
  const size = padded <= context.target.maxBufferSize ? padded : bytes;
  const { value, failure } = context.guard(`buffer "${label}" (${formatBytes(size)})`, () =>
    context.device.createBuffer({ label, size, usage }),
  );
  countCreated(context.counters, size);
  return new WebGPUBuffer(context, value, bytes, label, dtype, failure);
}

function checkSize({ target, description }: DeviceContext, bytes: number, label: string, usage: number): void {
  const [name, limit] =
    (usage & STORAGE) !== 0 && target.maxStorageBufferBindingSize < target.maxBufferSize
      ? ['maxStorageBufferBindingSize', target.maxStorageBufferBindingSize]
      : ['maxBufferSize', target.maxBufferSize];
  if (bytes > Number(limit)) {
    throw new DownhillError(
      'device',
      `buffer "${label}" takes ${formatBytes(bytes)}; ${description} allows ${formatBytes(Number(limit))} (${name})`,
    );
  }
}

/** `buffer` as one of `context`'s. @throws DownhillError `state` after its dispose(), `argument` for a stranger. */
export function ownBuffer(context: DeviceContext, buffer: BackendBuffer, action: string): WebGPUBuffer {
  if (!(buffer instanceof WebGPUBuffer) || buffer.context !== context) {
    throw new DownhillError('argument', `${action}: buffer "${buffer?.label}" belongs to another backend`);
  }
  if (buffer.disposed) throw new DownhillError('state', `${action}: buffer "${buffer.label}" was disposed`);
  return buffer;
}

/** Writes host data at a byte offset; what it holds is copied before the call returns. */
export function writeWords(context: DeviceContext, buffer: WebGPUBuffer, byteOffset: number, data: HostData): void {
  const words = toDeviceWords(data);
  // The cast: a typed array over shared memory is no input of writeBuffer, and none is made here.
  context.device.queue.writeBuffer(buffer.gpu, byteOffset, words as Float32Array<ArrayBuffer>);
}

/** `12.5 MiB`; whole bytes below 10 KiB. */
export function formatBytes(bytes: number): string {
  if (bytes < 10240) return `${bytes} bytes`;
  const units = ['KiB', 'MiB', 'GiB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(2))} ${units[unit]} (${bytes} bytes)`;
}
