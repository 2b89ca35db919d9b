/**
 * From a plan to a program: every buffer, pipeline and bind group that a run will need.
 *
 * Invariant: whatever the device refuses (memory, a shader, a binding) is thrown here with its name, and then nothing
 * that was made is left. Uniform blocks of all dispatches lie in one buffer that is written once, since nothing in them
 * changes from run to run.
 */

import type { Plan } from '../../compile/plan.ts';
import { deviceBytes } from '../../core/dtype.ts';
import { environment } from '../../util/environment.ts';
import { DownhillError } from '../../util/errors.ts';
import { pairBound } from '../bookkeeping.ts';
import { allocate, type WebGPUBuffer, writeWords } from './buffers.ts';
import type { DeviceContext } from './device.ts';
import { COPY_DST, UNIFORM } from './flags.ts';
import type { BuiltPipeline, PipelineCache } from './pipelines.ts';
import { type LoadedDispatch, type ProgramHost, WebGPUProgram } from './program.ts';

/** See Backend.load; the plan has been verified. */
export async function loadProgram(
  host: ProgramHost,
  plan: Plan,
  bound: readonly WebGPUBuffer[],
  onProgress?: (built: number, total: number) => void,
): Promise<WebGPUProgram> {
  const start = performance.now();
  const { context } = host;
  const buffers = pairBound(plan, bound);
  const owned: WebGPUBuffer[] = [];
  try {
    for (const { id, role, bytes, label } of plan.buffers) {
      if (role === 'bound') continue;
      const made = allocate(context, bytes, `${plan.name}/${label}`);
      owned.push(made);
      buffers.set(id, made);
    }
    const uniforms = uniformBlocks(context, plan);
    if (uniforms !== undefined) owned.push(uniforms.buffer);
    throwFirst(await Promise.all([...bound, ...owned].map((buffer) => buffer.failure)));
    for (const { id, data } of plan.buffers) {
      if (data !== undefined) writeWords(context, buffers.get(id) as WebGPUBuffer, 0, data);
    }
    if (uniforms !== undefined) writeWords(context, uniforms.buffer, 0, uniforms.data);
    const known = context.counters.pipelinesCreated;
    const built = await buildPipelines(host.pipelines, plan, onProgress);
    const groupOf = (k: number) => bindGroup(context, plan, k, built, buffers, uniforms);
    const dispatches = await makeBindGroups(context, plan, built, groupOf);
    await context.confirmHealthy();
    const loadMs = performance.now() - start;
    if (environment().debug >= 1) {
      const made = context.counters.pipelinesCreated - known;
      const pipelines = `${plan.kernels.length} pipelines, ${made} of them new`;
      console.error(
        `${plan.name}: ${plan.dispatches.length} dispatches, ${pipelines}, loaded in ${loadMs.toFixed(0)} ms`,
      );
    }
    return new WebGPUProgram(plan, host, { loadMs, bound, buffers, groupOf, owned, dispatches });
  } catch (error) {
    for (const buffer of owned) buffer.dispose();
    context.assertAlive();
    throw error;
  }
}

interface UniformBlocks {
  readonly buffer: WebGPUBuffer;
  readonly data: Uint32Array;
  /** Byte offset of the block of each dispatch. */
  readonly offsets: readonly number[];
}

/** One buffer for the uniform blocks of all dispatches, still to be written; undefined when no kernel has one. */
function uniformBlocks(context: DeviceContext, plan: Plan): UniformBlocks | undefined {
  const alignment = context.device.limits.minUniformBufferOffsetAlignment / 4;
  const offsets: number[] = [];
  let words = 0;
  for (const { uniforms } of plan.dispatches) {
    offsets.push(words * 4);
    words += Math.ceil(uniforms.length / alignment) * alignment;
  }
  if (words === 0) return undefined;
  const data = new Uint32Array(words);
  plan.dispatches.forEach(({ uniforms }, k) => {
    data.set(uniforms, offsets[k] / 4);
  });
  const buffer = allocate(context, deviceBytes('u32', words), `${plan.name}/uniforms`, undefined, UNIFORM | COPY_DST);
  return { buffer, data, offsets };
}

/** All pipelines of the plan at once. When several fail, the first in plan order is told. */
async function buildPipelines(
  cache: PipelineCache,
  plan: Plan,
  onProgress?: (built: number, total: number) => void,
): Promise<BuiltPipeline[]> {
  let ready = 0;
  const building = plan.kernels.map(async (kernel) => {
    const built = await cache.get(kernel);
    onProgress?.(++ready, plan.kernels.length);
    return built;
  });
  const settled = await Promise.allSettled(building);
  const failed = settled.filter((result) => result.status === 'rejected');
  if (failed.length === 1) throw failed[0].reason;
  if (failed.length > 1) {
    const first = failed[0].reason as DownhillError;
    throw new DownhillError(first.code, `${first.message}\n(${failed.length - 1} more kernels failed)`, {
      cause: first,
    });
  }
  return settled.map((result) => (result as PromiseFulfilledResult<BuiltPipeline>).value);
}

async function makeBindGroups(
  context: DeviceContext,
  plan: Plan,
  built: readonly BuiltPipeline[],
  groupOf: (k: number) => GPUBindGroup,
): Promise<LoadedDispatch[]> {
  const failures: Promise<DownhillError | undefined>[] = [];
  const dispatches = plan.dispatches.map(({ label, kernel, workgroups }, k): LoadedDispatch => {
    const { value, failure } = context.guard(`bindings of dispatch ${k} "${label}"`, () => groupOf(k));
    failures.push(failure);
    return { label, pipeline: built[kernel].pipeline, group: value, workgroups };
  });
  throwFirst(await Promise.all(failures));
  return dispatches;
}

function bindGroup(
  context: DeviceContext,
  plan: Plan,
  k: number,
  built: readonly BuiltPipeline[],
  buffers: ReadonlyMap<number, WebGPUBuffer>,
  uniforms: UniformBlocks | undefined,
): GPUBindGroup {
  const { label, kernel, buffers: ids, uniforms: words } = plan.dispatches[k];
  const entries: GPUBindGroupEntry[] = ids.map((id, at) => {
    const buffer = (buffers.get(id) as WebGPUBuffer).gpu;
    const size = Math.min(buffer.size, context.target.maxStorageBufferBindingSize);
    return { binding: at + 1, resource: { buffer, size } };
  });
  if (words.length > 0 && uniforms !== undefined) {
    const resource = { buffer: uniforms.buffer.gpu, offset: uniforms.offsets[k], size: words.length * 4 };
    entries.unshift({ binding: 0, resource });
  }
  context.counters.bindGroupsCreated++;
  return context.device.createBindGroup({ label, layout: built[kernel].layout, entries });
}

function throwFirst(failures: readonly (DownhillError | undefined)[]): void {
  const first = failures.find((failure) => failure !== undefined);
  if (first !== undefined) throw first;
}
