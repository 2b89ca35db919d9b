/**
 * WeightPool: the buffers of all models that can reach each other through shared layers. It lays them out for all at
 * once (weight-layout.ts), and anew when a model joins, leaves or is compiled: values move on the device, at the next
 * use.
 *
 * Invariants: a variable is in at most one buffer; while a model is being trained, none of its buffers moves.
 */

import type { Backend } from '../../backend/backend.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape } from '../../util/shape.ts';
import { formatBytes } from '../../util/text.ts';
import { type Range, SharedGroup, type Variable, type WeightArray } from './variable.ts';
import { layoutShared, type PlacedWeight, type Sharer, type Weight } from './weight-layout.ts';

/** A model of the pool. */
export interface Member extends Sharer {
  /** The model's name. */
  readonly owner: string;
  /** True once it has asked for its weights on a device: those of others stay on the host. */
  readonly active: boolean;
  /** Its pool, another one when pools become one. */
  pool: WeightPool;
}

/** The pool of each variable: the models that can reach each other through shared variables are in one. */
const pools = new WeakMap<Variable, WeightPool>();

export class WeightPool {
  /** Changes whenever buffers do. */
  generation = 0;
  private members = new Set<Member>();
  private groups: SharedGroup[] = [];
  /** The backend that all buffers are laid out on as the members want it; undefined when they may not be. */
  private settledOn: Backend | undefined;

  /** The pool of a new model and of all models that share one of its `weights`. */
  static join(member: Omit<Member, 'pool'>): WeightPool {
    const met = new Set(member.weights.flatMap(({ variable }) => pools.get(variable) ?? []));
    const [pool = new WeightPool(), ...others] = met;
    for (const other of others) {
      for (const one of other.members) {
        one.pool = pool;
        pool.members.add(one);
      }
      pool.groups.push(...other.groups);
    }
    pool.members.add(member as Member);
    for (const { weights } of pool.members) for (const { variable } of weights) pools.set(variable, pool);
    for (const { ranges } of pool.groups) for (const { variable } of ranges) pools.set(variable, pool);
    pool.settledOn = undefined;
    return pool;
  }

  leave(member: Member): void {
    this.members.delete(member);
    this.settledOn = undefined;
  }

  /** A member was compiled anew, or has values on the host. */
  unsettle(): void {
    this.settledOn = undefined;
  }

  /**
   * Brings the weights of `member` to `backend`, laid out as all members want it. While a model is being trained,
   * what it uses stays where it is.
   * @throws DownhillError `state` when they would have to leave another backend meanwhile, `device` when a weight
   *   is larger than the adapter can bind, `device-lost` or `state` when values are gone.
   */
  async settle(backend: Backend, member: Member): Promise<void> {
    for (;;) {
      for (const { variable } of member.weights) variable.assertThere();
      const plan = this.plan(backend);
      const stays = new Map(plan.map((ranges) => [ranges, this.sameGroup(backend, ranges)]));
      const kept = new Set(stays.values());
      const busy = this.groups.some((group) => group.trainers.length > 0 && !kept.has(group));
      const wanted = busy ? member.weights.map(({ variable }) => variable) : variablesOf(plan);
      const away = wanted.filter(({ place }) => place !== undefined && place.group.backend !== backend);
      if (away.length === 0) {
        this.fill(backend, busy ? this.unplaced(backend, member) : plan.filter((ranges) => !stays.get(ranges)));
        if (!busy) this.settledOn = backend;
        return;
      }
      if (busy) throw this.elsewhere(backend, member, away[0]);
      await this.bring(away);
    }
  }

  /** True when nothing has changed since the pool was laid out on `backend`. */
  isSettledOn(backend: Backend): boolean {
    return this.settledOn === backend;
  }

  /** The name of another model that is being trained on a buffer of the pool. */
  rivalOf({ owner }: Member): string {
    const trainers = this.groups.flatMap((group) => group.trainers);
    return trainers.find((trainer) => trainer !== owner) ?? owner;
  }

  /** The device of `group` is gone, and with it every value on it. */
  lose(group: SharedGroup): void {
    for (const { variable } of group.present()) variable.lose();
    this.unsettle();
  }

  /**
   * The best layout of all values that are in use. A quarter of the limit for each buffer: a kernel over it may see
   * several of its copies in one buffer.
   */
  private plan(backend: Backend): PlacedWeight[][] {
    const used = new Set<Variable>();
    for (const { active, weights } of this.members) {
      for (const { variable } of weights)
        if (!variable.isGone && (active || variable.place !== undefined)) used.add(variable);
    }
    const sharers: Sharer[] = [...this.members].map(({ weights, compiled }) => ({
      weights: weights.filter(({ variable }) => used.has(variable)),
      compiled,
    }));
    // Layers that wait for their next model.
    const strays = this.groups.flatMap((group) => group.present()).filter(({ variable }) => !used.has(variable));
    const weights = strays.map(({ variable }): Weight => {
      return { path: variable.path, variable, spec: variable.spec, uses: [] };
    });
    return layoutShared([...sharers, { weights, compiled: false }], maxElements(backend));
  }

  /** The layout of those weights of `member` that are in no buffer yet. */
  private unplaced(backend: Backend, { weights, compiled }: Member): PlacedWeight[][] {
    const left = weights.filter(({ variable }) => variable.place === undefined);
    return layoutShared([{ weights: left, compiled }], maxElements(backend));
  }

  /** The buffer on `backend` that holds just `ranges`. */
  private sameGroup(backend: Backend, ranges: readonly PlacedWeight[]): SharedGroup | undefined {
    const group = ranges[0].variable.place?.group;
    if (group?.backend !== backend || group.ranges.length !== ranges.length) return undefined;
    const same = ranges.every(({ variable: { place }, offset }) => place?.group === group && place.offset === offset);
    return same ? group : undefined;
  }

  /** New buffers with the values of `layout`, which are on `backend` or on the host. */
  private fill(backend: Backend, layout: readonly (readonly PlacedWeight[])[]): void {
    if (layout.length === 0) return;
    for (const { path, spec, size } of layout.flat()) checkSize(backend, path, spec.shape, size);
    for (const weights of layout) {
      const elements = weights.reduce((sum, { size }) => sum + size, 0);
      const ranges: readonly Range[] = weights.map(({ variable, offset }) => ({ variable, offset }));
      const group = new SharedGroup(backend, backend.createBuffer(elements, 'f32', 'weights'), ranges);
      try {
        for (const { variable, offset, size } of weights) {
          const { place } = variable;
          if (place === undefined) backend.write(group.buffer, variable.hostValue(), offset);
          else backend.copy(place.group.buffer, place.offset, group.buffer, offset, size);
        }
      } catch (error) {
        group.buffer.dispose();
        throw error;
      }
      for (const { variable, offset } of weights) variable.toPlace({ group, offset });
      this.groups.push(group);
    }
    this.groups = this.groups.filter((group) => group.present().length > 0);
    this.generation++;
  }

  /** Reads `variables`, so that their values are on the host unless they changed meanwhile. */
  private async bring(variables: readonly Variable[]): Promise<void> {
    const groups = new Set(variables.map(({ place }) => place!.group));
    for (const group of groups) {
      const before = group.present().map((range) => ({ ...range, version: range.variable.version }));
      let flat: WeightArray;
      try {
        flat = (await group.backend.read(group.buffer, 'f32')) as WeightArray;
      } catch (error) {
        if (!isGone(error)) throw error;
        this.lose(group);
        // Says what to do on the backend that there is now.
        for (const variable of variables) variable.assertThere();
        return;
      }
      for (const { variable, offset, version } of before) {
        if (variable.place?.group !== group || variable.version !== version) continue;
        variable.toHost(flat.slice(offset, offset + variable.size));
      }
    }
    this.groups = this.groups.filter((group) => group.present().length > 0);
  }

  private elsewhere(backend: Backend, member: Member, { path, place }: Variable): DownhillError {
    const where = `${place!.group.backend.description}; this call is for ${backend.description}`;
    return new DownhillError(
      'state',
      `model "${member.owner}" shares weight "${path}" with model "${this.rivalOf(member)}", which is being ` +
        'trained on ' +
        `${where}: use one backend for both, or await the training first`,
    );
  }
}

/** True for the errors of a backend whose device was lost or that was disposed. */
export function isGone(error: unknown): boolean {
  return error instanceof DownhillError && (error.code === 'device-lost' || error.code === 'state');
}

function variablesOf(layout: readonly (readonly PlacedWeight[])[]): Variable[] {
  return layout.flatMap((weights) => weights.map(({ variable }) => variable));
}

function maxElements(backend: Backend): number {
  return Math.floor(backend.target.maxStorageBufferBindingSize / 16);
}

function checkSize(backend: Backend, path: string, shape: readonly number[], size: number): void {
  const limit = Math.floor(backend.target.maxStorageBufferBindingSize / 4);
  if (size <= limit) return;
  throw new DownhillError(
    'device',
    `weight "${path}" ${formatShape(shape)} takes ${formatBytes(4 * size)}; ` +
      `${backend.description} binds at most ${formatBytes(4 * limit)}: make the layer smaller`,
  );
}
