/**
 * Runs a lowering on a WebGPU device in the plainest way there is: one thread per output element, the formula of
 * core/lowering.ts as a triple loop, no tiles, no fusion. What an op record claims is thus tested apart from the
 * compiler that will use it.
 *
 * Invariant: an address outside a buffer, or a range outside [0, inner), gives NaN in the output (WebGPU itself would
 * clamp the address and hide the fault).
 */

import { create } from 'webgpu';
import { COPY_DST, COPY_SRC, MAP_MODE_READ, MAP_READ, STORAGE } from '../../src/backend/webgpu/flags.ts';
import type { Contraction, EmitContext, IndexContext, Lowering } from '../../src/core/lowering.ts';
import type { Op } from '../../src/core/op.ts';
import type { Aval } from '../../src/core/tensor.ts';
import { sizeOf } from '../../src/util/shape.ts';

/** Kept alive: the process dies when the object that `create` returns is collected. */
let gpu: GPU | undefined;

/** A device. Throws where there is no adapter: a GPU test that is skipped proves nothing. */
export async function openDevice(): Promise<GPUDevice> {
  gpu ??= create([]);
  const adapter = await gpu.requestAdapter({});
  if (adapter === null) throw new Error('no WebGPU adapter: run `npm run ensure:adapter`');
  return adapter.requestDevice();
}

/** Everything that does not depend on the values: the kernel's text, and what its uniform block would hold. */
export interface NaiveKernel {
  readonly wgsl: string;
  readonly counts: readonly number[];
}

/** The kernel of `op` for inputs of these shapes. */
export function naiveKernel<A>(op: Op<A>, inputs: readonly Aval[], attrs: A): NaiveKernel {
  const output = op.infer(inputs, attrs);
  const counts: number[] = [];
  const count = (value: number): string => `counts[${counts.push(value) - 1}]`;
  const emit: EmitContext<A> = {
    attrs,
    inputs,
    output,
    count,
    size: (value) => `${value}u`,
    scalar: () => unsupported('scalar'),
    use: () => unsupported('use'),
  };
  const body = bodyOf(op.lower, emit);
  return { wgsl: `${header(inputs.length)}\n${body}`, counts };
}

/** The output of `op`, computed on `device`. */
export async function runNaive<A>(
  device: GPUDevice,
  op: Op<A>,
  inputs: readonly Aval[],
  values: readonly Float32Array[],
  attrs: A,
): Promise<Float32Array> {
  const size = sizeOf(op.infer(inputs, attrs).shape);
  if (size === 0) return new Float32Array(0);
  const { wgsl, counts } = naiveKernel(op, inputs, attrs);
  const module = device.createShaderModule({ code: wgsl });
  const pipeline = await device
    .createComputePipelineAsync({ layout: 'auto', compute: { module } })
    .catch((error: Error) => Promise.reject(new Error(`${op.name}: ${error.message}\n${wgsl}`)));

  const upload = (data: Float32Array | Uint32Array): GPUBuffer => {
    const buffer = device.createBuffer({
      size: Math.max(data.byteLength, 4),
      usage: STORAGE | COPY_SRC | COPY_DST,
    });
    device.queue.writeBuffer(buffer, 0, data as BufferSource);
    return buffer;
  };
  const output = upload(new Float32Array(size));
  const buffers = [output, upload(new Uint32Array(counts.length === 0 ? [0] : counts)), ...values.map(upload)];
  const readback = device.createBuffer({ size: size * 4, usage: COPY_DST | MAP_READ });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(Math.ceil(size / 64));
  pass.end();
  encoder.copyBufferToBuffer(output, 0, readback, 0, size * 4);
  device.queue.submit([encoder.finish()]);
  await readback.mapAsync(MAP_MODE_READ);
  const result = new Float32Array(readback.getMappedRange().slice(0));
  for (const buffer of [...buffers, readback]) buffer.destroy();
  return result;
}

/** `load_k(index)` reads input k; every binding is used, so that the automatic layout holds them all. */
function header(inputCount: number): string {
  const inputs = [...Array(inputCount).keys()].map(
    (k) => `@group(0) @binding(${k + 2}) var<storage, read> in${k}: array<f32>;
fn load_${k}(index: u32) -> f32 {
  if (index >= arrayLength(&in${k})) { return outside(); }
  return in${k}[index];
}`,
  );
  return `@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
${inputs.join('\n')}
fn outside() -> f32 { return bitcast<f32>(0x7fc00000u | (arrayLength(&counts) & 1u)); }
fn touch() -> u32 {
  return arrayLength(&counts)${[...Array(inputCount).keys()].map((k) => ` + arrayLength(&in${k})`).join('')};
}`;
}

function bodyOf<A>(lower: Lowering<A>, emit: EmitContext<A>): string {
  switch (lower.kind) {
    case 'index': {
      const context: IndexContext<A> = { ...emit, i: 'element', load: (k, index) => `load_${k}(${index})` };
      return `fn value(element: u32) -> f32 {${lower.wgsl(context)}
}
${main('out[id.x] = value(id.x);')}`;
    }
    case 'contract':
      return contractionBody(lower.contraction(emit.inputs, emit.output, emit.attrs), emit as EmitContext<unknown>);
    default:
      return unsupported(lower.kind);
  }
}

function contractionBody(c: Contraction, emit: EmitContext<unknown>): string {
  return `struct Run { base: i32, lo: i32, hi: i32 }
fn row(m: u32, product: u32) -> vec3i {${c.row(emit)}
}
fn segment(s: u32) -> vec3i {${c.segment(emit)}
}
fn a_run(r: vec3i, s: vec3i) -> Run {${c.aRun(emit)}
}
fn b_base(n: u32, s: vec3i, product: u32) -> i32 {${c.bBase(emit)}
}
fn out_row(m: u32) -> u32 {${c.outRow?.(emit) ?? 'return m;'}}
${main(`
  let n = id.x % ${emit.count(c.n)};
  let m = id.x / ${emit.count(c.n)} % ${emit.count(c.m)};
  let product = id.x / ${emit.count(c.n * c.m)};
  let inner = i32(${emit.count(c.inner)});
  var sum = 0.0;
  for (var seg = 0u; seg < ${emit.count(c.segments)}; seg++) {
    let s = segment(seg);
    let run = a_run(row(m, product), s);
    let column = b_base(n, s, product);
    let whole = run.lo == 0 && run.hi == inner;
    if (run.lo < 0 || run.hi > inner || (!${c.clipped} && !whole)) { sum += outside(); }
    for (var k = run.lo; k < run.hi; k++) {
      let a = load_${c.a}(u32(run.base + k * i32(${emit.count(c.aStep)})));
      sum += a * load_${c.b}(u32(column + k * i32(${emit.count(c.bStep)})));
    }
  }
  out[(product * ${emit.count(c.m)} + out_row(m)) * ${emit.count(c.n)} + n] = sum;`)}`;
}

function main(body: string): string {
  return `@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&out) || touch() == 0u) { return; }${body}
}`;
}

function unsupported(what: string): never {
  throw new Error(`naive kernels do not know "${what}"`);
}
