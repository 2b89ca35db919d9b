/**
 * The validating backend: sound plans run as without it, in the order of the calls; of an unsound one the first wrong
 * dispatch is named, with element, values and a repro; and what counts as wrong is neither too much nor too little.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { firstDivergence, makeWorlds } from '../../src/backend/validate/bounds.ts';
import { dispatchGroups } from '../../src/backend/validate/dispatch-group.ts';
import { wrapForValidation } from '../../src/backend/validate.node.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import type { Plan } from '../../src/compile/plan.ts';
import type { CpuTensor, Op } from '../../src/core/op.ts';
import type { DownhillError } from '../../src/util/errors.ts';
import { edited, textOf } from '../support/kernels.ts';
import { descentPlan, referenceOp, reusePlan, scalarWords, scalePlan } from './hand-plans.ts';

/** The plan with a tolerance for its ops, which hand-written plans leave out. */
function tolerant(plan: Plan): Plan {
  const dispatches = plan.dispatches.map((dispatch) => ({
    ...dispatch,
    reference: dispatch.reference.map((step) => ({ ...step, op: { ...step.op, tolerance: { relative: 1e-6 } } as Op })),
  }));
  return { ...plan, dispatches };
}

/** The plan with `from` in the text of kernel `k` replaced. */
function mutated(plan: Plan, k: number, from: string, to: string): Plan {
  const kernels = plan.kernels.map((kernel) => {
    if (kernel.id !== k) return kernel;
    expect(textOf(kernel)).toContain(from);
    return edited(kernel, (wgsl) => wgsl.replace(from, to));
  });
  return { ...plan, kernels };
}

describe('on the device', () => {
  let device: Backend;
  let folder: string;
  beforeAll(async () => {
    device = await createNodeWebGPUBackend({ defaultLimits: true });
    folder = await mkdtemp(join(tmpdir(), 'downhill-validate-'));
  });
  afterAll(async () => {
    await device.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  /** Three steps of descent, and a log of the losses. */
  async function descend(backend: Backend, plan: Plan) {
    const p = backend.createBuffer(3, 'f32', 'p');
    const log = backend.createBuffer(3, 'f32', 'log');
    const data = Float32Array.of(2, -4, 8);
    backend.write(p, data);
    data.fill(9);
    const program = await backend.load(plan, [p]);
    for (let step = 0; step < 3; step++) program.run(scalarWords(0.5), [{ output: 0, into: log, offset: step }]);
    const losses = backend.read(log, 'f32');
    const halved = backend.read(p, 'f32');
    backend.write(p, Float32Array.of(0, 0, 0));
    program.run(scalarWords(1));
    const positive = program.read(1);
    program.dispose();
    p.dispose();
    log.dispose();
    return { losses: [...(await losses)], p: [...(await halved)], positive: [...(await positive)] };
  }

  test('a sound plan gives what it gives without, in the order of the calls, and frees what it took', async () => {
    const plain = await descend(device, tolerant(descentPlan(3)));
    expect(plain).toEqual({ losses: [84, 21, 5.25], p: [0.25, -0.5, 1], positive: [0, 0, 0] });
    await device.finish();
    const before = device.counters.liveBuffers;
    const validated = wrapForValidation(device, folder);
    expect(await descend(validated, tolerant(descentPlan(3)))).toEqual(plain);
    await validated.finish();
    expect(device.counters.liveBuffers).toBe(before);
    const reuse = await validated.load(tolerant(reusePlan([1, 2, 3])), []);
    reuse.run();
    expect([...(await reuse.read(0))]).toEqual([9, 16, 25]);
    reuse.dispose();
    await validated.finish();
  });

  test.each([
    ['a wrong result', 1, 'total += x[i]', 'total += x[i] + 0.001', /dispatch 1 "sum", step 0 \(sum\), element 0/],
    ['a wrong index', 3, 'p[id.x] = p[id.x]', 'p[2u - id.x] = p[id.x]', /dispatch 3 "descend", step 0 .*element 0/],
  ])('%s is told where it happens', async (_title, kernel, from, to, message) => {
    const validated = wrapForValidation(device, folder);
    const running = descend(validated, mutated(tolerant(descentPlan(3)), kernel, from, to));
    const error: DownhillError = await running.then(
      () => expect.fail('nothing was found'),
      (reason) => reason,
    );
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/; the kernel evaluated on the CPU gives \S+ there, so the kernel is wrong/);
    expect(error).toMatchObject({ name: 'DownhillError', code: 'internal' });
    const path = /repro in (\S+)$/.exec(error.message)![1];
    const repro = JSON.parse(await readFile(path, 'utf8'));
    expect(repro).toMatchObject({ plan: 'descent', label: error.message.match(/"(\w+)", step/)![1] });
    expect(repro.kernels[0].wgsl).toContain(to);
    expect(repro.buffers.some((buffer: { before?: string }) => buffer.before?.startsWith('40'))).toBe(true);
    expect(() => validated.createBuffer(1, 'f32', 'late')).toThrow(message);
  });

  test('a device that does not do what the kernel says is blamed itself', async () => {
    // A driver that miscompiles: the plan that is validated is sound, the device runs another.
    const load: Backend['load'] = (plan, ...rest) => {
      const kernels = plan.kernels.map((kernel) =>
        edited(kernel, (wgsl) => wgsl.replace('total += x[i]', 'total -= x[i]')),
      );
      return device.load({ ...plan, kernels }, ...rest);
    };
    const bad = new Proxy(device, {
      get(target, property) {
        const value = property === 'load' ? load : Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const running = descend(wrapForValidation(bad, folder), tolerant(descentPlan(3)));
    await expect(running).rejects.toThrow(
      /dispatch 1 "sum".*evaluated on the CPU agrees with the reference, so the device or its driver is wrong/,
    );
  });

  test('a store outside of the results is found', async () => {
    const validated = wrapForValidation(device, folder);
    const plan = tolerant(scalePlan(8));
    const [dispatch] = plan.dispatches;
    const [step] = dispatch.reference;
    // The reference fills six of eight elements; the kernel fills all.
    const six = (value: object) => ({ ...value, shape: [6] });
    const short = { ...step, shape: [6], inputs: [six(step.inputs[0]), step.inputs[1]], output: six(step.output!) };
    const outputs = [six(plan.outputs[0])];
    const narrow = { ...plan, outputs, dispatches: [{ ...dispatch, reference: [short] }] } as unknown as Plan;
    const x = validated.createBuffer(8, 'f32', 'x');
    validated.write(x, new Float32Array(8).fill(1));
    const program = await validated.load(narrow, [x]);
    program.run(scalarWords(2));
    await expect(program.read(0)).rejects.toThrow(/buffer "y" outside of the results \(bits\), element 6/);
  });

  test('what the caller does wrong is told at the call', async () => {
    const validated = wrapForValidation(device, folder);
    const x = validated.createBuffer(4, 'f32', 'x');
    expect(() => validated.write(x, Int32Array.of(1))).toThrow(/write to "x" \(f32\): got Int32Array/);
    expect(() => validated.write(x, new Float32Array(5))).toThrow(/write to "x"/);
    const foreign = device.createBuffer(4, 'f32', 'foreign');
    expect(() => validated.write(foreign, new Float32Array(4))).toThrow(/belongs to another backend/);
    foreign.dispose();
    const program = await validated.load(tolerant(scalePlan(4)), [x]);
    expect(() => program.run()).toThrow(/scalar block takes/);
    program.dispose();
    expect(() => program.run(scalarWords(1))).toThrow(/was disposed/);
    x.dispose();
    expect(() => validated.write(x, new Float32Array(4))).toThrow(/"x" was disposed/);
    await validated.finish();
  });
});

test('the CPU backend is the reference and stays as it is', () => {
  const cpu = createCpuBackend();
  expect(wrapForValidation(cpu)).toBe(cpu);
});

test('stages without a reference belong to the dispatch that ends them', () => {
  const plan = reusePlan([1]);
  const [first, second, third] = plan.dispatches;
  const staged = { ...plan, dispatches: [{ ...first, reference: [] }, second, third] };
  expect(dispatchGroups(staged).map(({ at, plan: part }) => [at, part.dispatches.length])).toEqual([
    [1, 2],
    [2, 1],
  ]);
});

describe('what is accepted', () => {
  const f32 = (values: readonly number[]): CpuTensor => {
    return { shape: [values.length], dtype: 'f32', data: Float64Array.from(values) };
  };
  /** Runs `f` on one element through the worlds and judges `found`. */
  function judge(f: (x: number) => number, x: number, found: number, relative = 1e-6, dtype: 'f32' | 'bool' = 'f32') {
    const op = referenceOp('f', ([input], output) => {
      output.data[0] = f(input.data[0]);
    });
    const sound = { ...op, tolerance: { relative, source: '' } };
    const worlds = makeWorlds().map((world) => world.apply(sound, [f32([x])], { shape: [1], dtype }, {}));
    return firstDivergence([found], worlds) === undefined;
  }

  test.each<[string, (x: number) => number, number, number, boolean]>([
    ['a last place', (x) => x * 3, 1 / 3, 1 + 2 ** -23, true],
    ['a thousandth', (x) => x * 3, 1 / 3, 1.001, false],
    ['a thousandth of a tiny number', (x) => x * 3e-20, 1 / 3, 1.001e-20, false],
    ['cancellation', (x) => x - 1, 1 + 1e-6, 1.05e-6, true],
    ['an overflow of f32', (x) => x * 1e30, 1e10, Number.POSITIVE_INFINITY, true],
    ['an overflow with the wrong sign', (x) => x * 1e30, 1e10, Number.NEGATIVE_INFINITY, false],
    ['NaN for a number', (x) => x, 1, Number.NaN, false],
    ['a number for NaN', (x) => x / 0 - x / 0, 1, 0, false],
    ['NaN for NaN', (x) => x / 0 - x / 0, 1, Number.NaN, true],
    ['infinity for infinity', (x) => x / 0, 1, Number.POSITIVE_INFINITY, true],
    ['a number for infinity', (x) => x / 0, 1, 3e38, false],
    ['a denormal flushed to zero', (x) => x * 1e-39, 1, 0, true],
  ])('%s', (_title, f, x, found, accepted) => {
    expect(judge(f, x, found)).toBe(accepted);
  });

  test('a jump is accepted beside the point where it happens and nowhere else', () => {
    const step = (x: number) => Number(x > 1);
    expect(judge(step, 1 + 1e-9, 0, 1e-6, 'bool')).toBe(true);
    expect(judge(step, 1.001, 0, 1e-6, 'bool')).toBe(false);
  });

  test('what has vanished beside the rest of a tensor is not asked for', () => {
    const worlds = makeWorlds().map(() => f32([1000, 1e-6, 1e-2]));
    expect(firstDivergence([1000, 0, 1e-2], worlds)).toBeUndefined();
    expect(firstDivergence([1000, 0, 0.9e-2], worlds)).toMatchObject({ element: 2, found: 0.9e-2, expected: 1e-2 });
  });
});
