/**
 * What every kernel is made of: its tree, uniforms and grid, and the skeleton of kernels that run a body for each point.
 * What is written where was decided before (fuse, schedule, memory); this is only how.
 */

import type { Tensor } from '../../core/tensor.ts';
import { instantiate } from '../../kernel/template.ts';
import type { Module, Statement } from '../../kernel/tree.ts';
import type { Cluster } from '../fuse/cluster.ts';
import type { FusedGraph } from '../fuse/fused-graph.ts';
import type { Memory } from '../memory/memory.ts';
import type { PlacedValue } from '../plan.ts';
import { FREE_INVOCATIONS } from '../schedule/dispatch-groups.ts';
import type { Target } from '../target.ts';
import { KernelWriter } from './kernel-writer.ts';
import { shaderTree } from './shader-trees.ts';

export interface EmitInput {
  readonly cluster: Cluster;
  readonly fused: FusedGraph;
  readonly memory: Memory;
  readonly target: Target;
  /** Nodes of the cluster that must be stored. */
  readonly written: readonly Tensor[];
  /** Invocations of a workgroup of each dispatch, as far as they are free: those of the skeleton's thread kernels. */
  readonly invocations: readonly number[];
}

/** One dispatch before it gets its place in the plan. */
export interface EmittedKernel {
  readonly module: Module;
  readonly access: readonly ('read' | 'read_write')[];
  readonly uniforms: readonly number[];
  readonly buffers: readonly number[];
  readonly workgroups: readonly [number, number, number];
  readonly workgroupSize: number;
  /** Temporaries used only between the dispatches of this cluster. */
  readonly scratch: readonly PlacedValue[];
  /** It may hold barriers though the target's kernels copy their uniforms. */
  readonly barriers?: boolean;
}

/** A writer for the thread skeleton, which finds its counts in the first two words. */
export class ThreadWriter extends KernelWriter {
  /** @param points how often the body runs; @param invocations of a workgroup. */
  constructor(
    { scalarBuffer }: Memory,
    readonly points: number,
    readonly invocations: number,
    target: Target,
  ) {
    super(scalarBuffer, target);
    this.count(points);
    this.count(this.pointsPerInvocation);
  }

  /** Points an invocation takes: many on a CPU, as long as every core has work; one on a GPU, which lives on parallelism. */
  get pointsPerInvocation(): number {
    if (!this.target.manyPointsPerInvocation) return 1;
    const most = (16 * FREE_INVOCATIONS) / this.invocations;
    return Math.max(1, Math.min(most, Math.floor(this.points / (this.invocations * 32))));
  }
}

/**
 * A kernel of the thread skeleton.
 * @param body statements over the index `i`.
 */
export function threadKernel(
  writer: ThreadWriter,
  body: readonly Statement[],
  scratch: readonly PlacedValue[] = [],
): EmittedKernel {
  const { invocations, points, pointsPerInvocation, target } = writer;
  return {
    module: instantiate(shaderTree('thread', target), {
      params: { WORKGROUP_SIZE: invocations },
      declarations: { declarations: writer.declarations(), helpers: writer.helpers() },
      statements: { body },
    }),
    access: writer.access,
    uniforms: writer.uniformWords,
    buffers: writer.buffers,
    workgroups: gridOf(Math.ceil(points / (invocations * pointsPerInvocation)), target),
    workgroupSize: invocations,
    scratch,
  };
}

/** `groups` workgroups over two grid dimensions: the smallest rectangle that holds them with x within the limit. */
export function gridOf(groups: number, target: Target): [number, number, number] {
  const rows = Math.ceil(groups / target.maxComputeWorkgroupsPerDimension);
  return [Math.ceil(groups / rows), rows, 1];
}
