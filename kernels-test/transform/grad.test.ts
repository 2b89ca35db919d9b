/** grad and valueAndGrad: with respect to an argument, which is not every way by which its value enters the function. */

import { expect, test } from 'vitest';
import type { Tensor } from '../../src/core/tensor.ts';
import { add, mul } from '../../src/ops/elementwise/binary.ts';
import { square } from '../../src/ops/elementwise/unary.ts';
import { reshape } from '../../src/ops/layout/shape.ts';
import { tensor } from '../../src/runtime/tensor.ts';
import { grad, valueAndGrad } from '../../src/transform/grad.ts';
import { evaluate } from '../support/evaluate.ts';

const one = (x: Tensor): number => evaluate(reshape(x, [1])).data[0];
const scalar = (value: number): Tensor => tensor(value);

test('a tensor that the function closes over is a constant, the argument itself too', () => {
  const x = scalar(3);
  // d(x²·c)/dx with c = x, which is no argument.
  const { value, gradient } = valueAndGrad((a: Tensor) => mul(square(a), x))(x);
  expect([one(value), one(gradient)]).toEqual([27, 18]);
});

test('one tensor given for two arguments is differentiated for the one that is asked for', () => {
  const x = scalar(3);
  const f = (a: Tensor, b: Tensor) => add(square(a), mul(b, 5));
  expect([one(grad(f)(x, x)), one(grad(f, 1)(x, x))]).toEqual([6, 5]);
});

test('twice gives the second derivative', () => {
  expect(one(grad(grad((x: Tensor) => mul(square(x), x)))(scalar(2)))).toBe(12);
});
