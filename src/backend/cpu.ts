/**
 * The CPU backend: runs a plan, with the plan's own buffers, by the reference functions of the ops. At precision `f64`
 * it is the reference that GPUs are compared with; at `f32` it trains where there is no adapter.
 *
 * A run is finished when `run` returns. Plans are held to their rules, not to a device's limits: memory is the limit.
 */

import { isCompiled, verifyForeign } from '../compile/compiled-plans.ts';
import type { Plan } from '../compile/plan.ts';
import { SOFTWARE_TARGET, type Target, type TileChoices, withTiles } from '../compile/target.ts';
import type { DType, Precision, TypedArray } from '../core/dtype.ts';
import { DownhillError } from '../util/errors.ts';
import type { Backend, BackendBuffer } from './backend.ts';
import { newCounters } from './bookkeeping.ts';
import { CpuBuffer, ownCpuBuffer } from './cpu/memory.ts';
import { CpuProgram, type Executor } from './cpu/program.ts';
import { bringReferences, opsWithoutReference } from './cpu/references.ts';
import { checkHostData, checkRange, type HostData } from './host-data.ts';

export interface CpuOptions {
  /** Arithmetic for f32 values; `f32` by default. */
  readonly precision?: Precision;
  /** What plans for this backend are made for; a software adapter that grants WebGPU's defaults when left out. */
  readonly target?: Target;
}

export class CpuBackend implements Backend {
  readonly kind = 'cpu';
  readonly counters = newCounters();
  readonly description: string;
  #disposed = false;

  constructor(
    readonly precision: Precision,
    public target: Target,
    /** Who computes a dispatch; the ops' references when left out. */
    private readonly executor?: Executor,
  ) {
    this.description = precision === 'f64' ? 'CPU (f64 reference)' : 'CPU (f32)';
  }

  createBuffer(elements: number, dtype: DType, label: string): CpuBuffer {
    this.#assertUsable();
    if (!Number.isInteger(elements) || elements < 0) {
      throw new DownhillError('argument', `buffer "${label}": ${elements} elements; a whole number ≥ 0 is needed`);
    }
    return new CpuBuffer(this.counters, this.precision, elements, label, dtype);
  }

  write(buffer: BackendBuffer, data: HostData, offset = 0): void {
    this.#assertUsable();
    const target = ownCpuBuffer(this.counters, buffer, 'write');
    checkHostData(data, target.dtype ?? dtypeOf(data), target.label);
    checkRange('write to', target, offset, data.length);
    target.view(target.dtype ?? dtypeOf(data), offset, data.length).set(data);
  }

  copy(from: BackendBuffer, fromOffset: number, to: BackendBuffer, toOffset: number, elements: number): void {
    this.#assertUsable();
    const source = ownCpuBuffer(this.counters, from, 'copy');
    const target = ownCpuBuffer(this.counters, to, 'copy');
    checkRange('copy from', source, fromOffset, elements);
    checkRange('copy to', target, toOffset, elements);
    if (source === target) {
      throw new DownhillError('argument', `copy: "${from.label}" cannot be copied into itself`);
    }
    target.copyFrom(source, fromOffset, toOffset, elements);
  }

  async read(
    buffer: BackendBuffer,
    dtype: DType,
    offset = 0,
    elements = buffer.elements - offset,
  ): Promise<TypedArray | Float64Array> {
    this.#assertUsable();
    const source = ownCpuBuffer(this.counters, buffer, 'read');
    checkRange('read of', source, offset, elements);
    return source.read(dtype, offset, elements);
  }

  async load(
    plan: Plan,
    bound: readonly BackendBuffer[],
    onProgress?: (built: number, total: number) => void,
  ): Promise<CpuProgram> {
    this.#assertUsable();
    if (!isCompiled(plan)) await verifyForeign(plan);
    const bare = opsWithoutReference(plan);
    if (bare.length > 0) await bringReferences(bare);
    const own = bound.map((buffer) => ownCpuBuffer(this.counters, buffer, `load "${plan.name}"`));
    const program = new CpuProgram(plan, own, this.counters, this.precision, () => this.#assertUsable(), this.executor);
    onProgress?.(plan.kernels.length, plan.kernels.length);
    return program;
  }

  /** They change no number here: references know no tiles. */
  useTiles(tiles: TileChoices | undefined): void {
    this.target = withTiles(this.target, tiles);
  }

  async finish(): Promise<void> {
    this.#assertUsable();
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
  }

  #assertUsable(): void {
    if (this.#disposed) throw new DownhillError('state', `the backend ${this.description} was disposed`);
  }
}

/** A backend that needs no device. Works everywhere. */
export function createCpuBackend({ precision = 'f32', target = SOFTWARE_TARGET }: CpuOptions = {}): CpuBackend {
  return new CpuBackend(precision, target);
}

/** The dtype in which host data has on the device, for plan buffers, which have none of their own. */
function dtypeOf(data: HostData): DType {
  if (data instanceof Float32Array || data instanceof Float64Array) return 'f32';
  return data instanceof Int32Array ? 'i32' : 'u32';
}
