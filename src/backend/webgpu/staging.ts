/**
 * Reading back through a pool of mappable buffers. A read copies into a staging buffer in the same queue as the runs,
 * so it sees exactly what was submitted before it; any number of reads may wait at once.
 *
 * Invariant: a staging buffer is either with one read or idle. The pool keeps a bounded number of small ones; they are
 * scratch of the backend, not anybody's data, so they do not count as live buffers.
 */

import type { DeviceContext } from './device.ts';
import { COPY_DST, MAP_MODE_READ, MAP_READ } from './flags.ts';

const SMALLEST = 256;
/** Staging buffers above this size are freed after use. */
const LARGEST_KEPT = 4 * 1024 * 1024;
const MOST_KEPT = 8;

export class StagingPool {
  readonly #idle: GPUBuffer[] = [];

  constructor(private readonly context: DeviceContext) {}

  /**
   * `bytes` bytes of `source` from `offset`, as they are after everything submitted so far.
   * @throws DownhillError `device-lost` when the device goes away meanwhile.
   */
  async read(source: GPUBuffer, offset: number, bytes: number, label: string): Promise<ArrayBuffer> {
    const { context } = this;
    if (bytes === 0) return new ArrayBuffer(0);
    const staging = this.#acquire(bytes);
    const encoder = context.device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, offset, staging, 0, bytes);
    context.submit(encoder);
    try {
      await context.wait(staging.mapAsync(MAP_MODE_READ, 0, bytes));
    } catch (cause) {
      staging.destroy();
      throw await context.explain(`read "${label}"`, cause);
    }
    const result = staging.getMappedRange(0, bytes).slice(0);
    staging.unmap();
    this.#release(staging);
    return result;
  }

  /** Frees the idle buffers; those in use are freed when their read ends. */
  dispose(): void {
    for (const buffer of this.#idle.splice(0)) buffer.destroy();
  }

  #acquire(bytes: number): GPUBuffer {
    const size = this.#sizeFor(bytes);
    const at = this.#idle.findIndex((buffer) => buffer.size === size);
    if (at >= 0) return this.#idle.splice(at, 1)[0];
    this.context.counters.buffersCreated++;
    return this.context.device.createBuffer({ label: 'staging', size, usage: MAP_READ | COPY_DST });
  }

  #release(buffer: GPUBuffer): void {
    if (this.context.disposed || buffer.size > LARGEST_KEPT) {
      buffer.destroy();
      return;
    }
    this.#idle.push(buffer);
    if (this.#idle.length > MOST_KEPT) this.#idle.shift()?.destroy();
  }

  /** Powers of two, so that a few buffers serve all sizes; large ones exact, as they are not kept. */
  #sizeFor(bytes: number): number {
    if (bytes > LARGEST_KEPT) return bytes;
    let size = SMALLEST;
    while (size < bytes) size *= 2;
    return size;
  }
}
