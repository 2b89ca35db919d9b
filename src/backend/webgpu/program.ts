/**
 * A loaded plan on a device: `load.ts` has made every object, and this records and submits.
 *
 * Invariant: a run makes one command encoder, one compute pass and one submit, and no other object.
 */

import type { Plan, PlanBuffer } from '../../compile/plan.ts';
import { deviceBytes, type TypedArray } from '../../core/dtype.ts';
import { DownhillError, invariant } from '../../util/errors.ts';
import { sizeOf } from '../../util/shape.ts';
import type { BackendBuffer, OutputRecord, Program } from '../backend.ts';
import { checkBoundAlive, checkScalars, pairBound, scalarBlock } from '../bookkeeping.ts';
import { checkRange, fromDeviceBytes } from '../host-data.ts';
import { ownBuffer, type WebGPUBuffer, writeWords } from './buffers.ts';
import type { DeviceContext } from './device.ts';
import type { PipelineCache } from './pipelines.ts';
import type { StagingPool } from './staging.ts';

/** What `run` replays. */
export interface LoadedDispatch {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  /** Another one after `bind`. */
  group: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/** What `loadProgram` made. */
export interface ProgramParts {
  readonly loadMs: number;
  /** The caller's buffers. */
  readonly bound: readonly WebGPUBuffer[];
  /** Plan buffers by id, the caller's among them. */
  readonly buffers: Map<number, WebGPUBuffer>;
  /** A bind group of dispatch `k` for `buffers` as they are now. */
  readonly groupOf: (k: number) => GPUBindGroup;
  /** What the program frees. */
  readonly owned: readonly WebGPUBuffer[];
  readonly dispatches: readonly LoadedDispatch[];
}

/** The parts of a backend that a program works with. */
export interface ProgramHost {
  readonly context: DeviceContext;
  readonly pipelines: PipelineCache;
  readonly staging: StagingPool;
}

export class WebGPUProgram implements Program {
  readonly loadMs: number;
  readonly outputs: readonly WebGPUBuffer[];
  #disposed = false;
  #bound: readonly WebGPUBuffer[];
  readonly #scalars: PlanBuffer | undefined;

  constructor(
    readonly plan: Plan,
    readonly host: ProgramHost,
    private readonly parts: ProgramParts,
  ) {
    this.loadMs = parts.loadMs;
    this.#bound = parts.bound;
    this.outputs = plan.outputs.map((output) => this.#buffer(output.buffer));
    this.#scalars = scalarBlock(plan);
  }

  run(scalars?: Uint32Array, records: readonly OutputRecord[] = []): void {
    const { context } = this.host;
    this.#begin('run', scalars);
    const encoder = context.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.#replay(pass);
    pass.end();
    for (const record of records) this.#record(encoder, record);
    context.submit(encoder);
    context.counters.passes++;
  }

  bind(bound: readonly BackendBuffer[]): void {
    this.#assertUsable('bind');
    const { plan, parts } = this;
    const own = bound.map((buffer) => ownBuffer(this.host.context, buffer, `bind "${plan.name}"`));
    const changed = new Set<number>();
    for (const [id, buffer] of pairBound(plan, own)) {
      if (parts.buffers.get(id) === buffer) continue;
      parts.buffers.set(id, buffer);
      changed.add(id);
    }
    this.#bound = own;
    plan.dispatches.forEach(({ buffers }, k) => {
      if (buffers.some((id) => changed.has(id))) parts.dispatches[k].group = parts.groupOf(k);
    });
  }

  async read(index: number): Promise<TypedArray> {
    this.#assertUsable('read');
    const output = this.plan.outputs[index];
    if (output === undefined) {
      throw new DownhillError('argument', `read: "${this.plan.name}" has no output ${index}`);
    }
    const { context, staging } = this.host;
    const source = this.outputs[index].gpu;
    const bytes = await staging.read(
      source,
      deviceBytes(output.dtype, output.offset),
      deviceBytes(output.dtype, sizeOf(output.shape)),
      output.name,
    );
    await context.confirmHealthy();
    return fromDeviceBytes(bytes, output.dtype);
  }

  /** Records every dispatch in a pass of its own, with the timestamps that `timestamps(k)` asks for: for profiling. */
  encodeApart(
    encoder: GPUCommandEncoder,
    timestamps: (k: number) => GPUComputePassTimestampWrites,
    scalars?: Uint32Array,
  ): void {
    this.#begin('profile', scalars);
    this.parts.dispatches.forEach(({ label, pipeline, group, workgroups }, k) => {
      const pass = encoder.beginComputePass({ label, timestampWrites: timestamps(k) });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
      pass.end();
    });
    this.host.context.counters.passes += this.parts.dispatches.length;
    this.host.context.counters.dispatches += this.parts.dispatches.length;
  }

  /** Records `runs` runs in one pass, with its timestamps: for timing what is too short to be timed once. */
  encodeRuns(
    encoder: GPUCommandEncoder,
    runs: number,
    timestampWrites: GPUComputePassTimestampWrites | undefined,
    scalars?: Uint32Array,
  ): void {
    this.#begin('time', scalars);
    const pass = encoder.beginComputePass({ label: this.plan.name, ...(timestampWrites && { timestampWrites }) });
    for (let run = 0; run < runs; run++) this.#replay(pass);
    pass.end();
    this.host.context.counters.passes++;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.parts.owned) buffer.dispose();
  }

  /** Every dispatch, in order. */
  #replay(pass: GPUComputePassEncoder): void {
    let current: GPUComputePipeline | undefined;
    for (const { pipeline, group, workgroups } of this.parts.dispatches) {
      if (pipeline !== current) {
        pass.setPipeline(pipeline);
        current = pipeline;
      }
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    }
    this.host.context.counters.dispatches += this.parts.dispatches.length;
  }

  #begin(action: string, scalars: Uint32Array | undefined): void {
    this.#assertUsable(action);
    checkBoundAlive(this.plan, this.#bound);
    checkScalars(this.plan, this.#scalars, scalars);
    if (this.#scalars !== undefined && scalars !== undefined) {
      writeWords(this.host.context, this.#buffer(this.#scalars.id), 0, scalars);
    }
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
    const bytes = (count: number) => deviceBytes(output.dtype, count);
    const source = this.outputs[index].gpu;
    encoder.copyBufferToBuffer(source, bytes(output.offset), target.gpu, bytes(offset), bytes(elements));
  }

  #buffer(id: number): WebGPUBuffer {
    const buffer = this.parts.buffers.get(id);
    invariant(buffer !== undefined, `plan "${this.plan.name}" has no buffer ${id}`);
    return buffer;
  }

  #assertUsable(action: string): void {
    if (this.#disposed) throw new DownhillError('state', `${action}: program "${this.plan.name}" was disposed`);
    this.host.context.assertHealthy();
  }
}
