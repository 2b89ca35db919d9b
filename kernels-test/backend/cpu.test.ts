/** What the CPU backend does with memory: places, scratch, planes at f64. */

import { describe, expect, it } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { DEFAULT_LIMITS, type Dispatch, type PlacedValue, type Plan } from '../../src/compile/plan.ts';
import { moduleOf } from '../support/kernels.ts';
import { planOf, referenceOp, reusePlan } from './hand-plans.ts';

const KERNEL = {
  label: 'none',
  access: ['read_write'],
  uniformWords: 0,
  workgroupSize: 1,
  module: moduleOf(''),
} as const;

/** A plan whose one dispatch runs `reference` over one buffer of `elements` elements, all of it an output. */
function oneBuffer(elements: number, reference: Dispatch['reference'], outputs: PlacedValue[], data: boolean): Plan {
  return planOf({
    name: 'one buffer',
    buffers: [{ role: data ? 'bound' : 'output', elements, label: 'memory' }],
    inputs: data
      ? [{ buffer: 0, offset: 0, shape: [elements], dtype: 'f32', name: 'memory', kind: 'bound', updated: true }]
      : [],
    outputs: outputs.map((output, k) => ({ ...output, name: `out${k}` })),
    kernels: [KERNEL],
    dispatches: [
      { label: 'all', kernel: 0, uniforms: [], buffers: [0], workgroups: [1, 1, 1], reference, flops: 0, bytes: 0 },
    ],
  });
}

const at = (offset: number, length: number, dtype: PlacedValue['dtype'] = 'f32'): PlacedValue => ({
  buffer: 0,
  offset,
  shape: [length],
  dtype,
});

/** Reads its input back to front while it writes front to back: wrong when both are the same memory. */
const reverse = referenceOp('reverse', ([x], out) => {
  for (let i = 0; i < out.data.length; i++) out.data[i] = x.data[x.data.length - 1 - i];
});

/** Adds to what is there: wrong unless the output arrives zeroed. */
const accumulate = referenceOp('accumulate', (_, out) => {
  for (let i = 0; i < out.data.length; i++) out.data[i] += i + 1;
});

const half = referenceOp('half', ([x], out) => {
  for (let i = 0; i < out.data.length; i++) out.data[i] = x.data[i] / 2;
});

describe.each(['f32', 'f64'] as const)('at %s', (precision) => {
  it('an output may overwrite the inputs of its own step and of others', async () => {
    const backend = createCpuBackend({ precision });
    const memory = backend.createBuffer(6, 'f32', 'memory');
    backend.write(memory, Float32Array.of(1, 2, 3, 4, 5, 6));
    const plan = oneBuffer(
      6,
      [
        { op: reverse, attrs: {}, inputs: [at(0, 4)], shape: [4], dtype: 'f32', output: at(0, 4) },
        { op: half, attrs: {}, inputs: [at(2, 2)], shape: [2], dtype: 'f32', output: at(4, 2) },
      ],
      [],
      true,
    );
    const program = await backend.load(plan, [memory]);
    program.run();
    expect([...(await backend.read(memory, 'f32'))]).toEqual([4, 3, 2, 1, 1.5, 2]);
    program.dispose();
  });

  it('results without a place do not meet', async () => {
    const backend = createCpuBackend({ precision });
    const add = referenceOp('add', ([a, b], out) => {
      for (let i = 0; i < out.data.length; i++) out.data[i] = a.data[i] + 10 * b.data[i];
    });
    const plan = oneBuffer(
      2,
      [
        { op: accumulate, attrs: {}, inputs: [], shape: [2], dtype: 'f32' },
        { op: half, attrs: {}, inputs: [{ step: 0 }], shape: [2], dtype: 'f32' },
        { op: add, attrs: {}, inputs: [{ step: 0 }, { step: 1 }], shape: [2], dtype: 'f32', output: at(0, 2) },
      ],
      [at(0, 2)],
      false,
    );
    const program = await backend.load(plan, []);
    program.run();
    expect([...(await program.read(0))]).toEqual([6, 12]);
  });

  it('outputs arrive zeroed in every run', async () => {
    const backend = createCpuBackend({ precision });
    const steps = [{ op: accumulate, attrs: {}, inputs: [], shape: [3], dtype: 'f32', output: at(0, 3) }] as const;
    const program = await backend.load(oneBuffer(3, steps, [at(0, 3)], false), []);
    program.run();
    program.run();
    expect([...(await program.read(0))]).toEqual([1, 2, 3]);
  });

  it('views into integer values lie where the plan says, beside floats', async () => {
    const backend = createCpuBackend({ precision });
    const plan = oneBuffer(
      8,
      [
        { op: accumulate, attrs: {}, inputs: [], shape: [4], dtype: 'i32', output: at(0, 4, 'i32') },
        { op: accumulate, attrs: {}, inputs: [], shape: [4], dtype: 'f32', output: at(4, 4) },
      ],
      [at(1, 2, 'i32'), at(4, 4)],
      false,
    );
    const program = await backend.load(plan, []);
    program.run();
    expect(await program.read(0)).toEqual(Int32Array.of(2, 3));
    expect([...(await program.read(1))]).toEqual([1, 2, 3, 4]);
  });

  it('what is overwritten in another dtype is lost', async () => {
    const backend = createCpuBackend({ precision });
    const plan = oneBuffer(
      2,
      [{ op: accumulate, attrs: {}, inputs: [], shape: [2], dtype: 'f32', output: at(0, 2) }],
      [at(0, 2)],
      false,
    );
    const second = {
      op: accumulate,
      attrs: {},
      inputs: [],
      shape: [2],
      dtype: 'u32',
      output: at(0, 2, 'u32'),
    } as const;
    const dispatches = [plan.dispatches[0], { ...plan.dispatches[0], reference: [second] }];
    const program = await backend.load({ ...plan, dispatches }, []);
    program.run();
    expect([...(await program.read(0))]).not.toEqual([1, 2]);
  });

  it('counts its bytes and gives them back', async () => {
    const backend = createCpuBackend({ precision });
    const program = await backend.load(reusePlan([1, 2, 3, 4]), []);
    expect(backend.counters.liveBytes).toBeGreaterThanOrEqual(3 * 4 * (precision === 'f64' ? 8 : 4));
    program.dispose();
    expect(backend.counters).toMatchObject({ liveBuffers: 0, liveBytes: 0 });
  });
});

it('says what it is, and takes plans beyond the limits of devices', async () => {
  const backend = createCpuBackend({ precision: 'f64' });
  expect(backend.description).toBe('CPU (f64 reference)');
  expect(createCpuBackend().description).toBe('CPU (f32)');
  expect(backend.limits).toEqual({ ...DEFAULT_LIMITS, adapterClass: 'cpu' });
  const plan = reusePlan([1]);
  const huge = plan.dispatches.map((dispatch) => ({ ...dispatch, workgroups: [70000, 1, 1] as const }));
  await backend.load({ ...plan, dispatches: huge }, []);
  await backend.dispose();
  expect(() => backend.createBuffer(1, 'f32', 'x')).toThrow(/CPU \(f64 reference\) was disposed/);
});
