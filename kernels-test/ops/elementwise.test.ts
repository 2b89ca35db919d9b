/**
 * Elementwise ops beyond what every op gets: how operands become tensors, what happens where a function has no
 * derivative, and values of special functions from tables.
 */

import { describe, expect, test } from 'vitest';
import type { CpuTensor, Op } from '../../src/core/op.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { full, iota, onesLike, scalar, zerosLike } from '../../src/ops/create.ts';
import { hardSigmoid, relu, selu, softplus } from '../../src/ops/elementwise/activations.ts';
import { add, maximum, minimum, mod, mul, sub } from '../../src/ops/elementwise/binary.ts';
import { cast } from '../../src/ops/elementwise/cast.ts';
import { less } from '../../src/ops/elementwise/compare.ts';
import { erf, gelu } from '../../src/ops/elementwise/gated.ts';
import { pow } from '../../src/ops/elementwise/pow.ts';
import { round, stopGradient } from '../../src/ops/elementwise/rounding.ts';
import { clip, where } from '../../src/ops/elementwise/select.ts';
import { abs } from '../../src/ops/elementwise/unary.ts';
import { max } from '../../src/ops/reduction/reduce.ts';
import { gradients } from '../../src/transform/grad.ts';
import { DownhillError } from '../../src/util/errors.ts';
import { bindPlaceholders, evaluate, evaluateAll } from '../support/evaluate.ts';
import { checkGradients } from '../support/gradcheck.ts';

const vector = (...values: number[]): Tensor =>
  Tensor.host({ shape: [values.length], dtype: 'f32' }, Float32Array.from(values));
const integers = (...values: number[]): Tensor =>
  Tensor.host({ shape: [values.length], dtype: 'i32' }, Int32Array.from(values));
/** The elements; -0 counts as 0. */
const values = (tensor: Tensor): number[] => Array.from(evaluate(tensor).data, (value) => value + 0);

/** Gradients of Σ y with respect to each of `wrt`. */
function slopes(y: Tensor, ...wrt: Tensor[]): number[][] {
  return evaluateAll(gradients(y, wrt, onesLike(y))).map(({ data }) => Array.from(data, (value) => value + 0));
}

function message(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(DownhillError);
    return (error as DownhillError).message;
  }
  throw new Error('nothing was thrown');
}

describe('operands', () => {
  test('a number takes the dtype of the tensor, on either side', () => {
    const x = integers(1, 2);
    expect(add(x, 3).dtype).toBe('i32');
    expect(values(sub(10, x))).toEqual([9, 8]);
    expect(values(less(x, 2))).toEqual([1, 0]);
    expect(values(where(less(x, 2), x, -1))).toEqual([1, -1]);
    expect(add(2, 3).dtype).toBe('f32');
  });

  test('a number that the dtype cannot hold is refused', () => {
    expect(message(() => add(integers(1), 0.5))).toMatch(/^add: i32 holds whole numbers .* got 0\.5$/);
    expect(message(() => mul(cast(integers(1), 'u32'), -1))).toMatch(/^mul: u32 holds whole numbers from 0 .* got -1$/);
  });

  test('what is no tensor is named', () => {
    const bad = [1, 2] as unknown as Tensor;
    expect(message(() => relu(bad))).toBe('relu: expected a tensor, got an array of 2 (wrap it: tensor([...]))');
    expect(message(() => add(bad, vector(1)))).toMatch(/^add: expected a tensor, got an array of 2/);
    expect(message(() => relu(undefined as unknown as Tensor))).toBe('relu: expected a tensor, got undefined');
  });

  test('cast to the dtype that x has is x', () => {
    const x = vector(1);
    expect(cast(x, 'f32')).toBe(x);
  });

  test('constants like another tensor', () => {
    expect([zerosLike(integers(4, 5)), onesLike(vector(4, 5))].map((t) => [t.dtype, ...values(t)])).toEqual([
      ['i32', 0, 0],
      ['f32', 1, 1],
    ]);
    expect([scalar(true).dtype, scalar(2).shape, values(iota(3))]).toEqual(['bool', [], [0, 1, 2]]);
    expect(message(() => full([2], 1, 'f64' as 'f32'))).toMatch(/^full: unknown dtype "f64"/);
  });
});

describe('gradients where there is no derivative', () => {
  test('maximum and minimum share a tie', () => {
    const [a, b] = [vector(1, 2, 3), vector(3, 2, 1)];
    expect(slopes(maximum(a, b), a, b)).toEqual([
      [0, 0.5, 1],
      [1, 0.5, 0],
    ]);
    expect(slopes(minimum(a, b), a, b)).toEqual([
      [1, 0.5, 0],
      [0, 0.5, 1],
    ]);
  });

  test('max shares a tie among all that are largest', () => {
    const x = vector(2, 5, 5, 1, 5);
    expect(slopes(max(x), x)[0]).toEqual([0, 1 / 3, 1 / 3, 0, 1 / 3]);
  });

  test('none at the kink of relu and abs, nor at the bounds of clip and hardSigmoid', () => {
    const x = vector(-1, 0, 1);
    expect(slopes(relu(x), x)[0]).toEqual([0, 0, 1]);
    expect(slopes(abs(x), x)[0]).toEqual([-1, 0, 1]);
    expect(slopes(clip(x, -1, 1), x)[0]).toEqual([0, 1, 0]);
    const ends = vector(-3, 3, -4);
    expect(slopes(hardSigmoid(ends), ends)[0]).toEqual([0, 0, 0]);
  });

  test('none through stopGradient, rounding and comparisons', () => {
    const x = vector(0.3, 2.5);
    expect(slopes(mul(stopGradient(x), x), x)[0]).toEqual([...evaluate(x).data]);
    expect(slopes(round(x), x)[0]).toEqual([0, 0]);
    expect(slopes(cast(less(x, 1), 'f32'), x)[0]).toEqual([0, 0]);
  });

  test('a NaN that was not chosen does not spread', () => {
    const x = vector(Number.NaN, 2);
    const y = where(less(vector(1, 0), 0.5), x, 0);
    expect(values(y)).toEqual([0, 2]);
    expect(slopes(y, x)[0]).toEqual([0, 1]);
  });

  test('pow of a negative base has a gradient for the base, and none for the exponent', () => {
    const exponent = vector(3, 2, -1, 0);
    const base: CpuTensor = { shape: [4], dtype: 'f32', data: Float64Array.of(-2, -0.5, -1, -3) };
    const { tensors, bindings } = bindPlaceholders([base]);
    const y = pow(tensors[0], exponent);
    const { error, compared } = checkGradients(y, tensors, bindings, (dy) => gradients(y, tensors, dy));
    expect(compared).toBe(4);
    expect(error).toBeLessThan(1e-9);
    const [slope] = gradients(y, [exponent], onesLike(y));
    expect([...evaluate(slope, { bindings }).data].map(Math.abs)).toEqual([0, 0, 0, 0]);
  });

  test('pow at 0 and with exponent 0 has no NaN in its gradients', () => {
    const [a, b] = [vector(0, 0, -2, 3), vector(2, 0, 0, 0)];
    expect(slopes(pow(a, b), a, b)).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, Math.log(3)],
    ]);
  });
});

describe('values', () => {
  const f = (op: Op, x: number): number => {
    const output = { shape: [1], dtype: 'f32' as const, data: new Float64Array(1) };
    op.cpu([{ shape: [1], dtype: 'f32', data: Float64Array.of(x) }], output, { approximate: false });
    return output.data[0];
  };

  test.each([
    // Abramowitz & Stegun, table 7.1.
    [0.1, 0.112462916],
    [0.5, 0.5204998778],
    [1, 0.8427007929],
    [2, 0.995322265],
    [-1.5, -0.9661051465],
  ])('erf(%s)', (x, expected) => {
    expect(f(erf, x)).toBeCloseTo(expected, 10);
  });

  test.each([
    // Φ from Abramowitz & Stegun, table 26.1.
    [1, 0.841344746068543],
    [-2, 1 - 0.97724986805182],
  ])('gelu(%s) is x · Φ(x)', (x, distribution) => {
    expect(f(gelu, x)).toBeCloseTo(x * distribution, 12);
  });

  test('softplus and selu far out', () => {
    expect([f(softplus, 800), f(softplus, -800)]).toEqual([800, 0]);
    expect(f(selu, -50)).toBeCloseTo(-1.0507009873554805 * 1.6732632423543772, 12);
  });

  test('round goes to even', () => {
    expect(values(round(vector(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.49)))).toEqual([-2, -2, 0, 0, 2, 2, 3]);
  });

  test('mod has the sign of the divisor, as in Python', () => {
    expect(values(mod(vector(7, -7, 7, -7), vector(3, 3, -3, -3)))).toEqual([1, 2, -2, -1]);
    expect(values(mod(integers(7, -7, 7, -7, 5), integers(3, 3, -3, -3, 0)))).toEqual([1, 2, -2, -1, 0]);
  });

  test('integers wrap', () => {
    const big = integers(2 ** 31 - 1);
    expect(values(add(big, 1))).toEqual([-(2 ** 31)]);
    expect(values(mul(big, big))).toEqual([1]);
  });
});
