/** Elementwise functions where they are infinite, undefined or kinked: IEEE 754 on every backend, values and slopes. */

import { expect, test } from 'vitest';
import type { Tensor } from '../../src/core/tensor.ts';
import { div } from '../../src/ops/elementwise/binary.ts';
import { pow } from '../../src/ops/elementwise/pow.ts';
import { log, log1p, reciprocal, rsqrt, sqrt, square } from '../../src/ops/elementwise/unary.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { tensor } from '../../src/runtime/tensor.ts';
import { gradients } from '../../src/transform/grad.ts';
import { describeOnBackends } from '../support/on-backends.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** a, b, aᵇ by IEEE 754-2019, section 9.2.1. */
const POWERS: readonly (readonly [a: number, b: number, power: number])[] = [
  [0, 0, 1],
  [-0, 0, 1],
  [nan, 0, 1],
  [inf, 0, 1],
  [1, nan, 1],
  [1, inf, 1],
  [1, -inf, 1],
  [-1, inf, 1],
  [-1, -inf, 1],
  [0, 1, 0],
  [0, 0.5, 0],
  [0, -1, inf],
  [-0, -1, -inf],
  [-0, -3, -inf],
  [-0, 3, -0],
  [-0, -2, inf],
  [0, -0.5, inf],
  [-0, -0.5, inf],
  [0, inf, 0],
  [0, -inf, inf],
  [0.5, inf, 0],
  [0.5, -inf, inf],
  [2, inf, inf],
  [2, -inf, 0],
  [-2, inf, inf],
  [-0.5, inf, 0],
  [inf, 2, inf],
  [inf, -2, 0],
  [inf, 0.5, inf],
  [-inf, 3, -inf],
  [-inf, 2, inf],
  [-inf, 0.5, inf],
  [-inf, -1, -0],
  [-inf, -2, 0],
  [-2, 3, -8],
  [-2, 2, 4],
  [-2, -1, -0.5],
  [-2, 0.5, nan],
  [-1, 2 ** 24, 1],
  [-1, 2 ** 24 - 1, -1],
  [nan, 1, nan],
  [2, nan, nan],
  [-2, nan, nan],
  [0, nan, nan],
  [4, 0.5, 2],
];

const slopes = async (y: Tensor, ...x: Tensor[]) => {
  const found: number[][] = [];
  for (const slope of gradients(sum(y), x)) found.push([...(await slope.data())]);
  return found;
};

const close = (found: ArrayLike<number>, expected: readonly number[], what: string) => {
  for (const [k, value] of expected.entries()) {
    const where = `${what}, at ${k}`;
    if (Number.isFinite(value)) expect(Math.abs(found[k] - value), where).toBeLessThan(1e-5 * Math.max(1, value));
    else expect(found[k], where).toBe(value);
  }
};

describeOnBackends('corners', () => {
  test.each(POWERS)('pow(%d, %d) = %d', async (a, b, expected) => {
    // As a constant is folded where a compiler can, and as a value that it does not know.
    for (const [x, y] of [[tensor([a]), tensor([b])] as const, [tensor([a]), b] as const]) {
      const [found] = await pow(x, y).data();
      close([found], [expected], `${a}^${b}`);
      if (expected === 0 && Number.isFinite(a)) expect(1 / found).toBe(1 / expected);
    }
  });

  test('slopes of pow', async () => {
    const x = tensor([0, 0, 0, 0, -2, 4, -2]);
    const y = tensor([0.5, 1, 2, 0, 3, 0.5, 0]);
    const [dx, dy] = await slopes(pow(x, y), x, y);
    close(dx, [inf, 1, 0, 0, 12, 0.25, 0], 'd/dx');
    close(dy, [0, 0, 0, 0, 0, 2 * Math.log(4), 0], 'd/dy');
    const [zero, less] = [tensor([0]), tensor([-1])];
    expect(await slopes(pow(zero, less), zero, less)).toEqual([[-inf], [0]]);
    const missing = tensor([nan]);
    expect(await slopes(pow(missing, tensor([2])), missing)).toEqual([[nan]]);
    const root = tensor([0]);
    expect(await slopes(pow(root, 0.5), root)).toEqual([[inf]]);
  });

  test('values and slopes of roots, logarithms and quotients', async () => {
    const cases: [string, (x: Tensor) => Tensor, number[], number[], number[]][] = [
      ['sqrt', sqrt, [0, 4, inf, -1, nan], [0, 2, inf, nan, nan], [inf, 0.25, 0, nan, nan]],
      ['rsqrt', rsqrt, [0, 4, inf, -1, nan], [inf, 0.5, 0, nan, nan], [-inf, -1 / 16, 0, nan, nan]],
      ['reciprocal', reciprocal, [0, -0, 2, inf, nan], [inf, -inf, 0.5, 0, nan], [-inf, -inf, -0.25, 0, nan]],
      ['log', log, [0, 1, inf, -1, nan], [-inf, 0, inf, nan, nan], [inf, 1, 0, -1, nan]],
      ['log1p', log1p, [-1, 0, inf, -2, nan], [-inf, 0, inf, nan, nan], [inf, 1, 0, -1, nan]],
      ['1 / x', (x) => div(1, x), [0, -0, 2, inf, nan], [inf, -inf, 0.5, 0, nan], [-inf, -inf, -0.25, 0, nan]],
      ['√x²', (x) => sqrt(square(x)), [3, -3], [3, 3], [1, -1]],
    ];
    for (const [name, f, at, values, rates] of cases) {
      const x = tensor(at);
      close(await f(x).data(), values, name);
      close((await slopes(f(x), x))[0], rates, `slope of ${name}`);
    }
  });
});
