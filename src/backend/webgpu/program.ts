/**
 * A plan on a device. `load` makes every object; `run` only records and submits.
 *
 * Invariant: a run makes one command encoder, one compute pass and one submit, and no other object. Uniform blocks of
 * all dispatches lie in one buffer that is written once, since nothing in them changes from run to run.
 */

import type { Plan, PlanBuffer } from '../../compile/plan.ts';
import type { TypedArray } from '../../core/dtype.ts';
import { DownhillError, invariant } from '../../util/errors.ts';
import { sizeOf } from '../../util/shape.ts';
import type { OutputRecord, Program } from '../backend.ts';
import { checkScalars, pairBound, scalarBlock } from '../bookkeeping.ts';
import { checkRange, fromDeviceBytes, toDeviceWords } from '../host-data.ts';
import { allocate, ownBuffer, type WebGPUBuffer } from './buffers.ts';
import type { DeviceContext } from './device.ts';
import { COPY_DST, UNIFORM } from './flags.ts';
import type { BuiltPipeline, PipelineCache } from './pipelines.ts';
import type { StagingPool } from './staging.ts';

/** What `run` replays. */
interface LoadedDispatch {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/** The parts of a backend that a program works with. */
export interface ProgramHost {
  readonly context: DeviceContext;
  readonly pipelines: PipelineCache;
  readonly staging: StagingPool;
}

export class WebGPUProgram implements Program {
  readonly outputs: readonly WebGPUBuffer[];
  #disposed = false;
  readonly #scalars: PlanBuffer | undefined;

  private constructor(
    readonly plan: Plan,
    readonly host: ProgramHost,
    readonly loadMs: number,
    private readonly buffers: ReadonlyMap<number, WebGPUBuffer>,
    private readonly owned: readonly WebGPUBuffer[],
    private readonly dispatches: readonly LoadedDispatch[],
  ) {
    this.outputs = plan.outputs.map((output) => this.#buffer(output.buffer));
    this.#scalars = scalarBlock(plan);
  }

  /** See Backend.load; the plan has been verified. */
  static async load(
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
      for (const buffer of plan.buffers) {
        if (buffer.role === 'bound') continue;
        const made = allocate(context, buffer.elements, `${plan.name}/${buffer.label}`);
        owned.push(made);
        buffers.set(buffer.id, made);
        if (buffer.data !== undefined) writeWords(context, made, 0, buffer.data);
      }
      const uniforms = uniformBuffer(context, plan);
      if (uniforms !== undefined) owned.push(uniforms.buffer);
      const built = await buildPipelines(host.pipelines, plan, onProgress);
      const failures = await Promise.all([...buffers.values(), ...owned].map((buffer) => buffer.failure));
      throwFirst(failures);
      const dispatches = await makeBindGroups(context, plan, built, buffers, uniforms);
      context.assertHealthy();
      return new WebGPUProgram(plan, host, performance.now() - start, buffers, owned, dispatches);
    } catch (error) {
      for (const buffer of owned) buffer.dispose();
      context.assertAlive();
      throw error;
    }
  }

  run(scalars?: Uint32Array, records: readonly OutputRecord[] = []): void {
    const { context } = this.host;
    this.#assertUsable('run');
    checkScalars(this.plan, this.#scalars, scalars);
    if (this.#scalars !== undefined && scalars !== undefined) {
      writeWords(context, this.#buffer(this.#scalars.id), 0, scalars);
    }
    const encoder = context.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    let current: GPUComputePipeline | undefined;
    for (const { pipeline, group, workgroups } of this.dispatches) {
      if (pipeline !== current) {
        pass.setPipeline(pipeline);
        current = pipeline;
      }
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    }
    pass.end();
    for (const record of records) this.#record(encoder, record);
    context.submit(encoder);
    context.counters.passes++;
    context.counters.dispatches += this.dispatches.length;
  }

  async read(index: number): Promise<TypedArray> {
    this.#assertUsable('read');
    const output = this.plan.outputs[index];
    if (output === undefined) {
      throw new DownhillError('argument', `read: "${this.plan.name}" has no output ${index}`);
    }
    const { context, staging } = this.host;
    const source = this.outputs[index].gpu;
    const bytes = await staging.read(source, output.offset * 4, sizeOf(output.shape) * 4, output.name);
    context.assertHealthy();
    return fromDeviceBytes(bytes, output.dtype);
  }

  /** Records every dispatch in a pass of its own, with the timestamps that `timestamps(k)` asks for: for profiling. */
  encodeApart(encoder: GPUCommandEncoder, timestamps: (k: number) => GPUComputePassTimestampWrites): void {
    this.#assertUsable('profile');
    this.dispatches.forEach(({ label, pipeline, group, workgroups }, k) => {
      const pass = encoder.beginComputePass({ label, timestampWrites: timestamps(k) });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
      pass.end();
    });
    this.host.context.counters.passes += this.dispatches.length;
    this.host.context.counters.dispatches += this.dispatches.length;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.owned) buffer.dispose();
  }

  #record(encoder: GPUCommandEncoder, { output: index, into, offset }: OutputRecord): void {
    const output = this.plan.outputs[index];
    if (output === undefined) throw new DownhillError('argument', `run: "${this.plan.name}" has no output ${index}`);
    const target = ownBuffer(this.host.context, into, `record of "${output.name}"`);
    const elements = sizeOf(output.shape);
    checkRange(`record of "${output.name}" in`, target, offset, elements);
    if (target === this.outputs[index]) {
      throw new DownhillError('argument', `run: output "${output.name}" cannot be recorded into its own buffer`);
    }
    encoder.copyBufferToBuffer(this.outputs[index].gpu, output.offset * 4, target.gpu, offset * 4, elements * 4);
  }

  #buffer(id: number): WebGPUBuffer {
    const buffer = this.buffers.get(id);
    invariant(buffer !== undefined, `plan "${this.plan.name}" has no buffer ${id}`);
    return buffer;
  }

  #assertUsable(action: string): void {
    if (this.#disposed) throw new DownhillError('state', `${action}: program "${this.plan.name}" was disposed`);
    this.host.context.assertHealthy();
  }
}

interface UniformBlocks {
  readonly buffer: WebGPUBuffer;
  /** Byte offset of the block of each dispatch. */
  readonly offsets: readonly number[];
}

/** The uniform blocks of all dispatches in one buffer; undefined when no kernel has one. */
function uniformBuffer(context: DeviceContext, plan: Plan): UniformBlocks | undefined {
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
  const buffer = allocate(context, words, `${plan.name}/uniforms`, undefined, UNIFORM | COPY_DST);
  writeWords(context, buffer, 0, data);
  return { buffer, offsets };
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
  buffers: ReadonlyMap<number, WebGPUBuffer>,
  uniforms: UniformBlocks | undefined,
): Promise<LoadedDispatch[]> {
  const failures: Promise<DownhillError | undefined>[] = [];
  const dispatches = plan.dispatches.map((dispatch, k): LoadedDispatch => {
    const { pipeline, layout } = built[dispatch.kernel];
    const entries: GPUBindGroupEntry[] = dispatch.buffers.map((id, at) => {
      const buffer = (buffers.get(id) as WebGPUBuffer).gpu;
      const size = Math.min(buffer.size, context.limits.maxStorageBufferBindingSize);
      return { binding: at + 1, resource: { buffer, size } };
    });
    if (dispatch.uniforms.length > 0 && uniforms !== undefined) {
      const size = dispatch.uniforms.length * 4;
      entries.unshift({
        binding: 0,
        resource: { buffer: uniforms.buffer.gpu, offset: uniforms.offsets[k], size },
      });
    }
    const { value, failure } = context.guard(`bindings of dispatch ${k} "${dispatch.label}"`, () =>
      context.device.createBindGroup({ label: dispatch.label, layout, entries }),
    );
    failures.push(failure);
    context.counters.bindGroupsCreated++;
    return { label: dispatch.label, pipeline, group: value, workgroups: dispatch.workgroups };
  });
  throwFirst(await Promise.all(failures));
  return dispatches;
}

function throwFirst(failures: readonly (DownhillError | undefined)[]): void {
  const first = failures.find((failure) => failure !== undefined);
  if (first !== undefined) throw first;
}

/** Writes host data at a byte offset; what it holds is copied before the call returns. */
export function writeWords(
  context: DeviceContext,
  buffer: WebGPUBuffer,
  byteOffset: number,
  data: Parameters<typeof toDeviceWords>[0],
): void {
  const words = toDeviceWords(data);
  // The cast: a typed array over shared memory is no input of writeBuffer, and none is made here.
  context.device.queue.writeBuffer(buffer.gpu, byteOffset, words as Float32Array<ArrayBuffer>);
}
