/**
 * Which kernels share a dispatch. The form of a kernel (its stages, its workgroups) follows from the tiles of
 * contractions and the chunks of reductions; it is decided here, so that grouping asks nothing of what comes after it.
 */

import type { Cluster } from './fuse/cluster.ts';
import { type FusedGraph, writtenBy } from './fuse/fused-graph.ts';
import { handKernelOf } from './graph/hand-kernel.ts';
import { contractTile } from './lower/contract-kernel.ts';
import { reduceStages } from './lower/reduce-kernel.ts';
import { type DispatchGroups, type KernelForm, planDispatchGroups } from './schedule/dispatch-groups.ts';
import type { Schedule } from './schedule/schedule.ts';
import type { Target } from './target.ts';

/** @param together false gives every stage of a kernel a dispatch of its own. */
export function groupKernels(fused: FusedGraph, schedule: Schedule, target: Target, together: boolean): DispatchGroups {
  return planDispatchGroups(fused, schedule, {
    form: (cluster) => kernelForm(cluster, fused, target),
    maxStorageBuffers: target.maxStorageBuffersPerShaderStage,
    together,
  });
}

function kernelForm(cluster: Cluster, fused: FusedGraph, target: Target): KernelForm {
  switch (cluster.kind) {
    case 'contract': {
      const { chunks, invocationsM, invocationsN } = contractTile({ cluster, target });
      return { stages: chunks > 1 ? 2 : 1, invocations: invocationsM * invocationsN };
    }
    case 'reduce': {
      const written = writtenBy(cluster, fused);
      const merged = cluster.points > 0 && reduceStages({ cluster, fused, target, written }) > 1;
      return { stages: merged ? 2 : 1, invocations: null };
    }
    case 'map':
      return { stages: 1, invocations: null };
    case 'hand': {
      const [node] = cluster.roles.keys();
      return { stages: 1, invocations: handKernelOf(node, target)?.kernel.workgroupSize ?? null };
    }
    default:
      return cluster satisfies never;
  }
}
