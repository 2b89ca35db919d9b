/**
 * WeightStore: the weights of one model, which it may share with others, and the state of its optimizer, which is its
 * own.
 *
 * Invariants: values start on the host (drawn when first asked for) and move to a backend's buffers when a program
 * needs them; from then on the buffers are the truth. Work that binds buffers opens the store, and they stay until it
 * lets go.
 */

import type { Backend, BackendBuffer } from '../../backend/backend.ts';
import type { Optimizer } from '../../nn/optimizers/optimizer.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Shape } from '../../util/shape.ts';
import { OptimizerSlots, type SlotValue, slotKey } from './optimizer-slots.ts';
import type { SharedGroup, WeightArray } from './variable.ts';
import { canTrain, viewGroups, type Weight, type WeightGroup } from './weight-layout.ts';
import { isGone, type Member, WeightPool } from './weight-pool.ts';

export type { WeightArray } from './variable.ts';

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
  readonly stored: SharedGroup;
  readonly buffer: BackendBuffer;
  readonly slots: ReadonlyMap<string, BackendBuffer>;
}

/** What the work that opens a store does with the weights. */
export interface StoreUse {
  /** It changes them: until it lets go, none of them moves. */
  readonly training?: boolean;
  /** It takes gradients of whole groups. */
  readonly gradients?: boolean;
  /** It needs the slots of this optimizer. */
  readonly optimizer?: Optimizer;
}

/** The groups of a store, which stay where they are until `release` is called. */
export interface OpenStore {
  readonly groups: readonly DeviceGroup[];
  release(): void;
}

export class WeightStore implements Member {
  active = false;
  compiled = false;
  pool: WeightPool;
  private readonly slots = new OptimizerSlots();
  private view: { readonly pool: WeightPool; readonly generation: number; readonly groups: DeviceGroup[] } | undefined;
  private touched = false;
  private disposed = false;
  private known: readonly Weight[];

  /** @param owner the model's name. */
  constructor(
    weights: readonly Weight[],
    readonly owner: string,
  ) {
    this.known = weights;
    for (const { variable } of weights) variable.hold();
    this.pool = WeightPool.join(this);
  }

  /** The weights in the order of the layers, as the last `relayout` marked them. */
  get weights(): readonly Weight[] {
    return this.known;
  }

  /** True while no value was drawn, set or moved to a device by this model. */
  get untouched(): boolean {
    return !this.touched;
  }

  /** Optimizer updates made so far. */
  get iterations(): number {
    return this.slots.iterations;
  }

  set iterations(value: number) {
    this.slots.iterations = value;
  }

  /**
   * The groups on `backend`, moved there if they are elsewhere.
   * @throws DownhillError `device` when one weight is larger than the adapter can bind, `state` when another model
   *   is being trained on the same weights and they cannot serve both, `device-lost` when values were lost with their
   *   device.
   */
  async open(backend: Backend, use: StoreUse = {}): Promise<OpenStore> {
    this.touched = true;
    do {
      this.assertUsable();
      if (!this.active) {
        this.active = true;
        this.pool.unsettle();
      }
      // Values that were lost have no place in a pool that is settled.
      if (!this.pool.isSettledOn(backend) || !this.isOn(backend)) await this.pool.settle(backend, this);
      if (use.optimizer !== undefined) await this.slots.leaveAllBut(backend);
      // Others may have moved them since.
    } while (!this.isOn(backend));
    const groups = this.currentView();
    if ((use.training || use.gradients) && !canTrain(groups)) throw this.crowded();
    if (use.optimizer !== undefined) this.slots.place(backend, groups, use.optimizer);
    const releases = groups.map(({ stored }) => stored.use(use.training ? this.owner : undefined));
    let open = true;
    const release = () => {
      if (open) for (const one of releases) one();
      open = false;
    };
    return { groups, release };
  }

  /**
   * Takes over other marks of the same weights (frozen, rate, decay, rule), those of a `compile`; the optimizer
   * starts from zero. Values move on the device when they are next needed.
   */
  relayout(weights: readonly Weight[]): void {
    this.assertUsable();
    this.slots.reset();
    this.known = weights;
    this.compiled = true;
    this.view = undefined;
    this.pool.unsettle();
  }

  /** Puts the optimizer's moving averages in the place of the weights. Nothing happens before the first update. */
  takeAverages(slot: string): void {
    if (this.view === undefined || this.iterations === 0) return;
    for (const { stored, buffer, slots, elements } of this.view.groups) {
      const average = slots.get(slot);
      if (average !== undefined) stored.backend.copy(average, 0, buffer, 0, elements);
    }
  }

  /** The values of all weights, in the order of the layers, after the steps that were sent so far. */
  async read(): Promise<WeightValue[]> {
    this.assertUsable();
    this.touched = true;
    const ranges = new Map<SharedGroup, { from: number; to: number }>();
    for (const { variable } of this.known) {
      variable.assertThere();
      if (variable.place === undefined) continue;
      const { group, offset } = variable.place;
      const { from, to } = ranges.get(group) ?? { from: offset, to: offset };
      ranges.set(group, { from: Math.min(from, offset), to: Math.max(to, offset + variable.size) });
    }
    const flats = new Map<SharedGroup, Promise<WeightArray>>();
    for (const [group, { from, to }] of ranges) {
      const release = group.use();
      const values = group.backend.read(group.buffer, 'f32', from, to - from) as Promise<WeightArray>;
      flats.set(group, values.finally(release));
    }
    return Promise.all(
      this.known.map(async ({ path, variable }) => {
        const { place, size } = variable;
        if (place === undefined) return weightValue(path, variable, Float32Array.from(variable.hostValue()));
        const start = place.offset - ranges.get(place.group)!.from;
        return weightValue(path, variable, (await flats.get(place.group)!).slice(start, start + size));
      }),
    );
  }

  /** The values of the optimizer's slots by slot name and weight, `m:dense/kernel`; empty before the first update. */
  async readSlots(): Promise<WeightValue[]> {
    this.assertUsable();
    const byPath = new Map(this.known.map((weight) => [weight.path, weight.variable]));
    return (await this.slots.read()).map(({ slot, path, data }) => {
      return weightValue(slotKey(slot, path), byPath.get(path)!, data);
    });
  }

  /**
   * Replaces the values of the named weights, which hold for every model that has them; names and sizes have been
   * checked.
   */
  write(values: ReadonlyMap<string, WeightArray>): void {
    this.assertUsable();
    this.touched = true;
    for (const { path, variable } of this.known) {
      const data = values.get(path);
      if (data === undefined) continue;
      if (variable.place !== undefined) {
        const { group, offset } = variable.place;
        try {
          group.backend.write(group.buffer, data, offset);
          variable.version++;
          continue;
        } catch (error) {
          if (!isGone(error)) throw error;
          this.pool.lose(group);
        }
      }
      variable.toHost(data.slice());
      this.pool.unsettle();
    }
  }

  /** Replaces the optimizer's slots (as before the first update where there is none) and its count of updates. */
  writeSlots(values: ReadonlyMap<string, SlotValue>, iterations: number): void {
    this.assertUsable();
    this.slots.write(values, iterations);
  }

  /**
   * Lets go of the weights, which are freed when no other model has them, and frees the optimizer's state; nothing
   * can be read afterwards. Calling it twice is harmless.
   */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.slots.reset();
    this.pool.leave(this);
    for (const { variable } of this.known) variable.letGo();
  }

  private isOn(backend: Backend): boolean {
    return this.known.every(({ variable: { place } }) => place?.group.backend === backend);
  }

  /** The same array for as long as the groups are the same. */
  private currentView(): readonly DeviceGroup[] {
    const { view, pool } = this;
    if (view?.pool === pool && view.generation === pool.generation) return view.groups;
    const same = view?.groups.every(({ stored, weights }) =>
      weights.every(({ variable: { place }, offset }) => place?.group === stored && place.offset === offset),
    );
    const groups = same
      ? view!.groups
      : viewGroups(this.known, ({ variable }) => variable.place!).map((group) => ({
          ...group,
          buffer: group.stored.buffer,
          slots: group.trainable ? this.slots.buffersOf(group) : new Map<string, BackendBuffer>(),
        }));
    this.view = { pool, generation: pool.generation, groups };
    return groups;
  }

  private crowded(): DownhillError {
    return new DownhillError(
      'state',
      `model "${this.owner}" shares weights with model "${this.pool.rivalOf(this)}", which is being trained and was ` +
        'compiled to train others of them; await that training first',
    );
  }

  private assertUsable(): void {
    if (this.disposed) throw new DownhillError('state', 'the model was used after dispose()');
  }
}

function weightValue(
  name: string,
  { spec }: { readonly spec: { readonly shape: Shape } },
  data: WeightArray,
): WeightValue {
  return { name, shape: spec.shape, data };
}
