/**
 * Reference steps: the nodes of a kernel as a list for the backend that runs references. Nodes without memory
 * (recomputed ones) are listed again in every kernel that uses them.
 */

import { type Op, opKey } from '../core/op.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Cluster } from './fuse/cluster.ts';
import type { FusedGraph } from './fuse/fused-graph.ts';
import { rootOf } from './graph/views.ts';
import type { PlacedValue, ReferenceStep } from './plan.ts';

/** @param placed place of a tensor whose root is stored in memory. */
export function referenceSteps(
  cluster: Cluster,
  fused: FusedGraph,
  placed: (tensor: Tensor) => PlacedValue,
  written: readonly Tensor[],
): ReferenceStep[] {
  const steps: ReferenceStep[] = [];
  const stepOf = new Map<Tensor, number>();
  const isWritten = new Set(written);

  const isComputed = (tensor: Tensor): boolean => {
    const root = rootOf(tensor);
    return cluster.roles.has(root) || fused.recomputed.has(root);
  };
  const add = (tensor: Tensor): void => {
    const stored = tensor === rootOf(tensor) && isWritten.has(tensor);
    steps.push({
      op: opKey(tensor.op as Op),
      attrs: tensor.attrs,
      inputs: tensor.inputs.map((input) => {
        const step = stepOf.get(input);
        return step === undefined ? placed(input) : { step };
      }),
      shape: tensor.shape,
      dtype: tensor.dtype,
      ...(stored ? { output: placed(tensor) } : {}),
    });
    stepOf.set(tensor, steps.length - 1);
  };
  // An explicit stack: thousands of views, one of another, would overflow the call stack.
  const visit = (node: Tensor): void => {
    const stack = [{ tensor: node, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.tensor.inputs[top.next++];
      if (input !== undefined) {
        if (!stepOf.has(input) && isComputed(input)) stack.push({ tensor: input, next: 0 });
        continue;
      }
      stack.pop();
      if (!stepOf.has(top.tensor)) add(top.tensor);
    }
  };
  for (const node of cluster.roles.keys()) if (!stepOf.has(node)) visit(node);
  return steps;
}
