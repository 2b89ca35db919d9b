/** Reading a tensor changes nothing: its gradients, first and second, are those of a tensor that was never read. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect } from 'vitest';
import { type CpuBackend, createCpuBackend } from '../../src/backend/cpu.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { add, mul, sub } from '../../src/ops/elementwise/binary.ts';
import { stopGradient } from '../../src/ops/elementwise/rounding.ts';
import { square } from '../../src/ops/elementwise/unary.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { compile } from '../../src/runtime/compile-function.ts';
import { evaluate } from '../../src/runtime/evaluate.ts';
import { READING_BYTES, READINGS } from '../../src/runtime/readings.ts';
import { setBackend } from '../../src/runtime/set-backend.ts';
import { tensor } from '../../src/runtime/tensor.ts';
import { gradients } from '../../src/transform/grad.ts';
import { expectRefusal } from '../data/refusal.ts';
import { longTest, shortTest as test } from '../support/part.ts';

let backend: CpuBackend;
beforeAll(() => {
  backend = createCpuBackend();
  setBackend(backend);
});
afterAll(() => setBackend(undefined));

const numbers = async (x: Tensor) => [...(await x.data())];
/** Runs what waits for the collector. */
const collect = async () => {
  setFlagsFromString('--expose_gc');
  for (let k = 0; k < 3; k++) {
    (runInNewContext('gc') as () => void)();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

test('of a loss that was read', async () => {
  const w = tensor([2, 3]);
  const loss = sum(square(w));
  expect(await loss.item()).toBe(13);
  expect(await numbers(gradients(loss, [w])[0])).toEqual([4, 6]);
  expect(await numbers(gradients(loss, [w])[0])).toEqual([4, 6]);
});

test('through intermediate values that were read or evaluated, and with respect to them', async () => {
  const w = tensor([2, 3]);
  const h = square(w);
  expect(await numbers(h)).toEqual([4, 9]);
  const k = mul(h, w);
  await evaluate([k]);
  const loss = sum(square(k));
  const before = gradients(loss, [w, h, k]);
  await loss.item();
  // loss = w⁶; as a function of h and w apart: h²·w².
  for (const [dw, dh, dk] of [before, gradients(loss, [w, h, k])]) {
    expect(await numbers(dw)).toEqual([6 * 32, 6 * 243]);
    expect(await numbers(dh)).toEqual([2 * 4 * 4, 2 * 9 * 9]);
    expect(await numbers(dk)).toEqual([16, 54]);
  }
});

test('of second order, everything read on the way', async () => {
  const w = tensor([1, 2, 3]);
  const loss = sum(mul(w, square(w)));
  await loss.item();
  const [first] = gradients(loss, [w]);
  expect(await numbers(first)).toEqual([3, 12, 27]);
  const [second] = gradients(sum(first), [w]);
  expect(await numbers(second)).toEqual([6, 12, 18]);
  const [third] = gradients(sum(second), [w]);
  expect(await numbers(third)).toEqual([6, 6, 6]);
});

test('through an update that was read, as in an inner loop', async () => {
  const w0 = tensor([1, 2]);
  let w = w0;
  for (let k = 0; k < 3; k++) {
    const loss = sum(square(w));
    await loss.item();
    w = sub(w, mul(gradients(loss, [w])[0], 0.25));
    await w.data();
  }
  // Each round halves w.
  expect(await numbers(gradients(sum(square(w)), [w0])[0])).toEqual([2 / 64, 4 / 64]);
});

test('views, and a value that a compiled function closes over', async () => {
  const w = tensor([[1, 2]]);
  const h = sum(mul(w, w), { axes: [1], keepDims: true });
  await h.data();
  const slope = compile((x: Tensor) => gradients(sum(mul(h, x)), [w])[0]);
  expect(await numbers(await slope(tensor([3])))).toEqual([6, 12]);
  slope.dispose();
});

test('a value that was read is not computed again', async () => {
  const w = tensor([2, 3]);
  const h = square(w);
  await h.data();
  const before = backend.counters.dispatches;
  await add(h, 1).data();
  expect(backend.counters.dispatches - before).toBe(1);
});

test('reading twice at once computes it and keeps one value; disposed while it is computed, it stays disposed', async () => {
  const x = add(tensor([1, 2]), 1);
  const [a, b] = await Promise.all([x.data(), x.data()]);
  expect([...a, ...b]).toEqual([2, 3, 2, 3]);
  const y = square(x);
  const reading = evaluate([y]);
  y.dispose();
  await reading;
  await expectRefusal(() => y.data(), 'state', /was used after dispose/);
});

test('what was disposed on the way is refused, what was disposed elsewhere is not', async () => {
  const [w, v] = [tensor([2, 3]), tensor([1, 1])];
  const h = square(w);
  const loss = sum(add(h, v));
  await evaluate([h, loss]);
  h.dispose();
  await expectRefusal(
    () => gradients(loss, [w]),
    'state',
    /grad: .*, through which the output depends on .*, was disposed; keep it/,
  );
  expect(await numbers(gradients(loss, [v])[0])).toEqual([1, 1]);
});

test(`more than ${READINGS} readings ago: refused, but for what does not depend on it`, async () => {
  const [w, v] = [tensor([2]), tensor([1])];
  const h = square(w);
  await h.data();
  for (let k = 0; k < READINGS; k++) await square(v).data();
  const loss = sum(mul(h, v));
  await expectRefusal(
    () => gradients(loss, [w]),
    'state',
    /through which the output depends on .*, was read too long ago .* or say stopGradient/,
  );
  expect(await numbers(gradients(loss, [h])[0])).toEqual([1]);
  expect(await numbers(gradients(loss, [v])[0])).toEqual([4]);
});

/** Bytes that live on after a loop of updates of 256 KiB, all of them read. */
async function loop(steps: number, begin: (w: Tensor) => Tensor): Promise<number> {
  await collect();
  const before = backend.counters.liveBytes;
  const x = tensor(new Float32Array(2 ** 16).fill(1));
  let w = tensor(new Float32Array(2 ** 16));
  for (let k = 0; k < steps; k++) {
    const loss = sum(square(sub(w, x)));
    w = begin(sub(w, mul(gradients(loss, [w])[0], 0.25)));
    await w.data();
    if (k % 200 === 0) await collect();
  }
  await collect();
  expect((await w.data())[7]).toBeCloseTo(1, 5);
  return backend.counters.liveBytes - before;
}

longTest('a loop holds no more than the limit says, and only its last value with stopGradient', async () => {
  // 1200 values are 300 MiB.
  expect(await loop(1200, (w) => w)).toBeLessThan(READING_BYTES + 2 ** 23);
  // What was let go counts no more: the next readings, which are small, keep their histories.
  const w = tensor([3]);
  const h = square(w);
  await h.data();
  for (let k = 0; k < 3; k++) await square(tensor([k])).data();
  expect(await numbers(gradients(h, [w])[0])).toEqual([6]);
  expect(await loop(300, stopGradient)).toBeLessThanOrEqual(2 ** 20);
});

longTest('10,000 updates take the same time a step from first to last', async () => {
  const x = tensor([1, 2, 3]);
  let w = tensor([0, 0, 0]);
  // The processor's time: on a busy machine the clock says nothing.
  const times: number[] = [];
  for (let part = 0; part < 5; part++) {
    const start = process.cpuUsage();
    for (let k = 0; k < 2000; k++) {
      w = sub(w, mul(gradients(sum(square(sub(w, x))), [w])[0], 0.25));
      await w.data();
      if (k % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const { user, system } = process.cpuUsage(start);
    times.push(user + system);
  }
  expect(await numbers(w)).toEqual([1, 2, 3]);
  expect(Math.max(...times.slice(2))).toBeLessThan(4 * times[0]);
});

longTest(
  'a loop that reads large values on the CPU, and disposes none, gets their memory back on its way',
  async () => {
    const w = tensor(new Float32Array(100_000).fill(1));
    const before = backend.counters.liveBytes;
    let peak = 0;
    for (let step = 0; step < 600; step++) {
      const scaled = mul(w, 1 + step * 1e-6);
      await scaled.data();
      await sum(square(scaled)).item();
      peak = Math.max(peak, backend.counters.liveBytes - before);
    }
    // 600 × 400 KB went by; without a turn of the event loop all of it stays.
    expect(peak).toBeLessThan(160e6);
    w.dispose();
  },
);
