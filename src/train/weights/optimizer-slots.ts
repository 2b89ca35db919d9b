/**
 * OptimizerSlots: what the optimizer of one compiled model keeps for each weight (moments, averages), and its count of
 * updates. Weights are shared between models, slots are not.
 *
 * Invariant: slots have the layout of their weights; when those move, the slots follow at the next training.
 */

import type { Backend, BackendBuffer } from '../../backend/backend.ts';
import type { Optimizer } from '../../nn/optimizers/optimizer.ts';
import type { SharedGroup, WeightArray } from './variable.ts';
import type { PlacedWeight, WeightGroup } from './weight-layout.ts';
import { isGone } from './weight-pool.ts';

/** The slots of the weights in one buffer. */
interface Stored {
  readonly backend: Backend;
  readonly weights: readonly PlacedWeight[];
  readonly buffers: Map<string, BackendBuffer>;
}

/** A slot's value for one weight. */
export interface SlotValue {
  readonly slot: string;
  /** Of the weight. */
  readonly path: string;
  readonly data: WeightArray;
}

export class OptimizerSlots {
  /** Updates made so far. */
  iterations = 0;
  /** Values that have no buffer now, by slot and weight. */
  private readonly host = new Map<string, SlotValue>();
  private readonly stored = new Map<SharedGroup, Stored>();
  /** What slots hold before the first update. */
  private readonly starts = new Map<string, number>();

  /** The buffers of the slots for the weights of `group`, as they come and go. */
  buffersOf({ stored, weights }: WeightGroup & { readonly stored: SharedGroup }): ReadonlyMap<string, BackendBuffer> {
    const known = this.stored.get(stored);
    if (known !== undefined) return known.buffers;
    const buffers = new Map<string, BackendBuffer>();
    this.stored.set(stored, { backend: stored.backend, weights, buffers });
    return buffers;
  }

  /**
   * Reads what is on other backends. A device that is gone takes the optimizer's state along: it starts from zero.
   */
  async leaveAllBut(backend: Backend): Promise<void> {
    let lost = false;
    for (const [group, entry] of this.stored) {
      if (entry.backend === backend) continue;
      try {
        const values = await readStored(entry);
        if (this.stored.get(group) !== entry) continue;
        for (const value of values) this.host.set(slotKey(value.slot, value.path), value);
        this.drop(group);
      } catch (error) {
        if (!isGone(error)) throw error;
        lost = true;
        // Buffers on `backend` stay: views of the weights there have them already.
        this.drop(group);
      }
    }
    if (!lost) return;
    this.iterations = 0;
    this.host.clear();
  }

  /**
   * Makes sure that each trainable group has the slots of `optimizer`: moved from where they were, at their start where
   * nothing was stored.
   */
  place(
    backend: Backend,
    groups: readonly (WeightGroup & { readonly stored: SharedGroup })[],
    optimizer: Optimizer,
  ): void {
    const trainable = groups.filter((group) => group.trainable);
    const current = new Set(trainable.map(({ stored }) => stored));
    const elsewhere = new Map<string, { readonly buffer: BackendBuffer; readonly offset: number }>();
    const stale = [...this.stored].filter(([group]) => !current.has(group));
    for (const [, { weights, buffers }] of stale) {
      for (const [slot, buffer] of buffers) {
        for (const { path, offset } of weights) elsewhere.set(slotKey(slot, path), { buffer, offset });
      }
    }
    for (const group of trainable) {
      const buffers = this.buffersOf(group) as Map<string, BackendBuffer>;
      for (const [slot, start] of Object.entries(optimizer.slotStartsOf(group.rule))) {
        if (buffers.has(slot)) continue;
        this.starts.set(slot, start);
        const buffer = backend.createBuffer(group.elements, 'f32', `${group.name}.${slot}`);
        buffers.set(slot, buffer);
        if (start !== 0) backend.write(buffer, new Float32Array(group.elements).fill(start));
        for (const { path, offset, size } of group.weights) {
          const key = slotKey(slot, path);
          const from = elsewhere.get(key);
          const known = this.host.get(key);
          if (from !== undefined) backend.copy(from.buffer, from.offset, buffer, offset, size);
          else if (known !== undefined) backend.write(buffer, known.data, offset);
          this.host.delete(key);
        }
      }
    }
    for (const [group] of stale) this.drop(group);
  }

  /** All values; none before the first update. */
  async read(): Promise<SlotValue[]> {
    const values = [...this.host.values()].map((value): SlotValue => ({ ...value, data: value.data.slice() }));
    // One after the other: reads share a staging buffer.
    for (const entry of [...this.stored.values()]) values.push(...(await readStored(entry)));
    return values;
  }

  /**
   * Replaces the values (as before the first update where there is none) and the count of updates. Slots that have a
   * buffer keep it: programs may have bound it.
   */
  write(values: ReadonlyMap<string, SlotValue>, iterations: number): void {
    this.iterations = iterations;
    this.host.clear();
    for (const [key, value] of values) this.host.set(key, { ...value, data: value.data.slice() });
    for (const [group, { backend, weights, buffers }] of this.stored) {
      try {
        for (const [slot, buffer] of buffers) {
          for (const { path, offset, size } of weights) {
            const start = () => new Float32Array(size).fill(this.starts.get(slot) ?? 0);
            backend.write(buffer, values.get(slotKey(slot, path))?.data ?? start(), offset);
          }
        }
      } catch (error) {
        if (!isGone(error)) throw error;
        this.drop(group);
        continue;
      }
      for (const slot of buffers.keys()) for (const { path } of weights) this.host.delete(slotKey(slot, path));
    }
  }

  /** Forgets all values and the count of updates: a model that is compiled anew starts from zero. */
  reset(): void {
    this.iterations = 0;
    this.host.clear();
    for (const group of [...this.stored.keys()]) this.drop(group);
  }

  private drop(group: SharedGroup): void {
    for (const buffer of this.stored.get(group)?.buffers.values() ?? []) buffer.dispose();
    this.stored.delete(group);
  }
}

/** Name of a slot's value for one weight. */
export function slotKey(slot: string, path: string): string {
  return `${slot}:${path}`;
}

async function readStored({ backend, weights, buffers }: Stored): Promise<SlotValue[]> {
  const values: SlotValue[] = [];
  for (const [slot, buffer] of [...buffers]) {
    const flat = (await backend.read(buffer, 'f32')) as WeightArray;
    for (const { path, offset, size } of weights) values.push({ slot, path, data: flat.slice(offset, offset + size) });
  }
  return values;
}
