/**
 * From a cluster to its dispatches: chooses the kernel form and hands back texts, uniforms and grids.
 * What is written where was decided before (fuse, schedule, memory); this is only how.
 */

import type { Tensor } from '../../core/tensor.ts';
import { shaders } from '../../shaders.gen.ts';
import type { Cluster } from '../cluster.ts';
import type { FusedGraph } from '../fuse.ts';
import type { Memory } from '../memory.ts';
import type { PlanLimits } from '../plan.ts';
import { KernelWriter } from './kernel-writer.ts';
import { fillSkeleton } from './skeleton.ts';

export interface EmitInput {
  readonly cluster: Cluster;
  readonly fused: FusedGraph;
  readonly memory: Memory;
  readonly limits: PlanLimits;
  /** Nodes of the cluster that must be stored. */
  readonly written: readonly Tensor[];
}

/** One dispatch before it gets its place in the plan. */
export interface EmittedKernel {
  readonly wgsl: string;
  readonly access: readonly ('read' | 'read_write')[];
  readonly uniforms: readonly number[];
  readonly buffers: readonly number[];
  readonly workgroups: readonly [number, number, number];
  readonly workgroupSize: number;
  /** Temporaries used only between the dispatches of this cluster. */
  readonly scratch: readonly number[];
}

const WORKGROUP_SIZE = 64;

/** A writer for the thread skeleton, which finds its counts in the first two words. */
export function threadWriter({ scalarBuffer }: Memory, points: number, limits: PlanLimits): KernelWriter {
  const writer = new KernelWriter(scalarBuffer);
  writer.count(points);
  writer.count(pointsPerLane(points, limits));
  return writer;
}

/** Points an invocation takes: many on a CPU, as long as every core has work; one on a GPU, which lives on parallelism. */
function pointsPerLane(points: number, { adapterClass }: PlanLimits): number {
  if (adapterClass === 'gpu') return 1;
  return Math.max(1, Math.min(16, Math.floor(points / (WORKGROUP_SIZE * 32))));
}

/**
 * A kernel of the thread skeleton, from a writer that `threadWriter` made for as many points.
 * @param body statements over the index `i`.
 */
export function threadKernel(
  writer: KernelWriter,
  points: number,
  body: readonly string[],
  limits: PlanLimits,
  scratch: readonly number[] = [],
): EmittedKernel {
  return {
    wgsl: fillSkeleton(shaders.thread, {
      params: { WORKGROUP_SIZE: `${WORKGROUP_SIZE}u` },
      slots: { declarations: writer.declarations(), helpers: writer.helpers(), body: body.join('\n') },
    }),
    access: writer.access,
    uniforms: writer.uniformWords,
    buffers: writer.buffers,
    workgroups: foldGrid(Math.ceil(points / (WORKGROUP_SIZE * pointsPerLane(points, limits))), limits),
    workgroupSize: WORKGROUP_SIZE,
    scratch,
  };
}

/** `groups` workgroups over two grid dimensions: the smallest rectangle that holds them with x within the limit. */
export function foldGrid(groups: number, limits: PlanLimits): [number, number, number] {
  const rows = Math.ceil(groups / limits.maxComputeWorkgroupsPerDimension);
  return [Math.ceil(groups / rows), rows, 1];
}
