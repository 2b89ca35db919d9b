/**
 * matmul beyond what every op gets: its addresses run as they stand, texts that do not depend on sizes, and what is
 * folded, shared and summed along the way.
 */

import { expect, test } from 'vitest';
import type { Contraction } from '../../src/core/lowering.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { matmul, matmulOps } from '../../src/ops/matmul/matmul.ts';
import { describeNaive } from '../support/naive-check.ts';
import { naiveKernel } from '../support/naive-kernels.ts';

function contraction(a: number[], b: number[], transposeA = false, transposeB = false): Contraction {
  if (matmul.lower.kind !== 'contract') throw new Error('matmul is a contraction');
  const inputs = [a, b].map((shape) => ({ shape, dtype: 'f32' as const }));
  const attrs = { transposeA, transposeB };
  return matmul.lower.contraction(inputs, matmul.infer(inputs, attrs), attrs);
}

test('a B without batch serves the whole batch of A as one product', () => {
  expect(contraction([8, 3, 4], [4, 5])).toMatchObject({ batch: 1, m: 24, n: 5, inner: 4 });
  expect(contraction([8, 3, 4], [1, 4, 5])).toMatchObject({ batch: 1, m: 24, n: 5, inner: 4 });
  expect(contraction([8, 4, 3], [4, 5], true)).toMatchObject({ batch: 8, m: 3, n: 5, inner: 4 });
  expect(contraction([8, 3, 4], [8, 4, 5])).toMatchObject({ batch: 8, m: 3, n: 5, inner: 4 });
});

test('the gradient of a shared B is one product over all rows, not one per batch', () => {
  const a = Tensor.placeholder('a', { shape: [8, 3, 4], dtype: 'f32' });
  for (const [shape, transposeB] of [
    [[4, 5], false],
    [[5, 4], true],
  ] as const) {
    const b = Tensor.placeholder('b', { shape, dtype: 'f32' });
    const y = matmul(a, b, { transposeB });
    const [da, db] = matmul.vjp!(y, [a, b], y, { transposeA: false, transposeB });
    expect(da!.shape).toEqual(a.shape);
    expect(db!.shape).toEqual(b.shape);
    expect(db!.op).toBe(matmul);
    expect(db!.inputs.map((input) => input.rank)).toEqual([2, 2]);
  }
});

test('column sums of B come with the product where B is met once', () => {
  expect(contraction([64, 10], [64, 5], true).summedAxesOfB).toEqual([0]);
  expect(contraction([3, 4], [5, 4], false, true).summedAxesOfB).toEqual([1]);
  expect(contraction([2, 3, 4], [1, 4, 5]).summedAxesOfB).toEqual([0, 1]);
  expect(contraction([2, 3, 4], [2, 4, 5]).summedAxesOfB).toBeUndefined();
});

test('one kernel text serves all sizes', () => {
  const text = (a: number[], b: number[], transposeA: boolean, transposeB: boolean): string => {
    const inputs = [a, b].map((shape) => ({ shape, dtype: 'f32' as const }));
    return naiveKernel(matmul, inputs, { transposeA, transposeB }).wgsl;
  };
  expect(text([3, 4], [4, 5], false, false)).toBe(text([64, 784], [784, 10], false, false));
  expect(text([2, 4, 3], [2, 5, 4], true, true)).toBe(text([9, 7, 6], [9, 8, 7], true, true));
});

describeNaive(matmulOps);
