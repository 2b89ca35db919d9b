/**
 * Pipelines of one device, built together and kept by their WGSL: a second plan with the same kernels builds none.
 *
 * Bind group layouts are explicit and shared by signature (uniform size and access of each binding), so that pipelines
 * with one signature can share bind groups, and a uniform block that does not fit its shader fails here, not in a run.
 */

import type { PlanKernel } from '../../compile/plan.ts';
import { printModule } from '../../kernel/print.ts';
import { DownhillError } from '../../util/errors.ts';
import { allocate } from './buffers.ts';
import type { DeviceContext } from './device.ts';
import { STAGE_COMPUTE, UNIFORM } from './flags.ts';

export interface BuiltPipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

interface Layouts {
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

export class PipelineCache {
  readonly #pipelines = new Map<string, Promise<BuiltPipeline>>();
  readonly #layouts = new Map<string, Layouts>();

  constructor(private readonly context: DeviceContext) {}

  /** The pipeline of `kernel`, built now unless one with the same text and signature exists. */
  get(kernel: PlanKernel): Promise<BuiltPipeline> {
    const signature = `${kernel.uniformWords}:${kernel.access.join(',')}`;
    const key = `${signature}\n${printModule(kernel.module)}`;
    let built = this.#pipelines.get(key);
    if (built === undefined) {
      built = this.#build(kernel, this.#layoutsFor(signature, kernel));
      this.#pipelines.set(key, built);
      // A failure is not kept: the next plan that holds this kernel reports it again.
      built.catch(() => this.#pipelines.delete(key));
    }
    return built;
  }

  #layoutsFor(signature: string, kernel: PlanKernel): Layouts {
    let layouts = this.#layouts.get(signature);
    if (layouts === undefined) {
      const { device } = this.context;
      const entries: GPUBindGroupLayoutEntry[] = kernel.access.map((access, k) => ({
        binding: k + 1,
        visibility: STAGE_COMPUTE,
        buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
      }));
      if (kernel.uniformWords > 0) {
        const buffer: GPUBufferBindingLayout = { type: 'uniform', minBindingSize: kernel.uniformWords * 4 };
        entries.unshift({ binding: 0, visibility: STAGE_COMPUTE, buffer });
      }
      const group = device.createBindGroupLayout({ label: signature, entries });
      layouts = { group, pipeline: device.createPipelineLayout({ label: signature, bindGroupLayouts: [group] }) };
      this.#layouts.set(signature, layouts);
    }
    return layouts;
  }

  /**
   * Runs one workgroup over nothing (sizes of zero, memory of its own): llvmpipe compiles a shader at its first dispatch
   * and not here, one after the other, and a first step would wait for all of them in silence.
   */
  async #finish(kernel: PlanKernel, pipeline: GPUComputePipeline, { group: layout }: Layouts): Promise<void> {
    const { context } = this;
    const { device, counters } = context;
    const buffers = kernel.access.map(() => allocate(context, 1, 'no data'));
    if (kernel.uniformWords > 0) buffers.unshift(allocate(context, kernel.uniformWords, 'no data', undefined, UNIFORM));
    const first = kernel.uniformWords > 0 ? 0 : 1;
    const entries = buffers.map(({ gpu }, k) => ({ binding: first + k, resource: { buffer: gpu } }));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ label: 'no data', layout, entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    context.submit(encoder);
    counters.bindGroupsCreated++;
    counters.passes++;
    counters.dispatches++;
    try {
      await context.wait(device.queue.onSubmittedWorkDone());
    } finally {
      for (const buffer of buffers) buffer.dispose();
    }
  }

  async #build(kernel: PlanKernel, layouts: Layouts): Promise<BuiltPipeline> {
    const { context } = this;
    const { device } = context;
    // The scope keeps a refused module out of the uncaptured errors; the pipeline below reports it.
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label: kernel.label, code: printModule(kernel.module) });
    const refused = device.popErrorScope().catch(() => null);
    context.counters.pipelinesCreated++;
    try {
      const pipeline = await context.wait(
        device.createComputePipelineAsync({
          label: kernel.label,
          layout: layouts.pipeline,
          compute: { module, entryPoint: 'main' },
        }),
      );
      if (context.limits.adapterClass === 'cpu') await this.#finish(kernel, pipeline, layouts);
      return { pipeline, layout: layouts.group };
    } catch (cause) {
      // A driver's refusal may be the device's end; a refusal by validation is about the kernel.
      if ((cause as GPUPipelineError).reason !== 'validation') {
        const explained = await context.explain(`kernel "${kernel.label}"`, cause);
        if (explained.code !== 'device') throw explained;
      }
      throw await compileError(kernel, module, refused, cause);
    }
  }
}

/** What the shader compiler or the driver said of `kernel`, with the lines of WGSL it speaks of. */
async function compileError(
  kernel: PlanKernel,
  module: GPUShaderModule,
  refused: Promise<GPUError | null>,
  cause: unknown,
): Promise<DownhillError> {
  const info = await module.getCompilationInfo().catch(() => undefined);
  const errors = info?.messages.filter((message) => message.type === 'error') ?? [];
  if (errors.length > 0) {
    const shown = errors.slice(0, 3).map((message) => {
      const place = `${message.lineNum}:${message.linePos}`;
      return `  ${place} ${message.message}\n${excerpt(printModule(kernel.module), message.lineNum, message.linePos)}`;
    });
    const text = `kernel "${kernel.label}": its WGSL was refused\n${shown.join('\n')}`;
    return new DownhillError('internal', text, { cause });
  }
  const reason = (cause as GPUPipelineError).reason;
  const said = (await refused)?.message ?? (cause instanceof Error ? cause.message : String(cause));
  return new DownhillError(
    reason === 'validation' ? 'internal' : 'device',
    `kernel "${kernel.label}": its pipeline was refused (${reason}): ${said.trim()}`,
    { cause },
  );
}

/** The lines around line `line` (from 1), numbered, with a caret under column `column`. */
export function excerpt(wgsl: string, line: number, column: number, around = 3): string {
  const lines = wgsl.split('\n');
  const from = Math.max(1, line - around);
  const to = Math.min(lines.length, line + around);
  const width = String(to).length;
  const out: string[] = [];
  for (let n = from; n <= to; n++) {
    out.push(`  ${n === line ? '>' : ' '} ${String(n).padStart(width)} | ${lines[n - 1]}`);
    if (n === line) out.push(`    ${' '.repeat(width)} | ${' '.repeat(Math.max(0, column - 1))}^`);
  }
  return out.join('\n');
}
