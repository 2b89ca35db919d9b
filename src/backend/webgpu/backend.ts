/**
 * The WebGPU backend: the Backend interface over one GPUDevice, in a browser or in Node.
 */

import { isCompiled, verifyForeign } from '../../compile/compiled-plans.ts';
import type { Plan } from '../../compile/plan.ts';
import { type Target, type TileChoices, withTiles } from '../../compile/target.ts';
import { type DType, deviceBytes, type TypedArray } from '../../core/dtype.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Backend, BackendBuffer, BackendCounters } from '../backend.ts';
import { checkHostData, checkRange, fromDeviceBytes, type HostData } from '../host-data.ts';
import { allocate, ownBuffer, type WebGPUBuffer, writeWords } from './buffers.ts';
import type { DeviceContext } from './device.ts';
import { loadProgram } from './load.ts';
import { PipelineCache } from './pipelines.ts';
import type { WebGPUProgram } from './program.ts';
import { StagingPool } from './staging.ts';

export class WebGPUBackend implements Backend {
  readonly kind = 'webgpu';
  readonly #pipelines: PipelineCache;
  readonly #staging: StagingPool;
  #target: Target;

  constructor(private readonly context: DeviceContext) {
    this.#pipelines = new PipelineCache(context);
    this.#staging = new StagingPool(context);
    this.#target = context.target;
  }

  /** The device that everything runs on. */
  get device(): GPUDevice {
    return this.context.device;
  }

  get description(): string {
    return this.context.description;
  }

  get target(): Target {
    return this.#target;
  }

  useTiles(tiles: TileChoices | undefined): void {
    this.#target = withTiles(this.#target, tiles);
  }

  get counters(): BackendCounters {
    return this.context.counters;
  }

  createBuffer(elements: number, dtype: DType, label: string): WebGPUBuffer {
    this.context.assertHealthy();
    if (!Number.isInteger(elements) || elements < 0) {
      throw new DownhillError('argument', `buffer "${label}": ${elements} elements; a whole number ≥ 0 is needed`);
    }
    const buffer = allocate(this.context, deviceBytes(dtype, elements), label, dtype);
    this.context.watch(buffer.failure);
    return buffer;
  }

  write(buffer: BackendBuffer, data: HostData, offset = 0): void {
    this.context.assertHealthy();
    const target = ownBuffer(this.context, buffer, 'write');
    if (target.dtype !== undefined) checkHostData(data, target.dtype, target.label);
    checkRange('write to', target, offset, data.length);
    writeWords(this.context, target, deviceBytes(target.dtype ?? 'u32', offset), data);
  }

  copy(from: BackendBuffer, fromOffset: number, to: BackendBuffer, toOffset: number, elements: number): void {
    this.context.assertHealthy();
    const source = ownBuffer(this.context, from, 'copy');
    const target = ownBuffer(this.context, to, 'copy');
    checkRange('copy from', source, fromOffset, elements);
    checkRange('copy to', target, toOffset, elements);
    if (source === target) {
      throw new DownhillError('argument', `copy: "${from.label}" cannot be copied into itself`);
    }
    const encoder = this.context.device.createCommandEncoder();
    const bytes = (count: number) => deviceBytes(source.dtype ?? target.dtype ?? 'u32', count);
    encoder.copyBufferToBuffer(source.gpu, bytes(fromOffset), target.gpu, bytes(toOffset), bytes(elements));
    this.context.submit(encoder);
  }

  async read(
    buffer: BackendBuffer,
    dtype: DType,
    offset = 0,
    elements = buffer.elements - offset,
  ): Promise<TypedArray> {
    this.context.assertHealthy();
    const source = ownBuffer(this.context, buffer, 'read');
    checkRange('read of', source, offset, elements);
    const [from, length] = [deviceBytes(dtype, offset), deviceBytes(dtype, elements)];
    const bytes = await this.#staging.read(source.gpu, from, length, source.label);
    await this.context.confirmHealthy();
    return fromDeviceBytes(bytes, dtype);
  }

  async load(
    plan: Plan,
    bound: readonly BackendBuffer[],
    onProgress?: (built: number, total: number) => void,
  ): Promise<WebGPUProgram> {
    this.context.assertHealthy();
    if (!isCompiled(plan, this.target)) await verifyForeign(plan, this.target);
    const own = bound.map((buffer) => ownBuffer(this.context, buffer, `load "${plan.name}"`));
    const host = { context: this.context, pipelines: this.#pipelines, staging: this.#staging };
    return loadProgram(host, plan, own, onProgress);
  }

  async finish(): Promise<void> {
    this.context.assertHealthy();
    await this.context.wait(this.context.device.queue.onSubmittedWorkDone()).catch(async (cause) => {
      throw await this.context.explain('finish', cause);
    });
    await this.context.confirmHealthy();
  }

  async dispose(): Promise<void> {
    this.#staging.dispose();
    this.context.dispose();
  }
}
