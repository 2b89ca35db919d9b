/**
 * Which composite nodes a hand-written kernel computes. The choice depends on the node and on the target alone, so that
 * every pass that asks gets the same answer.
 */

import type { HandKernel, Launch } from '../../core/lowering.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Target } from '../target.ts';

export interface ChosenKernel {
  readonly kernel: HandKernel<unknown>;
  readonly launch: Launch;
}

/** The hand-written kernel for `node` on `target`; undefined when the op is to be expanded. */
export function handKernelOf(node: Tensor, target: Target): ChosenKernel | undefined {
  const lower = node.op?.lower;
  if (lower?.kind !== 'composite' || node.size === 0) return undefined;
  for (const kernel of lower.kernels ?? []) {
    if (kernel.target.adapter !== target.adapterType) continue;
    if (kernel.workgroupSize > target.maxComputeInvocationsPerWorkgroup) continue;
    const launch = kernel.launch(node.inputs, node, node.attrs);
    if (launch !== null) return { kernel, launch };
  }
  return undefined;
}
