/** What every backend that computes must do in the same way. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { descentPlan, reusePlan, scalarWords, scalePlan } from './hand-plans.ts';

const suites: readonly [string, () => Promise<Backend>][] = [
  ['webgpu', () => createNodeWebGPUBackend()],
  ['webgpu, default limits', () => createNodeWebGPUBackend({ defaultLimits: true })],
  ['cpu f32', async () => createCpuBackend()],
  ['cpu f64', async () => createCpuBackend({ precision: 'f64' })],
];

describe.each(suites)('%s', (title, create) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(async () => {
    await backend.dispose();
  });

  it('runs a plan with a scalar that changes from run to run', async () => {
    const x = backend.createBuffer(100, 'f32', 'x');
    backend.write(
      x,
      Float32Array.from({ length: 100 }, (_, i) => i),
    );
    const program = await backend.load(scalePlan(100), [x]);
    program.run(scalarWords(2));
    const first = program.read(0);
    program.run(scalarWords(0.5));
    const second = program.read(0);
    expect([...(await first)].slice(0, 4)).toEqual([0, 2, 4, 6]);
    expect([...(await second)].slice(97)).toEqual([48.5, 49, 49.5]);
    program.dispose();
    x.dispose();
  });

  it('runs a grid that is folded along y', async () => {
    const n = 64 * 7 + 5;
    const x = backend.createBuffer(n, 'f32', 'x');
    backend.write(x, new Float32Array(n).fill(1));
    const program = await backend.load(scalePlan(n, 3), [x]);
    program.run(scalarWords(3));
    expect(new Set(await program.read(0))).toEqual(new Set([3]));
    program.dispose();
    x.dispose();
  });

  it('gives each dispatch its own uniform block', async () => {
    const plan = scalePlan(100);
    const x = backend.createBuffer(100, 'f32', 'x');
    backend.write(x, new Float32Array(100).fill(1));
    // One of the two dispatches stops after two elements; whichever it is, the other fills the rest.
    const [whole] = plan.dispatches;
    const short = { ...whole, uniforms: [2, 64, 0, 0], reference: [] };
    for (const dispatches of [
      [whole, short],
      [
        { ...short, reference: whole.reference },
        { ...whole, reference: [] },
      ],
    ]) {
      const program = await backend.load({ ...plan, dispatches }, [x]);
      program.run(scalarWords(3));
      expect((await program.read(0))[99]).toBe(3);
      program.dispose();
    }
    x.dispose();
  });

  it('updates bound buffers in place, reads bools, and logs outputs in the same submit', async () => {
    const p = backend.createBuffer(3, 'f32', 'p');
    const log = backend.createBuffer(4, 'f32', 'log');
    backend.write(p, Float32Array.of(2, -4, 8));
    const program = await backend.load(descentPlan(3), [p]);
    for (let step = 0; step < 3; step++) program.run(scalarWords(0.5), [{ output: 0, into: log, offset: step + 1 }]);
    expect([...(await backend.read(log, 'f32'))]).toEqual([0, 84, 21, 5.25]);
    expect([...(await backend.read(p, 'f32'))]).toEqual([0.25, -0.5, 1]);
    expect([...(await backend.read(p, 'f32', 1, 2))]).toEqual([-0.5, 1]);
    expect(await program.read(1)).toEqual(Uint8Array.of(1, 0, 1));
    program.dispose();
    p.dispose();
    log.dispose();
  });

  it('runs constants, reused temporaries and steps without a place', async () => {
    const program = await backend.load(reusePlan([1, 2, -3]), []);
    program.run();
    program.run();
    expect([...(await program.read(0))]).toEqual([9, 16, 1]);
    expect([...(await backend.read(program.outputs[0], 'f32', 1))]).toEqual([16, 1]);
    program.dispose();
  });

  it('keeps dtypes through write, copy and read', async () => {
    const from = backend.createBuffer(4, 'i32', 'from');
    const to = backend.createBuffer(6, 'i32', 'to');
    backend.write(from, Int32Array.of(-1, 2, -3, 4));
    backend.copy(from, 1, to, 2, 3);
    expect(await backend.read(to, 'i32')).toEqual(Int32Array.of(0, 0, 2, -3, 4, 0));
    const flags = backend.createBuffer(3, 'bool', 'flags');
    backend.write(flags, Uint8Array.of(1, 0, 1));
    backend.write(flags, Uint8Array.of(1), 1);
    expect(await backend.read(flags, 'bool')).toEqual(Uint8Array.of(1, 1, 1));
    for (const buffer of [from, to, flags]) buffer.dispose();
  });

  it('reads and records an output that is a part of its buffer', async () => {
    const plan = scalePlan(6);
    const part = { ...plan.outputs[0], offset: 2, shape: [3] };
    const x = backend.createBuffer(6, 'f32', 'x');
    const log = backend.createBuffer(8, 'f32', 'log');
    backend.write(x, Float32Array.of(1, 2, 3, 4, 5, 6));
    const program = await backend.load({ ...plan, outputs: [part] }, [x]);
    program.run(scalarWords(2), [{ output: 0, into: log, offset: 4 }]);
    expect([...(await program.read(0))]).toEqual([6, 8, 10]);
    expect([...(await backend.read(log, 'f32'))]).toEqual([0, 0, 0, 0, 6, 8, 10, 0]);
    program.dispose();
    for (const buffer of [x, log]) buffer.dispose();
  });

  it('reads as much as it is asked for, whatever was read before', async () => {
    const x = backend.createBuffer(5000, 'i32', 'x');
    backend.write(
      x,
      Int32Array.from({ length: 5000 }, (_, k) => k),
    );
    for (const [offset, elements] of [
      [10, 3],
      [0, 5000],
      [20, 70],
      [4990, 10],
      [1, 2000],
    ]) {
      const found = await backend.read(x, 'i32', offset, elements);
      expect([found.length, found[0], found.at(-1)]).toEqual([elements, offset, offset + elements - 1]);
    }
    x.dispose();
  });

  it('holds f32 at its own precision', async () => {
    const x = backend.createBuffer(2, 'f32', 'x');
    backend.write(x, Float64Array.of(0.1, 1 / 3));
    const expected = title === 'cpu f64' ? Float64Array.of(0.1, 1 / 3) : Float32Array.of(0.1, 1 / 3);
    expect(await backend.read(x, 'f32')).toEqual(expected);
    x.dispose();
  });

  it('refuses wrong ranges, dtypes, scalar blocks, strangers and what was disposed', async () => {
    const x = backend.createBuffer(3, 'f32', 'x');
    const p = backend.createBuffer(2, 'f32', 'p');
    const program = await backend.load(scalePlan(3), [x]);
    expect(() => backend.write(x, new Float32Array(2), 2)).toThrow(/write to "x": elements 2 to 4 are outside its 3/);
    expect(() => backend.write(x, Int32Array.of(1))).toThrow(/write to "x" \(f32\): got Int32Array.*Float32Array/);
    await expect(backend.read(x, 'f32', 1, 3)).rejects.toThrow(/read of "x": elements 1 to 4/);
    expect(() => backend.copy(x, 0, x, 1, 1)).toThrow(/"x" cannot be copied into itself/);
    expect(() => program.run()).toThrow(/run "scale": the scalar block takes 64 words, got none/);
    expect(() => program.run(new Uint32Array(1))).toThrow(/takes 64 words, got 1/);
    expect(() => program.run(scalarWords(1), [{ output: 0, into: p, offset: 0 }])).toThrow(/record of "y" in "p"/);
    await expect(backend.load(scalePlan(4), [x])).rejects.toThrow(/"x" takes 16 bytes; buffer "x" has 12/);
    await expect(backend.load(scalePlan(3), [])).rejects.toThrow(/binds 1 buffers \(x\), got 0/);
    const stranger = createCpuBackend().createBuffer(3, 'f32', 'stranger');
    expect(() => backend.write(stranger, new Float32Array(3))).toThrow(/"stranger" belongs to another backend/);
    const another = await backend.load(scalePlan(2), [p]);
    p.dispose();
    expect(() => another.run(scalarWords(1))).toThrow(/run "scale": its bound buffer "p" was disposed/);
    another.dispose();
    program.dispose();
    expect(() => program.run(scalarWords(1))).toThrow(/program "scale" was disposed/);
    await expect(program.read(0)).rejects.toThrow(/program "scale" was disposed/);
    x.dispose();
    expect(() => backend.write(x, new Float32Array(3))).toThrow(/buffer "x" was disposed/);
  });

  it('leaves no buffer behind', async () => {
    const { liveBuffers, liveBytes } = backend.counters;
    for (let k = 1; k < 5; k++) {
      const p = backend.createBuffer(k, 'f32', 'p');
      const program = await backend.load(descentPlan(k), [p]);
      program.run(scalarWords(0.1));
      await program.read(0);
      program.dispose();
      program.dispose();
      p.dispose();
      p.dispose();
    }
    expect(backend.counters).toMatchObject({ liveBuffers, liveBytes });
    expect(backend.counters.peakBytes).toBeGreaterThan(liveBytes);
  });
});
