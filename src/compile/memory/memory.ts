/**
 * Memory: where every value is stored. Values with disjoint lifetimes share whole buffers; parts of an in-place
 * concatenation are inside its buffer; an update is stored in its target's buffer where nothing reads the old value
 * afterwards.
 *
 * Invariant (checked by verifyPlan): while a value is still read, nothing else is written over it, except by the very
 * kernel that reads it, at the very index it reads.
 */

import { type DType, deviceBytes, storageType } from '../../core/dtype.ts';
import type { GraphInput } from '../../core/graph.ts';
import type { Tensor } from '../../core/tensor.ts';
import { type BufferRole, type Location, type PlacedValue, type PlanBuffer, SCALAR_STRIDE } from '../plan.ts';

/** Bytes of a slot of the scalar block, and of the smallest buffer. */
const SCALAR_BYTES = deviceBytes('u32', SCALAR_STRIDE);
const WORD = deviceBytes('u32', 1);

/** Collects buffers and says where values are stored. */
export class Memory {
  private readonly buffers: { role: BufferRole; bytes: number; label: string; data?: PlanBuffer['data'] }[] = [];
  private readonly locations = new Map<Tensor, Location>();
  /** Temporaries that no live value uses. */
  private readonly free: number[] = [];
  private readonly empty = new Map<string, number>();
  /** The scalar block, once there is one. */
  readonly scalarBuffer: number | null;

  constructor(
    inputs: readonly GraphInput[],
    private readonly reuse: boolean,
  ) {
    let scalars = 0;
    for (const { name, kind, tensor } of inputs) {
      if (kind === 'scalar') {
        scalars++;
        continue;
      }
      const data = kind === 'constant' && tensor.leaf?.kind === 'host' ? tensor.leaf.data : undefined;
      const role = kind === 'bound' ? 'bound' : 'constant';
      this.locations.set(tensor, {
        buffer: this.add(role, deviceBytes(tensor.dtype, tensor.size), name, data),
        offset: 0,
      });
    }
    this.scalarBuffer = scalars > 0 ? this.add('scalars', scalars * SCALAR_BYTES, 'scalar block') : null;
    let slot = 0;
    for (const { kind, tensor } of inputs) {
      if (kind !== 'scalar' || this.scalarBuffer === null) continue;
      this.locations.set(tensor, { buffer: this.scalarBuffer, offset: slot++ * SCALAR_STRIDE });
    }
  }

  /** A new buffer of at least one word, because WebGPU binds no empty range. */
  add(role: BufferRole, bytes: number, label: string, data?: PlanBuffer['data']): number {
    this.buffers.push({ role, bytes: Math.max(WORD, bytes), label, ...(data === undefined ? {} : { data }) });
    return this.buffers.length - 1;
  }

  /** Where values without elements are stored: one word that nobody reads, a buffer for each storage type. */
  nothing(dtype: DType): Location {
    const type = storageType(dtype);
    let buffer = this.empty.get(type);
    if (buffer === undefined) {
      buffer = this.add('constant', WORD, `nothing (${type})`, new Uint32Array(1));
      this.empty.set(type, buffer);
    }
    return { buffer, offset: 0 };
  }

  place(root: Tensor, location: Location): void {
    this.locations.set(root, location);
  }

  /** Where `root` is stored, or undefined before it was placed. */
  find(root: Tensor): Location | undefined {
    return this.locations.get(root);
  }

  /** A temporary of `bytes`: a free buffer of the nearest size (grown when none is large enough), or a new one. */
  acquire(bytes: number, label: string): number {
    let best = -1;
    for (const candidate of this.reuse ? this.free : []) {
      if (best === -1 || this.fitsBetter(candidate, best, bytes)) best = candidate;
    }
    if (best === -1) return this.add('temporary', bytes, label);
    this.free.splice(this.free.indexOf(best), 1);
    this.buffers[best].bytes = Math.max(this.buffers[best].bytes, bytes);
    return best;
  }

  /** A temporary for `elements` partial results, between the dispatches of one kernel. */
  scratch(elements: number, dtype: DType, label: string): PlacedValue {
    return { buffer: this.acquire(deviceBytes(dtype, elements), label), offset: 0, shape: [elements], dtype };
  }

  /** Gives a temporary back. */
  release(buffer: number): void {
    if (this.buffers[buffer].role === 'temporary') this.free.push(buffer);
  }

  list(): PlanBuffer[] {
    return this.buffers.map((buffer, id) => ({ id, ...buffer }));
  }

  private fitsBetter(a: number, b: number, bytes: number): boolean {
    const [sizeA, sizeB] = [this.buffers[a].bytes, this.buffers[b].bytes];
    if (sizeA >= bytes !== sizeB >= bytes) return sizeA >= bytes;
    return sizeA >= bytes ? sizeA < sizeB : sizeA > sizeB;
  }
}
