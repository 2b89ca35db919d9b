/**
 * Dispatch groups (horizontal fusion): which kernels run side by side in one dispatch. A kernel of two stages takes
 * part in two groups. Stages of a group do not depend on each other, so the gradients of a layer's input and of its
 * weights, or the second stage of one sum and the first of another, cost one dispatch, and small ones fill a device
 * together.
 *
 * List scheduling: the first stage that waits, in the order of the schedule, leads a group; every other stage that
 * could run now joins it if the workgroups and the bindings allow it and no value is kept in memory much longer for it.
 */

import type { Tensor } from '../../core/tensor.ts';
import { type Cluster, clusterName } from '../fuse/cluster.ts';
import { type FusedGraph, readBy, writtenBy } from '../fuse/fused-graph.ts';
import { type StorageKey, storageKeys } from '../graph/facts.ts';
import type { Schedule } from './schedule.ts';

/** What must be known of a kernel before it is written. */
export interface KernelForm {
  /** Dispatches: two where partial results are merged by a second one. */
  readonly stages: 1 | 2;
  /** Invocations of a workgroup of the first stage; null when any count will do. */
  readonly invocations: number | null;
}

export interface GroupOptions {
  /** The form of the kernel of each cluster. */
  readonly form: (cluster: Cluster) => KernelForm;
  /** Storage buffers that one kernel may bind. */
  readonly maxStorageBuffers: number;
  /** False gives every stage a dispatch of its own. */
  readonly together: boolean;
}

/** Invocations of a workgroup that no kernel of the group has chosen. */
export const FREE_INVOCATIONS = 64;

/** One dispatch's worth of a cluster, before it is joined with others. */
export interface Stage {
  readonly cluster: Cluster;
  /** 0, or 1 for the second of two. */
  readonly number: number;
  readonly last: boolean;
}

export interface DispatchGroup {
  readonly stages: readonly Stage[];
  /** Of a workgroup. */
  readonly invocations: number;
}

export interface DispatchGroups {
  readonly groups: readonly DispatchGroup[];
  /** Why stages that could have run together do not, for `DEBUG=3`. */
  readonly reasons: readonly string[];
}

/** Most kernels in one: the text grows with each, and what one of them needs in registers all of them hold. */
const MOST = 4;
/** How far ahead of its turn a kernel runs whose result waits in memory. */
const REACH = 8;
/** Results of fewer elements may wait. */
const SMALL = 4096;

export function planDispatchGroups(fused: FusedGraph, schedule: Schedule, options: GroupOptions): DispatchGroups {
  const plan = (patient: boolean) => new Planner(fused, schedule, options, patient).run();
  if (!options.together) return plan(false);
  const late = plan(true);
  if (!late.waited) return late;
  const soon = plan(false);
  return late.groups.length > soon.groups.length ? soon : late;
}

interface Waiting extends Stage {
  /** In the schedule's order. */
  readonly position: number;
  /** Of a workgroup, where the kernel insists on a count; null when any will do. */
  readonly invocations: number | null;
  /** What it binds at most. */
  readonly bindings: ReadonlySet<unknown>;
  /** The storage of its result exists already or is small. */
  readonly free: boolean;
  /** It goes last, because no kernel of the plan waits for it and what it reads and writes is small. */
  readonly idle: boolean;
}

class Planner {
  private readonly storage: (root: Tensor) => StorageKey;
  private readonly reasons = new Set<string>();
  /** Clusters that others have to wait for. */
  private readonly awaited = new Set<Cluster>();

  constructor(
    private readonly fused: FusedGraph,
    private readonly schedule: Schedule,
    private readonly options: GroupOptions,
    /**
     * Lets idle stages wait for a group without a product: a product alone shares its text with other layers' products.
     */
    private readonly patient: boolean,
  ) {
    this.storage = storageKeys(fused.facts, schedule.inPlace);
    for (const earlier of schedule.before.values()) for (const cluster of earlier) this.awaited.add(cluster);
  }

  /** `waited` says whether any stage was idle: without one, patience changes nothing. */
  run(): DispatchGroups & { readonly waited: boolean } {
    const stages = new Map(this.schedule.order.map((cluster, position) => [cluster, this.stagesOf(cluster, position)]));
    const waited = [...stages.values()].some((each) => each.some(({ idle }) => idle));
    const after = new Map<Cluster, Cluster[]>();
    const missing = new Map<Cluster, number>();
    // Stages that could run now, in the order of the schedule.
    const ready: Waiting[] = [];
    for (const cluster of stages.keys()) {
      const before = this.schedule.before.get(cluster) ?? new Set();
      missing.set(cluster, before.size);
      for (const earlier of before) {
        const known = after.get(earlier);
        if (known === undefined) after.set(earlier, [cluster]);
        else known.push(cluster);
      }
      if (before.size === 0) ready.push(...first(stages.get(cluster)));
    }
    const groups: DispatchGroup[] = [];
    for (let leader = this.next(ready); leader !== undefined; leader = this.next(ready)) {
      const group = [leader];
      for (let k = 0; this.options.together && k < ready.length; ) {
        if (this.fits(group, ready[k])) group.push(...ready.splice(k, 1));
        else k++;
      }
      for (const { cluster, number, last } of group) {
        const opened = last ? [] : (stages.get(cluster)?.slice(number + 1, number + 2) ?? []);
        for (const later of last ? (after.get(cluster) ?? []) : []) {
          const left = (missing.get(later) ?? 0) - 1;
          missing.set(later, left);
          if (left === 0) opened.push(...first(stages.get(later)));
        }
        for (const stage of opened) insert(ready, stage);
      }
      const invocations = group.find((stage) => stage.invocations !== null)?.invocations ?? FREE_INVOCATIONS;
      groups.push({ stages: group.map(({ cluster, number, last }) => ({ cluster, number, last })), invocations });
    }
    return { groups, reasons: [...this.reasons], waited };
  }

  /** Takes out the stage that leads the next group: the first that is not idle. */
  private next(ready: Waiting[]): Waiting | undefined {
    return ready.splice(
      Math.max(
        0,
        ready.findIndex(({ idle }) => !idle),
      ),
      1,
    )[0];
  }

  private stagesOf(cluster: Cluster, position: number): Waiting[] {
    const { fused } = this;
    const written = writtenBy(cluster, fused);
    const bindings = new Set<unknown>([...readBy(cluster, fused)].map(this.storage));
    const { stages: count, invocations } = this.options.form(cluster);
    if (count === 2) bindings.add(cluster);
    const free = written.every((root) => root.size <= SMALL || this.storage(root) !== root);
    const results = written.map(this.storage);
    const idle =
      this.patient &&
      cluster.kind !== 'contract' &&
      !this.awaited.has(cluster) &&
      [...readBy(cluster, fused), ...written].every((root) => root.size <= SMALL);
    return Array.from({ length: count }, (_, number) => {
      const last = number === count - 1;
      return {
        ...{ cluster, number, last, position, idle },
        invocations: number === 0 ? invocations : null,
        bindings: last ? new Set([...bindings, ...results]) : bindings,
        free: last ? free : partialsAreSmall(cluster, free),
      };
    });
  }

  /** Whether `candidate`, which could run now, joins `group`; notes why not. */
  private fits(group: readonly Waiting[], candidate: Waiting): boolean {
    const [leader] = group;
    // Kernels without elements are not dispatched, and no reason to keep others apart.
    if (candidate.cluster.points === 0 || leader.cluster.points === 0) return false;
    if (group.length === MOST) return this.apart(leader, candidate, `a dispatch has ${MOST} kernels at most`);
    if (!candidate.free && candidate.position - leader.position > REACH) {
      return this.apart(leader, candidate, 'its result would wait in memory');
    }
    const invocations = group.find((stage) => stage.invocations !== null)?.invocations;
    if (candidate.idle && invocations != null) return this.apart(leader, candidate, 'nothing waits for its result');
    if (candidate.invocations !== null && invocations != null && candidate.invocations !== invocations) {
      return this.apart(leader, candidate, `workgroups of ${invocations} and ${candidate.invocations}`);
    }
    const most = this.options.maxStorageBuffers;
    const all = new Set([...group, candidate].flatMap(({ bindings }) => [...bindings]));
    if (all.size > most) return this.apart(leader, candidate, `${all.size} storage buffers, ${most} allowed`);
    return true;
  }

  private apart(leader: Waiting, candidate: Waiting, why: string): false {
    this.reasons.add(`${clusterName(leader.cluster)} & ${clusterName(candidate.cluster)}: ${why}`);
    return false;
  }
}

function first(stages: readonly Waiting[] | undefined): readonly Waiting[] {
  return stages?.slice(0, 1) ?? [];
}

/** Puts `stage` among those that are ready, where it belongs in the schedule. */
function insert(ready: Waiting[], stage: Waiting): void {
  let at = ready.length;
  while (at > 0 && ready[at - 1].position > stage.position) at--;
  ready.splice(at, 0, stage);
}

/** Partial results of a reduction are few; those of a contraction are as large as its result, several times. */
function partialsAreSmall(cluster: Cluster, free: boolean): boolean {
  return cluster.kind === 'reduce' ? free : false;
}
