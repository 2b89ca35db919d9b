/**
 * compile(fn) and memory: what a call copies, uploads and allocates, counted; that nothing a call returned changes
 * later; and what `donate` gives away.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createEvaluatingBackend } from '../../src/backend/evaluate.ts';
import { createNullBackend } from '../../src/backend/null.ts';
import { validatingBackend } from '../../src/backend/validate.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { add, mul, sub } from '../../src/ops/elementwise/binary.ts';
import { reshape } from '../../src/ops/layout/shape.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { mean } from '../../src/ops/reduction/reduce.ts';
import { compile, evaluate, setBackend } from '../../src/runtime/index.ts';
import { tensor } from '../../src/runtime/tensor.ts';
import { gradients } from '../../src/transform/grad.ts';
import { expectRefusal } from '../data/refusal.ts';

const BACKENDS: readonly (readonly [string, () => Backend | Promise<Backend>])[] = [
  ['cpu', () => createCpuBackend()],
  ['cpu in f64', () => createCpuBackend({ precision: 'f64' })],
  ['evaluating', () => createEvaluatingBackend({ precision: 'f32' })],
  ['webgpu', () => createNodeWebGPUBackend()],
  ['webgpu, validated', async () => validatingBackend(await createNodeWebGPUBackend())],
];

let backend: Backend;
afterEach(() => vi.restoreAllMocks());

/** What `work` makes the backend do: calls of copy and write (in elements), new buffers, bind groups, submits. */
async function costsOf<T>(work: () => Promise<T>) {
  const [copy, write] = [vi.spyOn(backend, 'copy'), vi.spyOn(backend, 'write')];
  const before = { ...backend.counters };
  const value = await work();
  await backend.finish();
  const counts = {
    copies: copy.mock.calls.length,
    written: write.mock.calls.map(([, data]) => data.length),
    buffers: backend.counters.buffersCreated - before.buffersCreated,
    bindGroups: backend.counters.bindGroupsCreated - before.bindGroupsCreated,
    submits: backend.counters.submits - before.submits,
    live: backend.counters.liveBuffers - before.liveBuffers,
  };
  vi.restoreAllMocks();
  return { value, counts };
}

/** Values on the device. */
async function onDevice(values: Parameters<typeof tensor>[0]): Promise<Tensor> {
  const made = mul(tensor(values), 1);
  await evaluate([made]);
  return made;
}

const values = async (x: Tensor): Promise<number[]> => [...(await x.data())];

/** Two steps of gradient descent on ½·mean((x w − y)²). */
const descend = (w: Tensor, x: Tensor, y: Tensor) => {
  const error = sub(matmul(x, w), y);
  const loss = mean(mul(error, error));
  const [gradient] = gradients(loss, [w]);
  return { w: sub(w, mul(gradient, 0.5)), loss };
};

describe.each(BACKENDS)('on %s', (name, open) => {
  /** The validating backend runs each dispatch by itself and reads around it. */
  const isCounted = !name.includes('validated');

  beforeAll(async () => {
    backend = await open();
    setBackend(backend);
  });
  afterAll(async () => {
    setBackend(undefined);
    await backend.dispose();
  });

  test('a call copies nothing, allocates its results and submits once', async () => {
    const step = compile(descend);
    const [x, y] = [
      await onDevice([
        [1, 0],
        [0, 2],
        [1, 1],
      ]),
      await onDevice([[1], [2], [3]]),
    ];
    let w = await onDevice([[0], [0]]);
    // Loads the program.
    (await step(w, x, y)).loss.dispose();
    for (let k = 0; k < 3; k++) {
      const { value: next, counts } = await costsOf(() => step(w, x, y));
      if (isCounted) expect(counts).toMatchObject({ copies: 0, written: [], buffers: 2, submits: 1, live: 2 });
      w.dispose();
      next.loss.dispose();
      w = next.w;
    }
    step.dispose();
  });

  test('an argument in host memory is uploaded, into memory that stays', async () => {
    const scaled = compile((x: Tensor, by: Tensor) => mul(x, by));
    const x = await onDevice([1, 2, 3]);
    await scaled(x, tensor(2));
    const { value, counts } = await costsOf(() => scaled(x, tensor(3)));
    if (isCounted) expect(counts).toMatchObject({ copies: 0, written: [1], buffers: 1, submits: 1 });
    expect(await values(value)).toEqual([3, 6, 9]);
    expect(await values(x)).toEqual([1, 2, 3]);
    scaled.dispose();
  });

  test('a donated argument is where the result is: nothing is copied, allocated or bound', async () => {
    const step = compile(descend, { donate: [0] });
    const plain = compile(descend);
    const [x, y] = [
      await onDevice([
        [1, 0],
        [0, 2],
        [1, 1],
      ]),
      await onDevice([[1], [2], [3]]),
    ];
    let w = await onDevice([[0], [0]]);
    let expected = await onDevice([[0], [0]]);
    for (let k = 0; k < 4; k++) {
      const { value: next, counts } = await costsOf(() => step(w, x, y));
      // The loss is new with each call.
      if (k > 0 && isCounted) {
        expect(counts).toMatchObject({ copies: 0, written: [], buffers: 1, submits: 1, live: 1 });
        if (backend.kind === 'webgpu') expect(counts.bindGroups).toBe(1);
      }
      await expectRefusal(() => w.data(), 'state', /was used after dispose/);
      ({ w } = next);
      expected = (await plain(expected, x, y)).w;
      expect(await values(w)).toEqual(await values(expected));
      next.loss.dispose();
    }
    step.dispose();
    expect(await values(w)).toEqual(await values(expected));
  });

  test('all in place: a loop of donated tensors makes nothing at all', async () => {
    const move = compile((w: Tensor, m: Tensor) => [add(w, m), mul(m, 0.5)] as const, { donate: [0, 1] });
    let [w, m] = await move(await onDevice([1, 2]), await onDevice([8, 16]));
    for (let k = 0; k < 3; k++) {
      const { value, counts } = await costsOf(() => move(w, m));
      if (isCounted) {
        expect(counts).toEqual({ copies: 0, written: [], buffers: 0, bindGroups: 0, submits: 1, live: 0 });
      }
      [w, m] = value;
    }
    expect([await values(w), await values(m)]).toEqual([
      [16, 32],
      [0.5, 1],
    ]);
    move.dispose();
  });

  test('what was returned keeps its values, whatever is called afterwards', async () => {
    const next = compile((x: Tensor) => ({ sum: add(x, 1), twice: mul(x, 2), same: x, row: reshape(x, [1, 2]) }));
    const x = await onDevice([1, 2]);
    const first = await next(x);
    const second = await next(first.sum);
    const third = await next(await onDevice([10, 20]));
    const all = async (of: typeof first) => Promise.all([of.sum, of.twice, of.same, of.row].map(values));
    expect(await all(first)).toEqual([
      [2, 3],
      [2, 4],
      [1, 2],
      [1, 2],
    ]);
    expect(await all(second)).toEqual([
      [3, 4],
      [4, 6],
      [2, 3],
      [2, 3],
    ]);
    expect(await all(third)).toEqual([
      [11, 21],
      [20, 40],
      [10, 20],
      [10, 20],
    ]);
    // Results are tensors of their own: disposing the argument does not take them away.
    x.dispose();
    first.sum.dispose();
    next.dispose();
    expect(await values(first.same)).toEqual([1, 2]);
    expect(await values(second.sum)).toEqual([3, 4]);
  });

  test('calls that overlap do not disturb each other', async () => {
    const add1 = compile((x: Tensor) => add(x, 1));
    const inputs = [await onDevice([1, 2]), tensor([3, 4]), await onDevice([5, 6]), tensor([7, 8])];
    const results = await Promise.all(inputs.map((x) => add1(x)));
    expect(await Promise.all(results.map(values))).toEqual([
      [2, 3],
      [4, 5],
      [6, 7],
      [8, 9],
    ]);
    add1.dispose();
  });

  test('donated: results of other shapes get memory of their own, what nobody takes is freed', async () => {
    const total = compile((x: Tensor) => mean(x), { donate: [0] });
    await total(await onDevice([1, 3]));
    const x = await onDevice([2, 4]);
    const { value, counts } = await costsOf(() => total(x));
    if (isCounted) expect(counts).toMatchObject({ copies: 0, buffers: 1, live: 0 });
    expect(await values(value)).toEqual([3]);
    await expectRefusal(() => x.data(), 'state', /was used after dispose/);
    total.dispose();
  });

  test('donated tensors that are exchanged, returned as they are, or in host memory', async () => {
    const swap = compile((a: Tensor, b: Tensor) => ({ a: b, b: a }), { donate: [0, 1] });
    const swapped = await swap(await onDevice([1, 2]), tensor([3, 4]));
    expect([await values(swapped.a), await values(swapped.b)]).toEqual([
      [3, 4],
      [1, 2],
    ]);
    const again = await swap(swapped.a, swapped.b);
    expect([await values(again.a), await values(again.b)]).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const keep = compile((a: Tensor, b: Tensor) => ({ sum: add(a, b), a }), { donate: [0] });
    const kept = await keep(again.a, again.b);
    expect([await values(kept.a), await values(kept.sum)]).toEqual([
      [1, 2],
      [4, 6],
    ]);
    const host = tensor([5, 6]);
    const bumped = compile((a: Tensor) => add(a, 1), { donate: [0] });
    expect(await values(await bumped(host))).toEqual([6, 7]);
    await expectRefusal(() => bumped(host), 'state', /argument 0 of the compiled function: .* was used after dispose/);
    for (const each of [swap, keep, bumped]) each.dispose();
  });

  test('a tensor that two calls give away at once goes to the first', async () => {
    const bumped = compile((a: Tensor) => add(a, 1), { donate: [0] });
    const x = await onDevice([1, 2]);
    const [first, second] = await Promise.allSettled([bumped(x), bumped(x)]);
    expect(first.status === 'fulfilled' && (await values(first.value))).toEqual([2, 3]);
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'state' } });
    bumped.dispose();
  });
});

describe('refusals', () => {
  beforeAll(() => setBackend(createCpuBackend()));
  afterAll(() => setBackend(undefined));

  test('of options, and of a tensor that would be overwritten while it is read', async () => {
    const sum = (a: Tensor, b: Tensor) => add(a, b);
    await expectRefusal(() => compile(sum, { donat: [0] } as never), 'argument', /unknown option "donat"/);
    for (const donate of [[-1], [0.5], [0, 0], 'all', true]) {
      await expectRefusal(() => compile(sum, { donate } as never), 'argument', /donate must list positions/);
    }
    const [x, y] = [await onDevice([1, 2]), await onDevice([3, 4])];
    const both = compile(sum, { donate: [1] });
    await expectRefusal(() => both(x, x), 'argument', /argument 1 is donated and is also argument 0/);
    const far = compile(sum, { donate: [2] });
    await expectRefusal(() => far(x, y), 'argument', /donate names argument 2; the call has 2 arguments/);
    const closed = compile((a: Tensor) => add(a, x), { donate: [0] });
    await expectRefusal(() => closed(x), 'argument', /is also a tensor that the function closes over/);
    expect(await values(await closed(y))).toEqual([4, 6]);
    expect(await values(x)).toEqual([1, 2]);
  });

  test('a call that fails leaves its arguments and frees what it made', async () => {
    setBackend((backend = createCpuBackend()));
    const bumped = compile((a: Tensor) => add(a, 1), { donate: [0] });
    const x = await onDevice([1, 2]);
    vi.spyOn(backend, 'load').mockRejectedValueOnce(new Error('no memory'));
    const before = backend.counters.liveBuffers;
    await expect(bumped(x)).rejects.toThrow('no memory');
    expect(backend.counters.liveBuffers).toBe(before);
    expect(await values(await bumped(x))).toEqual([2, 3]);
  });
});

test('programs take other buffers, and refuse those that do not fit', async () => {
  setBackend((backend = createNullBackend()));
  const load = vi.spyOn(backend, 'load');
  const add1 = compile((x: Tensor) => add(x, 1));
  await add1(tensor([1, 2]));
  const program = await load.mock.results[0].value;
  const buffer = (elements: number) => backend.createBuffer(elements, 'f32', `of ${elements}`);
  const [small, large, other] = [buffer(1), buffer(2), buffer(2)];
  program.bind([large, other]);
  expect(() => program.bind([large])).toThrow(/binds 2 buffers/);
  expect(() => program.bind([small, other])).toThrow(/takes 8 bytes; buffer "of 1" has 4/);
  expect(() => program.bind([large, large])).toThrow(/is bound as .* and the plan writes it/);
  setBackend(undefined);
});
