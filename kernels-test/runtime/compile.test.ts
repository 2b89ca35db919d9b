/** compile(fn): which calls share a program, and which need another one. */

import { afterAll, beforeEach, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { add } from '../../src/ops/elementwise/binary.ts';
import { compile, setBackend } from '../../src/runtime/index.ts';
import { tensor } from '../../src/runtime/tensor.ts';

beforeEach(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

test('is traced once for each combination of shapes and dtypes', async () => {
  let traced = 0;
  const double = compile((x: Tensor) => {
    traced++;
    return add(x, x);
  });
  const call = async (x: Tensor) => {
    const result = await double(x);
    return [result.dtype, ...result.shape, ...(await result.data())];
  };
  expect(await call(tensor([1.5, 2]))).toEqual(['f32', 2, 3, 4]);
  expect(await call(tensor([2.5, 0]))).toEqual(['f32', 2, 5, 0]);
  expect(traced).toBe(1);
  // Above 2²⁴, f32 would round.
  const whole = tensor([2 ** 24 + 1, 3], { dtype: 'i32' });
  expect(await call(whole)).toEqual(['i32', 2, 2 ** 25 + 2, 6]);
  expect(await call(tensor([[1, 2]]))).toEqual(['f32', 1, 2, 2, 4]);
  expect(traced).toBe(3);
  double.dispose();
});

test('a new backend gets programs of its own', async () => {
  const double = compile((x: Tensor) => add(x, x));
  expect([...(await (await double(tensor([1]))).data())]).toEqual([2]);
  const other = createCpuBackend();
  setBackend(other);
  expect([...(await (await double(tensor([4]))).data())]).toEqual([8]);
  expect(other.counters.submits).toBeGreaterThan(0);
  double.dispose();
});
