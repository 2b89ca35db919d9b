/** What only the WebGPU backend promises: no object in a steady run, told failures, a bounded staging pool. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create } from 'webgpu';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { profileProgram } from '../../src/backend/profile.ts';
import { createWebGPUBackend, requestWebGPUBackend, type WebGPUBackend } from '../../src/backend/webgpu/index.ts';
import { createDawnNullBackend, createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import type { Plan } from '../../src/compile/plan.ts';
import { DownhillError } from '../../src/util/errors.ts';
import { type InstrumentedDevice, instrument } from '../support/count-calls.ts';
import { edited } from '../support/kernels.ts';
import { descentPlan, planOf, reusePlan, scalarWords, scalePlan } from './hand-plans.ts';

// Dawn dies with the process's last reference to its instance, so it stays in module scope.
const gpu = create([]);

async function newDevice(): Promise<GPUDevice> {
  const adapter = await gpu.requestAdapter();
  return (adapter as GPUAdapter).requestDevice();
}

/** The DownhillError that `body` throws or rejects with. */
async function errorOf(body: () => unknown): Promise<DownhillError> {
  try {
    await body();
  } catch (error) {
    expect(error).toBeInstanceOf(DownhillError);
    return error as DownhillError;
  }
  throw new Error('expected an error');
}

describe('on an instrumented device', () => {
  let device: GPUDevice;
  let calls: InstrumentedDevice;
  let backend: WebGPUBackend;
  beforeAll(async () => {
    device = await newDevice();
    calls = instrument(device);
    backend = createWebGPUBackend({ device: calls.device });
  });
  afterAll(async () => {
    await backend.dispose();
    device.destroy();
  });

  it('a steady run makes one encoder, one pass, one submit and no other object', async () => {
    const p = backend.createBuffer(1000, 'f32', 'p');
    const log = backend.createBuffer(8, 'f32', 'log');
    const program = await backend.load(descentPlan(1000), [p]);
    const runs = await calls.during(() => {
      for (let k = 0; k < 5; k++) program.run(scalarWords(0.1), [{ output: 0, into: log, offset: k }]);
    });
    expect(runs).toEqual({
      createCommandEncoder: 5,
      beginComputePass: 5,
      setPipeline: 20,
      setBindGroup: 20,
      dispatchWorkgroups: 20,
      copyBufferToBuffer: 5,
      writeBuffer: 5,
      submit: 5,
    });
    program.dispose();
    p.dispose();
    log.dispose();
  });

  it('counts what the device counts', async () => {
    const before = { ...backend.counters };
    const seen = await calls.during(async () => {
      const program = await backend.load(reusePlan([3, 4]), []);
      program.run();
      await program.read(0);
      program.dispose();
    });
    const after = backend.counters;
    expect(after.buffersCreated - before.buffersCreated).toBe(seen.createBuffer);
    expect(after.bindGroupsCreated - before.bindGroupsCreated).toBe(seen.createBindGroup);
    expect(after.pipelinesCreated - before.pipelinesCreated).toBe(seen.createComputePipelineAsync);
    expect(after.submits - before.submits).toBe(seen.submit);
    expect(after.passes - before.passes).toBe(seen.beginComputePass);
    expect(after.dispatches - before.dispatches).toBe(seen.dispatchWorkgroups);
  });

  it('sets a pipeline only when it changes', async () => {
    const plan = scalePlan(64);
    const program = await backend.load({ ...plan, dispatches: [0, 1, 2].map(() => plan.dispatches[0]) }, [
      backend.createBuffer(64, 'f32', 'x'),
    ]);
    const run = await calls.during(() => program.run(scalarWords(1)));
    expect(run).toMatchObject({ setPipeline: 1, setBindGroup: 3, dispatchWorkgroups: 3 });
    program.dispose();
  });

  it('shares pipelines and layouts between plans with the same kernels', async () => {
    const x = backend.createBuffer(64, 'f32', 'x');
    const one = await backend.load(scalePlan(64), [x]);
    const progress: string[] = [];
    const load = await calls.during(async () => {
      const other = await backend.load(scalePlan(32), [x], (built, total) => progress.push(`${built}/${total}`));
      other.dispose();
    });
    expect(progress).toEqual(['1/1']);
    expect(load.createComputePipelineAsync).toBeUndefined();
    expect(load.createShaderModule).toBeUndefined();
    expect(load.createBindGroupLayout).toBeUndefined();
    expect(load.createBindGroup).toBe(1);
    one.dispose();
    x.dispose();
  });

  it('reads through a bounded pool of staging buffers', async () => {
    const x = backend.createBuffer(1000, 'f32', 'x');
    backend.write(
      x,
      Float32Array.from({ length: 1000 }, (_, i) => i),
    );
    const readAll = () => Promise.all(Array.from({ length: 12 }, (_, k) => backend.read(x, 'f32', k * 10, 10)));
    const { liveBuffers } = backend.counters;
    const atStart = calls.liveBuffers();
    const first = await readAll();
    expect(first.map((part) => part[0])).toEqual(Array.from({ length: 12 }, (_, k) => k * 10));
    const idle = calls.liveBuffers();
    expect(idle - atStart).toBeLessThanOrEqual(8);
    const again = await calls.during(async () => {
      for (let k = 0; k < 20; k++) await backend.read(x, 'f32', k, 5);
    });
    expect(again).toMatchObject({ mapAsync: 20, submit: 20 });
    expect(again.createBuffer).toBeUndefined();
    await readAll();
    expect(calls.liveBuffers()).toBeLessThanOrEqual(idle);
    expect(backend.counters.liveBuffers).toBe(liveBuffers);
    x.dispose();
  });

  it('refuses a buffer and a plan over the limits before anything is made', async () => {
    const seen = await calls.during(async () => {
      const tooLarge = await errorOf(() => backend.createBuffer(2 ** 27, 'f32', 'huge'));
      expect(tooLarge.code).toBe('device');
      expect(tooLarge.message).toMatch(/buffer "huge" takes 512 MiB .*allows 128 MiB .*maxStorageBufferBindingSize/);
      const plan = scalePlan(64 * 65536);
      const grid = await errorOf(() => backend.load(plan, []));
      expect(grid.message).toMatch(/dispatch 0 "scale": 65536 workgroups along x; the device allows 65535/);
    });
    expect(seen).toEqual({});
  });

  it('shows the lines of WGSL that were refused, and leaves nothing behind', async () => {
    const live = calls.liveBuffers();
    const broken = withWgsl(scalePlan(8), (wgsl) => wgsl.replace('x[i] * scalars[0]', '1u'));
    const error = await errorOf(() => backend.load(broken, [backend.createBuffer(8, 'f32', 'x')]));
    expect(error.code).toBe('internal');
    expect(error.message).toMatch(/^kernel "scale": its WGSL was refused\n {2}10:10 cannot assign/);
    expect(error.message).toContain('> 10 |     y[i] = 1u;');
    expect(error.message).toContain(`| ${' '.repeat(9)}^`);
    expect(calls.liveBuffers()).toBe(live + 1);
    await backend.finish();
  });

  it('names the kernel whose bindings or uniform block do not fit its shader', async () => {
    const x = backend.createBuffer(8, 'f32', 'x');
    const access = withWgsl(scalePlan(8), (wgsl) => wgsl.replace('read> x', 'read_write> x'));
    expect((await errorOf(() => backend.load(access, [x]))).message).toMatch(
      /kernel "scale": its pipeline was refused/,
    );
    const uniform = withWgsl(scalePlan(8), (wgsl) => wgsl.replace('b: u32 }', 'b: u32, c: u32 }'));
    expect((await errorOf(() => backend.load(uniform, [x]))).message).toMatch(
      /kernel "scale": its pipeline was refused/,
    );
    await backend.finish();
    x.dispose();
  });

  it('throws an error that no scope caught at the next call, once', async () => {
    const stray = calls.device.createCommandEncoder();
    const small = calls.device.createBuffer({ size: 16, usage: 0x8 });
    stray.copyBufferToBuffer(small, 0, small, 0, 16);
    calls.device.queue.submit([stray.finish()]);
    small.destroy();
    const error = await errorOf(() => backend.finish());
    expect(error.message).toMatch(/the device reported an error after the call that caused it/);
    await backend.finish();
  });

  it('does not destroy a device that it was lent', async () => {
    const lent = createWebGPUBackend({ device, adapterInfo: { description: 'lent' } });
    expect(lent.description).toBe('lent');
    await lent.dispose();
    expect((await errorOf(() => lent.createBuffer(1, 'f32', 'x'))).code).toBe('state');
    backend.createBuffer(1, 'f32', 'x').dispose();
    await backend.finish();
  });
});

describe('when the device is lost', () => {
  it('every call says so, pending reads too', async () => {
    const device = await newDevice();
    const backend = createWebGPUBackend({ device });
    const x = backend.createBuffer(4, 'f32', 'x');
    const program = await backend.load(scalePlan(4), [x]);
    program.run(scalarWords(1));
    const pending = [program.read(0), backend.read(x, 'f32')].map((read) => errorOf(() => read));
    device.destroy();
    for (const error of await Promise.all(pending)) expect(error.code).toBe('device-lost');
    const later = [
      () => program.run(scalarWords(1)),
      () => program.read(0),
      () => backend.read(x, 'f32'),
      () => backend.write(x, new Float32Array(4)),
      () => backend.createBuffer(1, 'f32', 'y'),
      () => backend.load(scalePlan(4), [x]),
      () => backend.finish(),
    ];
    for (const call of later) {
      const error = await errorOf(call);
      expect(error.code).toBe('device-lost');
      expect(error.message).toMatch(/was lost, reason "destroyed": device was destroyed/);
    }
    program.dispose();
    x.dispose();
    await backend.dispose();
  });

  it('is a matter of state when dispose() did it', async () => {
    const backend = await createNodeWebGPUBackend();
    const x = backend.createBuffer(4, 'f32', 'x');
    const pending = errorOf(() => backend.read(x, 'f32'));
    await backend.dispose();
    expect((await pending).code).toBe('state');
    expect((await errorOf(() => backend.write(x, new Float32Array(4)))).code).toBe('state');
  });
});

describe('on the null device of Dawn', () => {
  let backend: WebGPUBackend;
  beforeAll(async () => {
    backend = await createDawnNullBackend();
  });
  afterAll(() => backend.dispose());

  it('compiles WGSL and runs nothing', async () => {
    const program = await backend.load(reusePlan([1, 2]), []);
    program.run();
    expect(await program.read(0)).toHaveLength(2);
    program.dispose();
    const broken = withWgsl(reusePlan([1]), (wgsl) => wgsl.replace('main', 'start'));
    expect((await errorOf(() => backend.load(broken, []))).message).toMatch(
      /kernel "addTwo": its pipeline was refused/,
    );
  });

  it('reports memory that the device cannot give before the first run', async () => {
    // Dawn's null device has 512 MiB in all.
    const quarter = 2 ** 25;
    const plan = planOf({
      name: 'large',
      buffers: Array.from({ length: 5 }, (_, k) => ({ role: 'temporary', elements: quarter, label: `t${k}` }) as const),
      outputs: [],
      kernels: [],
      dispatches: [],
    });
    const { liveBuffers, liveBytes } = backend.counters;
    const error = await errorOf(() => backend.load(plan, []));
    expect(error.code).toBe('device');
    expect(error.message).toMatch(/buffer "large\/t\d" \(128 MiB .*out of memory/);
    expect(backend.counters).toMatchObject({ liveBuffers, liveBytes });
    const own = Array.from({ length: 5 }, (_, k) => backend.createBuffer(quarter, 'f32', `own${k}`));
    const refused = await errorOf(() => Promise.all(own.map((buffer) => backend.read(buffer, 'f32', 0, 1))));
    expect(refused.message).toMatch(/buffer "own\d" .*out of memory/);
    for (const buffer of own) buffer.dispose();
  });
});

describe('profileProgram', () => {
  it('times every dispatch', async () => {
    const backend = await createNodeWebGPUBackend({ toggles: { disable: ['timestamp_quantization'] } });
    const { liveBuffers } = backend.counters;
    const p = backend.createBuffer(100_000, 'f32', 'p');
    const program = await backend.load(descentPlan(100_000), [p]);
    const times = await profileProgram(program, { scalars: scalarWords(0.1), runs: 2 });
    expect(times.map(({ label }) => label)).toEqual(['square', 'sum', 'isPositive', 'descend']);
    expect(times[1].ns).toBeGreaterThan(1000);
    expect(times.map(({ flops }) => flops)).toEqual([100_000, 100_000, 100_000, 200_000]);
    expect(times.map(({ bytes }) => bytes)).toEqual([800_000, 400_004, 800_000, 800_004]);
    expect(times.map(({ workgroups }) => workgroups[0])).toEqual([1563, 1, 1563, 1563]);
    expect(times.reduce((total, { share }) => total + share, 0)).toBeCloseTo(1, 12);
    expect(times[1].gbs * times[1].ns).toBeCloseTo(times[1].bytes, 6);
    program.dispose();
    p.dispose();
    expect(backend.counters.liveBuffers).toBe(liveBuffers);
    await backend.dispose();
  });

  it('says what it needs', async () => {
    const backend = await createNodeWebGPUBackend({ defaultLimits: true });
    const program = await backend.load(reusePlan([1]), []);
    const error = await errorOf(() => profileProgram(program));
    expect(error.code).toBe('device');
    expect(error.message).toMatch(
      /needs the feature timestamp-query, which the device \(.+\) has not; update the browser/,
    );
    await backend.dispose();
    const onCpu = await createCpuBackend().load(reusePlan([1]), []);
    expect((await errorOf(() => profileProgram(onCpu))).message).toMatch(/"reuse": needs a WebGPU backend; .*VALIDATE/);
  });
});

describe('in Node', () => {
  it.each(['', 'await backend.dispose();'])('a process exits by itself at the end of its work: "%s"', async (end) => {
    const module = new URL('../../src/backend/webgpu.node.ts', import.meta.url);
    const script = `import { createNodeWebGPUBackend } from '${module}';
      const backend = await createNodeWebGPUBackend();
      const x = backend.createBuffer(4, 'f32', 'x');
      console.log((await backend.read(x, 'f32')).length);
      ${end}`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    expect(stdout).toBe('4\n');
  });
});

describe('no adapter', () => {
  it('says what to do', async () => {
    expect((await errorOf(() => requestWebGPUBackend(undefined))).message).toMatch(/no WebGPU; .*createCpuBackend/);
    const none = { requestAdapter: async () => null } as unknown as GPU;
    const error = await errorOf(() => requestWebGPUBackend(none, { advice: 'install a driver' }));
    expect(error).toMatchObject({ code: 'device', message: 'WebGPU found no adapter; install a driver' });
  });

  it('tells Node users which package to install', async () => {
    const error = await errorOf(() => createNodeWebGPUBackend({ adapterName: 'no such adapter' }));
    expect(error.code).toBe('device');
    expect(error.message).toMatch(/bookworm-backports mesa-vulkan-drivers/);
  });
});

function withWgsl(plan: Plan, change: (wgsl: string) => string): Plan {
  return { ...plan, kernels: plan.kernels.map((kernel) => edited(kernel, change)) };
}
