/**
 * Reference steps: the nodes of a kernel as a list for the backend that runs references. Nodes without memory
 * (recomputed ones) are listed again in every kernel that uses them.
 */

import type { Op } from '../core/op.ts';
import type { Tensor } from '../core/tensor.ts';
import { type Cluster, rootOf } from './cluster.ts';
import type { FusedGraph } from './fuse.ts';
import type { PlacedValue, ReferenceStep } from './plan.ts';

/** @param placed place of a tensor whose root lies in memory. */
export function referenceSteps(
  cluster: Cluster,
  fused: FusedGraph,
  placed: (tensor: Tensor) => PlacedValue,
  written: readonly Tensor[],
): ReferenceStep[] {
  const steps: ReferenceStep[] = [];
  const stepOf = new Map<Tensor, number>();

  const visit = (tensor: Tensor): PlacedValue | { step: number } => {
    const known = stepOf.get(tensor);
    if (known !== undefined) return { step: known };
    const root = rootOf(tensor);
    const computed = cluster.roles.has(root) || fused.recomputed.has(root);
    if (!computed) return placed(tensor);
    const inputs = tensor.inputs.map(visit);
    const stored = tensor === root && written.includes(tensor);
    steps.push({
      op: tensor.op as Op,
      attrs: tensor.attrs,
      inputs,
      shape: tensor.shape,
      dtype: tensor.dtype,
      ...(stored ? { output: placed(tensor) } : {}),
    });
    stepOf.set(tensor, steps.length - 1);
    return { step: steps.length - 1 };
  };
  for (const node of cluster.roles.keys()) visit(node);
  return steps;
}
