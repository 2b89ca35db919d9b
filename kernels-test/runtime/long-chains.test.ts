/** Thousands of lazy ops in a row: no stack overflows, no kernel grows with the chain, and time grows in proportion. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { compileGraph } from '../../src/compile/index.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { add, mul } from '../../src/ops/elementwise/binary.ts';
import { reshape } from '../../src/ops/layout/shape.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { setBackend } from '../../src/runtime/current-backend.ts';
import { evaluate } from '../../src/runtime/evaluate.ts';
import { tensor } from '../../src/runtime/tensor.ts';
import { gradients } from '../../src/transform/grad.ts';
import { planned } from '../support/graphs.ts';
import { textOf } from '../support/kernels.ts';
import { describeOnBackends } from '../support/on-backends.ts';

function chain(length: number, x: Tensor, step: (y: Tensor, k: number) => Tensor): Tensor {
  let y = x;
  for (let k = 0; k < length; k++) y = step(y, k);
  return y;
}

describe('on the CPU', () => {
  beforeAll(() => setBackend(createCpuBackend({ precision: 'f64' })));
  afterAll(() => setBackend(undefined));

  test('20,000 sums are evaluated and differentiated', async () => {
    const x = tensor([0.5, 2]);
    const loss = sum(chain(20_000, x, (y) => add(y, 0.25)));
    const [slope] = gradients(loss, [x]);
    await evaluate([loss, slope]);
    expect(await loss.item()).toBe(10_002.5);
    expect([...(await slope.data())]).toEqual([1, 1]);
  }, 60_000);

  test('20,000 products, whose gradient is a chain of its own', async () => {
    const [x, factor] = [tensor([0.5, 2]), tensor([1.0001, 0.9999])];
    const loss = sum(chain(20_000, x, (y) => mul(y, factor)));
    const [slope] = gradients(loss, [x]);
    await evaluate([loss, slope]);
    const powers = [Math.fround(1.0001), Math.fround(0.9999)].map((f) => f ** 20_000);
    expect(await loss.item()).toBeCloseTo(0.5 * powers[0] + 2 * powers[1], 4);
    const found = await slope.data();
    for (const k of [0, 1]) expect(found[k] / powers[k]).toBeCloseTo(1, 5);
  }, 120_000);

  test('5000 views', async () => {
    const x = tensor([1, 2, 3, 4]);
    const y = chain(5000, x, (each, k) => reshape(each, k % 2 === 0 ? [2, 2] : [4]));
    const [slope] = gradients(sum(mul(y, y)), [x]);
    expect([...(await slope.data())]).toEqual([2, 4, 6, 8]);
  }, 60_000);
});

test('a long chain is many kernels of one text, each of bounded size', () => {
  const x = Tensor.placeholder('x', { shape: [8], dtype: 'f32' });
  const plan = planned({ outputs: [chain(5000, x, (y) => mul(add(y, x), 0.5))] });
  expect(Math.max(...plan.kernels.map((kernel) => textOf(kernel).length))).toBeLessThan(16_000);
  expect(plan.kernels.length).toBeLessThan(6);
  expect(plan.dispatches.length).toBeLessThan(200);
}, 60_000);

test('without fusion too', () => {
  const x = Tensor.placeholder('x', { shape: [8], dtype: 'f32' });
  const spec = {
    name: 'chain',
    inputs: [{ name: 'x', kind: 'bound' as const, tensor: x }],
    outputs: [{ name: 'y', tensor: chain(3000, x, (y) => add(y, x)) }],
  };
  expect(compileGraph(spec, undefined, { fusion: false }).dispatches.length).toBe(3000);
}, 60_000);

describeOnBackends('on every backend', () => {
  test('2000 ops and their gradient', async () => {
    const x = tensor([0.5, 2]);
    const loss = sum(chain(1000, x, (y) => mul(add(y, 1), 0.5)));
    const [slope] = gradients(loss, [x]);
    await evaluate([loss, slope]);
    expect(await loss.item()).toBeCloseTo(2, 5);
    expect([...(await slope.data())]).toEqual([0, 0]);
  }, 60_000);
});
