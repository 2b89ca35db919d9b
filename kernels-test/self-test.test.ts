/**
 * The self-test that users run: every op passes, a kernel broken on purpose is caught and named, the report is plain
 * data, progress and abort work, and the caller's backend stays the caller's.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../src/backend/backend.ts';
import { createCpuBackend } from '../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../src/backend/webgpu.node.ts';
import type { Op } from '../src/core/op.ts';
import { conv2d } from '../src/ops/convolution/conv.ts';
import { tanh } from '../src/ops/elementwise/activations.ts';
import { allOps } from '../src/ops/index.ts';
import { softmax } from '../src/ops/reduction/softmax.ts';
import { getBackend, setBackend } from '../src/runtime/index.ts';
import { type OpSelfTest, selfTest } from '../src/self-test.ts';
import { jsonOf } from './cli/run-cli.ts';

/** One of each kind of kernel. */
const KINDS = ['tanh', 'add', 'sum', 'softmax', 'matmul', 'conv2d', 'maxPool2d', 'argMax', 'randomNormal', 'transpose'];

describe('on the CPU', () => {
  const backend = createCpuBackend();
  afterAll(() => backend.dispose());

  test('every op passes in f32, and the report is plain data', async () => {
    const heard: string[] = [];
    const report = await selfTest(backend, {
      onProgress({ done, total, op }) {
        expect([done, total]).toEqual([heard.push(op.name), allOps.length]);
      },
    });
    expect(report.ops.filter(({ pass }) => !pass)).toEqual([]);
    expect(report).toMatchObject({ pass: true, failed: [], backend: 'cpu', adapter: 'CPU (f32)', seed: 0 });
    expect(report.ops.map(({ name }) => name)).toEqual(allOps.map(({ name }) => name));
    expect(heard).toEqual(report.ops.map(({ name }) => name));
    for (const [k, { name, samples, gradients, worstError, tolerance }] of report.ops.entries()) {
      const op = allOps[k];
      expect(samples, name).toBe(op.samples.length);
      expect(worstError, name).toBeLessThanOrEqual(tolerance);
      if (op.vjp === null) expect(gradients, name).toBe(0);
    }
    const sum = (key: 'samples' | 'gradients') => report.ops.reduce((total, op) => total + op[key], 0);
    expect(sum('samples')).toBeGreaterThan(700);
    expect(sum('gradients')).toBeGreaterThan(700);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(backend.counters.liveBuffers).toBe(0);
  });

  test('the default backend is left alone', async () => {
    const own = createCpuBackend();
    setBackend(own);
    try {
      await selfTest(backend, { ops: ['add'] });
      expect(getBackend()).toBe(own);
    } finally {
      setBackend(undefined);
      await own.dispose();
    }
  });

  test('another seed draws other operands', async () => {
    const errors = async (seed: number) => (await selfTest(backend, { ops: ['softmax'], seed })).ops[0].worstError;
    expect(await errors(0)).toBe(await errors(0));
    expect(await errors(1)).not.toBe(await errors(0));
  });

  test('ends at the signal, with its reason', async () => {
    const controller = new AbortController();
    const heard: string[] = [];
    const running = selfTest(backend, {
      ops: KINDS,
      signal: controller.signal,
      onProgress({ op }) {
        heard.push(op.name);
        if (heard.length === 2) controller.abort(new Error('enough'));
      },
    });
    await expect(running).rejects.toThrow('enough');
    expect(heard).toEqual(KINDS.slice(0, 2));
  });

  test.each([
    [{ ops: ['cov2d'] }, /unknown op "cov2d"; did you mean "conv2d"/],
    [{ seed: 0.5 }, /seed must be a whole number ≥ 0, got 0.5/],
    [{ sead: 1 } as object, /selfTest: unknown option "sead"/],
  ])('refuses %j', async (options, message) => {
    await expect(selfTest(backend, options)).rejects.toThrow(message);
  });

  test('a reference that a device cannot follow fails with null for the error', async () => {
    const { cpu } = tanh;
    const broken = createCpuBackend();
    // The f32 backend runs the same function: only the call in f64 gives NaN.
    replace(tanh, {
      cpu([x], output, attrs) {
        cpu([x], output, attrs);
        if (output.data instanceof Float64Array) output.data[0] = Number.NaN;
      },
    });
    const { ops } = await selfTest(broken, { ops: ['tanh'] });
    expect(ops[0]).toMatchObject({ pass: false, worstError: null });
    expect(ops[0].message).toMatch(/element 0: .*, expected NaN/);
    await broken.dispose();
  });
});

describe('on the device', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createNodeWebGPUBackend({ defaultLimits: true });
  });
  afterAll(() => backend.dispose());

  test('every kind of kernel passes, forward and backward', { timeout: 300_000 }, async () => {
    const report = await selfTest(backend, { ops: KINDS });
    expect(report.ops.filter(({ pass }) => !pass)).toEqual([]);
    expect(report.backend).toBe('webgpu');
    expect(report.adapter).toBe(backend.description);
    expect(report.ops.some(({ worstGradientError }) => (worstGradientError ?? 0) > 0)).toBe(true);
    expect(backend.counters.liveBuffers).toBe(0);
  });

  test('a kernel that computes a little wrong is named, and no other', async () => {
    replace(tanh, { lower: { kind: 'map', wgsl: ([x]) => `(tanh(${x}) * 1.0001)` } });
    const report = await selfTest(backend, { ops: ['exp', 'tanh', 'add'] });
    expect(report).toMatchObject({ pass: false, failed: ['tanh'] });
    const found = named(report.ops, 'tanh');
    expect(found.worstError).toBeGreaterThan(5e-5);
    expect(found.message).toMatch(/^sample .*f32\[.*element \d+: .*expected .*accepted difference/);
  });

  test('a kernel that the device refuses is named with what the device says', async () => {
    replace(tanh, { lower: { kind: 'map', wgsl: ([x]) => `tanhh(${x})` } });
    const report = await selfTest(backend, { ops: ['tanh', 'add'] });
    expect(report.failed).toEqual(['tanh']);
    expect(named(report.ops, 'tanh')).toMatchObject({ samples: 0, worstError: null });
    expect(named(report.ops, 'tanh').message).toMatch(/tanhh/);
  });

  test('a contraction that misses an element is named', async () => {
    const { lower } = conv2d;
    if (lower.kind !== 'contract') throw new Error('conv2d is no contraction any more: choose another op');
    replace(conv2d, {
      lower: {
        ...lower,
        contraction(inputs, output, attrs) {
          const contraction = lower.contraction(inputs, output, attrs);
          return { ...contraction, inner: Math.max(1, contraction.inner - 1) };
        },
      },
    });
    expect((await selfTest(backend, { ops: ['matmul', 'conv2d'] })).failed).toEqual(['conv2d']);
  });
});

describe('downhill self-test', () => {
  test('tells of each op, as JSON', async () => {
    const result = await jsonOf(['self-test', '--op', 'softmax', '--backend', 'webgpu']);
    expect(result).toMatchObject({ pass: true, failed: [], backend: 'webgpu', seed: 0 });
    expect(result.ops).toMatchObject([{ name: 'softmax', samples: softmax.samples.length, pass: true }]);
  });
});

let restore: (() => void)[] = [];
afterEach(() => {
  for (const undo of restore) undo();
  restore = [];
});

/** Gives a record other properties until the test ends. */
function replace<A>(op: Op<A>, changed: Partial<Op<A>>): void {
  const before = Object.fromEntries(Object.keys(changed).map((key) => [key, op[key as keyof Op<A>]]));
  restore.push(() => Object.assign(op, before));
  Object.assign(op, changed);
}

function named(ops: readonly OpSelfTest[], wanted: string): OpSelfTest {
  return ops.find(({ name }) => name === wanted)!;
}
