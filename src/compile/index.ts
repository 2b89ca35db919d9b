/**
 * The compiler: graph → simplify → fuse → schedule → waves → memory → Plan. Pure: no GPU object is made and nothing is awaited.
 */

import { buildGraph, type Graph, type GraphSpec, printGraph, verifyGraph } from '../core/graph.ts';
import { environment } from '../util/environment.ts';
import { type FusedGraph, fuse } from './fuse.ts';
import { readBy, writtenBy } from './memory.ts';
import type { Plan, PlanLimits } from './plan.ts';
import { DEFAULT_LIMITS } from './plan.ts';
import { buildPlan } from './plan-builder.ts';
import { type Schedule, schedule } from './schedule.ts';
import { simplify } from './simplify.ts';
import { storageKeys } from './storage.ts';
import { planWaves } from './waves.ts';

export interface CompileOptions {
  /** False gives every node a kernel of its own; the default follows `NOFUSE`. */
  readonly fusion?: boolean;
  /** False gives every value a buffer of its own; the default follows `NOPLAN`. */
  readonly reuse?: boolean;
}

/**
 * The plan of `spec` for a device with `limits`.
 * @throws DownhillError `device` when a buffer or a kernel exceeds the limits.
 */
export function compileGraph(spec: GraphSpec, limits: PlanLimits = DEFAULT_LIMITS, options: CompileOptions = {}): Plan {
  const debug = environment().debug;
  const traced = buildGraph(spec);
  verifyGraph(traced);
  if (debug >= 5) console.error(printGraph(traced));
  const simplified = simplify(traced);
  verifyGraph(simplified);
  if (debug >= 5) console.error(printGraph(simplified));
  const fusion = options.fusion ?? !environment().noFuse;
  const [fused, scheduled] = fuseAndSchedule(simplified, limits.maxStorageBuffersPerShaderStage, fusion);
  if (debug >= 3) for (const reason of fused.reasons) console.error(`not fused: ${reason}`);
  const { waves, reasons } = planWaves(fused, scheduled, limits, fusion);
  if (debug >= 3) for (const reason of reasons) console.error(`not side by side: ${reason}`);
  const plan = buildPlan(fused, scheduled, waves, limits, options.reuse ?? !environment().noPlan);
  if (debug >= 2) {
    for (const [k, { label, workgroups }] of plan.dispatches.entries()) console.error(`${k}: ${label} ${workgroups}`);
  }
  if (debug >= 4) for (const kernel of plan.kernels) console.error(`// ${kernel.label}\n${kernel.wgsl}`);
  return plan;
}

/**
 * Fusion counts an update in place as one buffer, as it nearly always is; the schedule may find that one is not. If
 * some kernel binds too many buffers for that, fusion starts anew and counts two for each.
 */
function fuseAndSchedule(graph: Graph, maxStorageBuffers: number, enabled: boolean): [FusedGraph, Schedule] {
  const optimistic = fuse(graph, { maxStorageBuffers, enabled });
  const scheduled = schedule(optimistic);
  const storage = storageKeys(graph, scheduled.inPlace);
  const fits = optimistic.clusters.every((cluster) => {
    const roots = [...readBy(cluster, optimistic), ...writtenBy(cluster, optimistic)];
    return cluster.roles.size === 1 || new Set(roots.map(storage)).size <= maxStorageBuffers;
  });
  if (fits) return [optimistic, scheduled];
  const careful = fuse(graph, { maxStorageBuffers, enabled, inPlace: false });
  return [careful, schedule(careful)];
}
