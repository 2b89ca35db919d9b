/**
 * WeightStore: the values of a model's weights and of its optimizer's slots, wherever they are.
 *
 * Invariants: values start on the host (drawn when first asked for) and move to a backend's buffers when a program
 * needs them; from then on the buffers are the truth. Moving to another backend carries everything along. The store
 * owns every buffer it makes; `dispose` frees them all.
 */

import type { Backend, BackendBuffer } from '../backend/backend.ts';
import type { Optimizer } from '../nn/optimizers/optimizer.ts';
import { DownhillError } from '../util/errors.ts';
import { formatShape, type Shape, sizeOf } from '../util/shape.ts';
import { formatBytes } from '../util/text.ts';
import { layoutWeights, type PlacedWeight, type Weight, type WeightGroup } from './weight-layout.ts';

/** f32 values; Float64Array when they come from the f64 reference backend. */
export type WeightArray = Float32Array | Float64Array;

/** The value of one weight or of one optimizer slot of a weight. */
export interface WeightValue {
  /** `dense/kernel`. */
  readonly name: string;
  readonly shape: Shape;
  /** Row-major. */
  readonly data: WeightArray;
}

/** A group on a device, with one buffer more for each slot of the optimizer. */
export interface DeviceGroup extends WeightGroup {
  readonly buffer: BackendBuffer;
  readonly slots: ReadonlyMap<string, BackendBuffer>;
}

interface Attached {
  readonly backend: Backend;
  readonly groups: readonly (WeightGroup & {
    readonly buffer: BackendBuffer;
    readonly slots: Map<string, BackendBuffer>;
  })[];
}

export class WeightStore {
  /** Optimizer updates made so far. */
  iterations = 0;
  private readonly hostWeights = new Map<string, WeightArray>();
  /** Slot values that have no buffer now, by slot and weight: `m:dense/kernel`. */
  private readonly hostSlots = new Map<string, WeightArray>();
  /** What the slots that have buffers hold before the first update. */
  private readonly slotStarts = new Map<string, number>();
  private attached: Attached | undefined;
  private disposed = false;
  private known: readonly Weight[];

  constructor(
    weights: readonly Weight[],
    private readonly seed: number,
  ) {
    this.known = weights;
  }

  /** The weights in the order of the layers, as the last `relayout` marked them. */
  get weights(): readonly Weight[] {
    return this.known;
  }

  /** True while no value was drawn, set or moved to a device. */
  get untouched(): boolean {
    return this.attached === undefined && this.hostWeights.size === 0;
  }

  /**
   * The groups on `backend`, moved there if they are elsewhere.
   * @throws DownhillError `device` when one weight is larger than the adapter can bind.
   */
  async onBackend(backend: Backend): Promise<readonly DeviceGroup[]> {
    this.assertUsable();
    if (this.attached?.backend !== backend) {
      await this.toHost();
      await this.adopt();
      this.attach(backend);
    }
    return this.attached!.groups;
  }

  /**
   * Takes over other marks of the same weights (frozen, rate, decay, rule), which decide where they lie. Values are carried
   * along on the device; the optimizer starts from zero.
   */
  relayout(weights: readonly Weight[]): void {
    this.assertUsable();
    this.resetOptimizer();
    this.known = weights;
    const old = this.attached;
    if (old === undefined) return;
    const layout = this.layout(old.backend);
    if (String(layout.map(placement)) === String(old.groups.map(placement))) {
      const groups = layout.map((group, k) => ({ ...group, buffer: old.groups[k].buffer, slots: old.groups[k].slots }));
      this.attached = { backend: old.backend, groups };
      return;
    }
    const places = new Map(
      old.groups.flatMap((group) => group.weights.map(({ path, offset }) => [path, { group, offset }] as const)),
    );
    const groups = this.placed(old.backend, layout, ({ path, offset, size }, buffer) => {
      const from = places.get(path)!;
      old.backend.copy(from.group.buffer, from.offset, buffer, offset, size);
    });
    this.release();
    this.attached = { backend: old.backend, groups };
  }

  /** Puts the optimizer's moving averages in the place of the weights. Nothing happens before the first update. */
  takeAverages(slot: string): void {
    if (this.attached === undefined || this.iterations === 0) return;
    for (const { buffer, slots, elements } of this.attached.groups) {
      const average = slots.get(slot);
      if (average !== undefined) this.attached.backend.copy(average, 0, buffer, 0, elements);
    }
  }

  /** Makes sure that each trainable group has the slot buffers of `optimizer`, at their start where nothing was stored. */
  addSlots(optimizer: Optimizer): void {
    if (this.attached === undefined) throw new DownhillError('internal', 'optimizer slots before the weights');
    const { backend, groups } = this.attached;
    for (const group of groups) {
      if (!group.trainable) continue;
      for (const [slot, start] of Object.entries(optimizer.slotStartsOf(group.rule))) {
        if (group.slots.has(slot)) continue;
        this.slotStarts.set(slot, start);
        const buffer = backend.createBuffer(group.elements, 'f32', `${group.name}.${slot}`);
        group.slots.set(slot, buffer);
        if (start !== 0) backend.write(buffer, new Float32Array(group.elements).fill(start));
        for (const { path, offset } of group.weights) {
          const values = this.hostSlots.get(slotKey(slot, path));
          if (values !== undefined) backend.write(buffer, values, offset);
          this.hostSlots.delete(slotKey(slot, path));
        }
      }
    }
  }

  /** Forgets the optimizer's slots and its count of updates: a model that is compiled anew starts from zero. */
  resetOptimizer(): void {
    this.iterations = 0;
    this.hostSlots.clear();
    for (const group of this.attached?.groups ?? []) {
      for (const buffer of group.slots.values()) buffer.dispose();
      group.slots.clear();
    }
  }

  /** The values of all weights, in the order of the layers. */
  async read(): Promise<WeightValue[]> {
    this.assertUsable();
    if (this.attached === undefined) {
      await this.adopt();
      return this.weights.map((weight) => weightValue(weight.path, weight, Float32Array.from(this.hostValue(weight))));
    }
    const { backend, groups } = this.attached;
    const found = new Map<string, WeightArray>();
    for (const group of groups) {
      const flat = (await backend.read(group.buffer, 'f32')) as WeightArray;
      for (const { path, offset, size } of group.weights) found.set(path, flat.slice(offset, offset + size));
    }
    return this.weights.map((weight) => weightValue(weight.path, weight, found.get(weight.path)!));
  }

  /** The values of the optimizer's slots by slot name and weight, `m:dense/kernel`; empty before the first update. */
  async readSlots(): Promise<WeightValue[]> {
    this.assertUsable();
    const byPath = new Map(this.weights.map((weight) => [weight.path, weight]));
    const values = [...this.hostSlots].map(([key, data]) => {
      return weightValue(key, byPath.get(key.slice(key.indexOf(':') + 1))!, data.slice());
    });
    const { backend, groups } = this.attached ?? { backend: undefined, groups: [] };
    for (const group of groups) {
      for (const [slot, buffer] of group.slots) {
        const flat = (await backend!.read(buffer, 'f32')) as WeightArray;
        for (const weight of group.weights) {
          const data = flat.slice(weight.offset, weight.offset + weight.size);
          values.push(weightValue(slotKey(slot, weight.path), weight, data));
        }
      }
    }
    return values;
  }

  /** Replaces the values of the named weights; names and sizes have been checked. */
  write(values: ReadonlyMap<string, WeightArray>): void {
    this.assertUsable();
    if (this.attached === undefined) {
      for (const [path, data] of values) this.hostWeights.set(path, data.slice());
      return;
    }
    for (const group of this.attached.groups) {
      for (const { path, offset } of group.weights) {
        const data = values.get(path);
        if (data !== undefined) this.attached.backend.write(group.buffer, data, offset);
      }
    }
  }

  /**
   * Replaces the optimizer's slots (by `slot:weight`; as before the first update where there is none) and its count of updates. Slots that have
   * a buffer keep it: programs may have bound it.
   */
  writeSlots(values: ReadonlyMap<string, WeightArray>, iterations: number): void {
    this.assertUsable();
    this.iterations = iterations;
    this.hostSlots.clear();
    for (const [key, data] of values) this.hostSlots.set(key, data.slice());
    for (const group of this.attached?.groups ?? []) {
      for (const [slot, buffer] of group.slots) {
        for (const { path, offset, size } of group.weights) {
          const start = () => new Float32Array(size).fill(this.slotStarts.get(slot) ?? 0);
          this.attached!.backend.write(buffer, values.get(slotKey(slot, path)) ?? start(), offset);
          this.hostSlots.delete(slotKey(slot, path));
        }
      }
    }
  }

  /** Frees every buffer; nothing can be read afterwards. Calling it twice is harmless. */
  dispose(): void {
    this.disposed = true;
    this.release();
  }

  /** Reads the first values of weights that come from elsewhere (nested models), unless they have values already. */
  private async adopt(): Promise<void> {
    for (const { path, source } of this.weights) {
      if (source !== undefined && !this.hostWeights.has(path)) this.hostWeights.set(path, (await source()).slice());
    }
  }

  private attach(backend: Backend): void {
    const limit = Math.floor(backend.limits.maxStorageBufferBindingSize / 4);
    for (const { path, spec } of this.weights) {
      if (sizeOf(spec.shape) <= limit) continue;
      throw new DownhillError(
        'device',
        `weight "${path}" ${formatShape(spec.shape)} takes ${formatBytes(4 * sizeOf(spec.shape))}; ` +
          `${backend.description} binds at most ${formatBytes(4 * limit)}: make the layer smaller`,
      );
    }
    const groups = this.placed(backend, this.layout(backend), (weight, buffer) => {
      backend.write(buffer, this.hostValue(weight), weight.offset);
    });
    this.hostWeights.clear();
    this.attached = { backend, groups };
  }

  /** A quarter of the limit for each group: a kernel over it may see several of its copies in one buffer. */
  private layout(backend: Backend): WeightGroup[] {
    return layoutWeights(this.weights, Math.floor(backend.limits.maxStorageBufferBindingSize / 16));
  }

  /** Buffers for `groups`, which `fill` gives the value of each weight. */
  private placed(
    backend: Backend,
    groups: readonly WeightGroup[],
    fill: (weight: PlacedWeight, buffer: BackendBuffer) => void,
  ): Attached['groups'] {
    return groups.map((group) => {
      const buffer = backend.createBuffer(group.elements, 'f32', group.name);
      for (const weight of group.weights) fill(weight, buffer);
      return { ...group, buffer, slots: new Map<string, BackendBuffer>() };
    });
  }

  private async toHost(): Promise<void> {
    if (this.attached === undefined) return;
    const weights = await this.read();
    const slots = await this.readSlots();
    this.release();
    for (const { name, data } of weights) this.hostWeights.set(name, data);
    for (const { name, data } of slots) this.hostSlots.set(name, data);
  }

  private hostValue({ path, spec, stream }: Weight): WeightArray {
    const known = this.hostWeights.get(path);
    if (known !== undefined) return known;
    const drawn = spec.initializer.values(spec.shape, this.seed, stream);
    if (drawn.length !== sizeOf(spec.shape)) {
      throw new DownhillError(
        'shape',
        `initializer "${spec.initializer.name}" gave ${drawn.length} values for "${path}" ${formatShape(spec.shape)}`,
      );
    }
    this.hostWeights.set(path, drawn);
    return drawn;
  }

  private release(): void {
    for (const { buffer, slots } of this.attached?.groups ?? []) {
      buffer.dispose();
      for (const slot of slots.values()) slot.dispose();
    }
    this.attached = undefined;
  }

  private assertUsable(): void {
    if (this.disposed) throw new DownhillError('state', 'the model was used after dispose()');
  }
}

/** Name of a slot's value for one weight. */
export function slotKey(slot: string, path: string): string {
  return `${slot}:${path}`;
}

/** Equal for groups that keep the same weights at the same places of buffers of the same name. */
function placement({ name, weights }: WeightGroup): string {
  return JSON.stringify([name, weights.map(({ path, offset }) => [path, offset])]);
}

function weightValue(name: string, { spec }: Weight, data: WeightArray): WeightValue {
  return { name, shape: spec.shape, data };
}
