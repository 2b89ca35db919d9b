/**
 * The first half of the compiler, graph → simplify → fuse → schedule: which kernels there are and in which order,
 * before anything of them is written.
 */

import { buildGraph, type Graph, type GraphSpec, printGraph, verifyGraph } from '../core/graph.ts';
import { environment } from '../util/environment.ts';
import { fuse } from './fuse/fuse.ts';
import { type FusedGraph, readBy, writtenBy } from './fuse/fused-graph.ts';
import { storageKeys } from './graph/facts.ts';
import { handKernelOf } from './graph/hand-kernel.ts';
import { simplify } from './graph/simplify.ts';
import { type Schedule, schedule } from './schedule/schedule.ts';
import type { Target } from './target.ts';

/** The kernels of `spec`. @param fusion false gives every node a kernel of its own. */
export function fuseGraph(
  spec: GraphSpec,
  target: Target,
  fusion: boolean,
): { readonly fused: FusedGraph; readonly scheduled: Schedule } {
  const { debug } = environment();
  const traced = buildGraph(spec);
  verifyGraph(traced);
  if (debug >= 5) console.error(printGraph(traced));
  const simplified = simplify(traced, (node) => fusion && handKernelOf(node, target) !== undefined);
  verifyGraph(simplified);
  if (debug >= 5) console.error(printGraph(simplified));
  const [fused, scheduled] = fuseAndSchedule(simplified, target.maxStorageBuffersPerShaderStage, fusion);
  if (debug >= 3) for (const reason of fused.reasons()) console.error(`not fused: ${reason}`);
  return { fused, scheduled };
}

/**
 * Fusion counts an update in place as one buffer, as it nearly always is; the schedule may find that one is not. If
 * some kernel binds too many buffers for that, fusion starts anew and counts two for each.
 */
function fuseAndSchedule(graph: Graph, maxStorageBuffers: number, enabled: boolean): [FusedGraph, Schedule] {
  const optimistic = fuse(graph, { maxStorageBuffers, enabled });
  const scheduled = schedule(optimistic);
  const storage = storageKeys(optimistic.facts, scheduled.inPlace);
  const fits = optimistic.clusters.every((cluster) => {
    const roots = [...readBy(cluster, optimistic), ...writtenBy(cluster, optimistic)];
    return cluster.roles.size === 1 || new Set(roots.map(storage)).size <= maxStorageBuffers;
  });
  if (fits) return [optimistic, scheduled];
  const careful = fuse(graph, { maxStorageBuffers, enabled, inPlace: false });
  return [careful, schedule(careful)];
}
