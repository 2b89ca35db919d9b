/**
 * Waves: which kernels run side by side in one dispatch. A kernel of two stages takes part in two waves. Stages of a wave
 * do not depend on each other, so the gradients of a layer's input and of its weights, or the second stage of one sum
 * and the first of another, cost one dispatch, and small ones fill a device together.
 *
 * List scheduling: the first stage that waits, in the order of the schedule, leads a wave; every other stage that could run
 * now joins it if the workgroups and the bindings allow it and no value lies in memory much longer for it.
 */

import type { Tensor } from '../../core/tensor.ts';
import type { Cluster } from '../fuse/cluster.ts';
import { clusterName, type FusedGraph } from '../fuse/fuse.ts';
import { handKernelOf } from '../graph/hand-kernel.ts';
import { contractTile } from '../lower/contract-kernel.ts';
import { THREAD_LANES } from '../lower/emit.ts';
import { reduceStages } from '../lower/reduce-kernel.ts';
import { readBy, writtenBy } from '../memory/memory.ts';
import { type StorageKey, storageKeys } from '../memory/storage.ts';
import type { PlanLimits } from '../plan.ts';
import type { Schedule } from './schedule.ts';

/** One dispatch's worth of a cluster, before it is joined with others. */
export interface Stage {
  readonly cluster: Cluster;
  /** 0, or 1 for the second of two. */
  readonly number: number;
  readonly last: boolean;
}

export interface Wave {
  readonly stages: readonly Stage[];
  /** Invocations of a workgroup. */
  readonly lanes: number;
}

export interface Waves {
  readonly waves: readonly Wave[];
  /** Why stages that could have run together do not, for `DEBUG=3`. */
  readonly reasons: readonly string[];
}

/** Most kernels in one: the text grows with each, and what one of them needs in registers all of them hold. */
const MOST = 4;
/** How far ahead of its turn a kernel runs whose result waits in memory. */
const REACH = 8;
/** Results of fewer elements may wait. */
const SMALL = 4096;

/** @param together false gives every stage a wave of its own. */
export function planWaves(fused: FusedGraph, schedule: Schedule, limits: PlanLimits, together: boolean): Waves {
  const plan = (patient: boolean) => new Planner(fused, schedule, limits, together, patient).run();
  if (!together) return plan(false);
  const late = plan(true);
  if (!late.waited) return late;
  const soon = plan(false);
  return late.waves.length > soon.waves.length ? soon : late;
}

interface Waiting extends Stage {
  /** Place in the schedule's order. */
  readonly position: number;
  /** Workgroup size that the kernel insists on; null when any will do. */
  readonly lanes: number | null;
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
    private readonly limits: PlanLimits,
    private readonly together: boolean,
    /** Lets idle stages wait for a wave without a product: a product alone shares its text with other layers' products. */
    private readonly patient: boolean,
  ) {
    this.storage = storageKeys(fused.graph, schedule.inPlace);
    for (const earlier of schedule.before.values()) for (const cluster of earlier) this.awaited.add(cluster);
  }

  /** `waited` says whether any stage was idle: without one, patience changes nothing. */
  run(): Waves & { readonly waited: boolean } {
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
    const waves: Wave[] = [];
    for (let leader = this.next(ready); leader !== undefined; leader = this.next(ready)) {
      const wave = [leader];
      for (let k = 0; this.together && k < ready.length; ) {
        if (this.fits(wave, ready[k])) wave.push(...ready.splice(k, 1));
        else k++;
      }
      for (const { cluster, number, last } of wave) {
        const opened = last ? [] : (stages.get(cluster)?.slice(number + 1, number + 2) ?? []);
        for (const later of last ? (after.get(cluster) ?? []) : []) {
          const left = (missing.get(later) ?? 0) - 1;
          missing.set(later, left);
          if (left === 0) opened.push(...first(stages.get(later)));
        }
        for (const stage of opened) insert(ready, stage);
      }
      const lanes = wave.find((stage) => stage.lanes !== null)?.lanes ?? THREAD_LANES;
      waves.push({ stages: wave.map(({ cluster, number, last }) => ({ cluster, number, last })), lanes });
    }
    return { waves, reasons: [...this.reasons], waited };
  }

  /** Takes out the stage that leads the next wave: the first that is not idle. */
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
    const { fused, limits } = this;
    const written = writtenBy(cluster, fused);
    const bindings = new Set<unknown>([...readBy(cluster, fused)].map(this.storage));
    let count = 1;
    let lanes: number | null = null;
    if (cluster.kind === 'contract') {
      const tile = contractTile({ cluster, limits });
      count = tile.chunks > 1 ? 2 : 1;
      lanes = tile.lanesM * tile.lanesN;
    } else if (cluster.kind === 'hand') {
      const [node] = cluster.roles.keys();
      lanes = handKernelOf(node, limits)?.kernel.workgroupSize ?? null;
    } else if (cluster.kind === 'reduce' && cluster.points > 0) {
      count = reduceStages({ cluster, fused, limits, written });
    }
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
        lanes: number === 0 ? lanes : null,
        bindings: last ? new Set([...bindings, ...results]) : bindings,
        free: last ? free : partialsAreSmall(cluster, free),
      };
    });
  }

  /** Whether `candidate`, which could run now, joins `wave`; notes why not. */
  private fits(wave: readonly Waiting[], candidate: Waiting): boolean {
    const [leader] = wave;
    // Kernels without elements are not dispatched, and no reason to keep others apart.
    if (candidate.cluster.points === 0 || leader.cluster.points === 0) return false;
    if (wave.length === MOST) return this.apart(leader, candidate, `a wave has ${MOST} kernels at most`);
    if (!candidate.free && candidate.position - leader.position > REACH) {
      return this.apart(leader, candidate, 'its result would wait in memory');
    }
    const lanes = wave.find((stage) => stage.lanes !== null)?.lanes;
    if (candidate.idle && lanes != null) return this.apart(leader, candidate, 'nothing waits for its result');
    if (candidate.lanes !== null && lanes != null && candidate.lanes !== lanes) {
      return this.apart(leader, candidate, `workgroups of ${lanes} and ${candidate.lanes}`);
    }
    const most = this.limits.maxStorageBuffersPerShaderStage;
    const all = new Set([...wave, candidate].flatMap(({ bindings }) => [...bindings]));
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

/** Puts `stage` among those that are ready, at its place in the schedule. */
function insert(ready: Waiting[], stage: Waiting): void {
  let at = ready.length;
  while (at > 0 && ready[at - 1].position > stage.position) at--;
  ready.splice(at, 0, stage);
}

/** Partial results of a fold are few; those of a contraction are as large as its result, several times. */
function partialsAreSmall(cluster: Cluster, free: boolean): boolean {
  return cluster.kind === 'reduce' ? free : false;
}
