/**
 * The null backend: checks plans and calls, computes nothing, needs no device. Reads give zeros.
 */

import type { Plan } from '../compile/plan.ts';
import { DEFAULT_TARGET, type Target, type TileChoices, withTiles } from '../compile/target.ts';
import { verifyPlan } from '../compile/verify-plan.ts';
import { type DType, deviceBytes, type TypedArray } from '../core/dtype.ts';
import { DownhillError } from '../util/errors.ts';
import { sizeOf } from '../util/shape.ts';
import type { Backend, BackendBuffer, BackendCounters, OutputRecord, Program } from './backend.ts';
import {
  checkScalars,
  countCreated,
  countFreed,
  elementsIn,
  newCounters,
  pairBound,
  scalarBlock,
} from './bookkeeping.ts';
import { checkHostData, checkRange, fromDeviceBytes, type HostData } from './host-data.ts';

class NullBuffer implements BackendBuffer {
  #disposed = false;

  constructor(
    private readonly counters: BackendCounters,
    readonly bytes: number,
    readonly label: string,
    readonly dtype: DType | undefined,
  ) {
    countCreated(counters, bytes);
  }

  get elements(): number {
    return elementsIn(this.bytes, this.dtype);
  }

  assertAlive(action: string): void {
    if (this.#disposed) throw new DownhillError('state', `${action}: buffer "${this.label}" was disposed`);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    countFreed(this.counters, this.bytes);
  }
}

class NullProgram implements Program {
  readonly loadMs = 0;
  readonly outputs: readonly BackendBuffer[];
  readonly #owned: NullBuffer[];
  #disposed = false;

  constructor(
    readonly plan: Plan,
    bound: readonly BackendBuffer[],
    private readonly counters: BackendCounters,
  ) {
    const buffers = pairBound(plan, bound);
    this.#owned = plan.buffers
      .filter((buffer) => buffer.role !== 'bound')
      .map((buffer) => {
        const made = new NullBuffer(counters, buffer.bytes, buffer.label, undefined);
        buffers.set(buffer.id, made);
        return made;
      });
    this.outputs = plan.outputs.map((output) => buffers.get(output.buffer) as BackendBuffer);
    counters.pipelinesCreated += plan.kernels.length;
    counters.bindGroupsCreated += plan.dispatches.length;
  }

  run(scalars?: Uint32Array, records: readonly OutputRecord[] = []): void {
    this.#assertUsable('run');
    checkScalars(this.plan, scalarBlock(this.plan), scalars);
    for (const { output, into, offset } of records) {
      checkRange('record in', into, offset, sizeOf(this.#output(output).shape));
    }
    this.counters.submits++;
    this.counters.passes++;
    this.counters.dispatches += this.plan.dispatches.length;
  }

  bind(bound: readonly BackendBuffer[]): void {
    this.#assertUsable('bind');
    pairBound(this.plan, bound);
  }

  async read(index: number): Promise<TypedArray> {
    this.#assertUsable('read');
    const { shape, dtype } = this.#output(index);
    return zeros(dtype, sizeOf(shape));
  }

  dispose(): void {
    this.#disposed = true;
    for (const buffer of this.#owned) buffer.dispose();
  }

  #output(index: number) {
    const output = this.plan.outputs[index];
    if (output === undefined) throw new DownhillError('argument', `"${this.plan.name}" has no output ${index}`);
    return output;
  }

  #assertUsable(action: string): void {
    if (this.#disposed) throw new DownhillError('state', `${action}: program "${this.plan.name}" was disposed`);
  }
}

class NullBackend implements Backend {
  readonly kind = 'null';
  readonly description = 'null (checks plans, computes nothing)';
  readonly counters = newCounters();

  constructor(public target: Target) {}

  useTiles(tiles: TileChoices | undefined): void {
    this.target = withTiles(this.target, tiles);
  }

  createBuffer(elements: number, dtype: DType, label: string): BackendBuffer {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.target;
    const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    const bytes = deviceBytes(dtype, elements);
    if (bytes > limit) {
      throw new DownhillError('device', `buffer "${label}" takes ${bytes} bytes; the limits allow ${limit}`);
    }
    return new NullBuffer(this.counters, bytes, label, dtype);
  }

  write(buffer: BackendBuffer, data: HostData, offset = 0): void {
    const target = this.#own(buffer, 'write');
    if (target.dtype !== undefined) checkHostData(data, target.dtype, target.label);
    checkRange('write to', target, offset, data.length);
  }

  copy(from: BackendBuffer, fromOffset: number, to: BackendBuffer, toOffset: number, elements: number): void {
    checkRange('copy from', this.#own(from, 'copy'), fromOffset, elements);
    checkRange('copy to', this.#own(to, 'copy'), toOffset, elements);
    this.counters.submits++;
  }

  async read(buffer: BackendBuffer, dtype: DType, offset = 0, elements = buffer.elements - offset) {
    checkRange('read of', this.#own(buffer, 'read'), offset, elements);
    return zeros(dtype, elements);
  }

  async load(
    plan: Plan,
    bound: readonly BackendBuffer[],
    onProgress?: (built: number, total: number) => void,
  ): Promise<Program> {
    verifyPlan(plan, this.target);
    for (const buffer of bound) this.#own(buffer, `load "${plan.name}"`);
    onProgress?.(plan.kernels.length, plan.kernels.length);
    return new NullProgram(plan, bound, this.counters);
  }

  async finish(): Promise<void> {}

  async dispose(): Promise<void> {}

  #own(buffer: BackendBuffer, action: string): NullBuffer {
    if (!(buffer instanceof NullBuffer)) {
      throw new DownhillError('argument', `${action}: buffer "${buffer?.label}" belongs to another backend`);
    }
    buffer.assertAlive(action);
    return buffer;
  }
}

/** A backend that holds plans to `target` (WebGPU's defaults when left out) and computes nothing. */
export function createNullBackend(target: Target = DEFAULT_TARGET): Backend {
  return new NullBackend(target);
}

function zeros(dtype: DType, elements: number): TypedArray {
  return fromDeviceBytes(new ArrayBuffer(deviceBytes(dtype, elements)), dtype);
}
