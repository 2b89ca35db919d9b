/**
 * Pooling beyond what every op gets: values of another library (JAX), the lowerings run as they stand, and what happens
 * at ties, NaN and infinities, which gradient checks cannot see.
 */

import { describe, expect, test } from 'vitest';
import type { Op } from '../../src/core/op.ts';
import type { Aval } from '../../src/core/tensor.ts';
import {
  averagePool2d,
  averagePool2dGrad,
  maxPool2d,
  maxPool2dGrad,
  maxPool2dPick,
  poolOps,
} from '../../src/ops/pooling/pool.ts';
import type { PoolAttrs } from '../../src/ops/pooling/pool-shapes.ts';
import { runReference } from '../support/evaluate.ts';
import { goldenCases } from '../support/golden.ts';
import { describeNaive } from '../support/naive-check.ts';
import { naiveKernel } from '../support/naive-kernels.ts';
import { drawInput } from '../support/sample-values.ts';

interface GoldenPooling extends PoolAttrs {
  readonly xShape: number[];
  readonly yShape: number[];
  readonly x: number[];
  readonly dy: number[];
  readonly max: number[];
  readonly maxGrad: number[];
  readonly average: number[];
  readonly averageGrad: number[];
}

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const f32 = (shape: readonly number[]): Aval => ({ shape, dtype: 'f32' });

function valuesOf<A>(op: Op<A>, shapes: readonly number[][], values: readonly number[][], attrs: A): number[] {
  const inputs = shapes.map((shape, k) => drawInput({ shape, values: values[k] }, []));
  return [...runReference(op, inputs, attrs).data];
}

describe('references give what JAX gives', () => {
  const close = (found: number[], expected: number[]): void => {
    expect(found.length).toBe(expected.length);
    found.forEach((value, k) => {
      expect(value).toBeCloseTo(expected[k], 7);
    });
  };
  test.each(
    goldenCases<GoldenPooling>('pool2d').map(
      (c) => [`${c.xShape} by ${c.poolSize} strides ${c.strides} ${c.padding}`, c] as const,
    ),
  )('%s', (_title, { poolSize, strides, padding, xShape, yShape, x, dy, ...golden }) => {
    const attrs = { poolSize, strides, padding };
    expect(maxPool2d.infer([f32(xShape)], attrs).shape).toEqual(yShape);
    expect(valuesOf(maxPool2d, [xShape], [x], attrs)).toEqual(golden.max);
    expect(valuesOf(maxPool2dGrad, [xShape, yShape], [x, dy], attrs)).toEqual(golden.maxGrad);
    expect(valuesOf(maxPool2dPick, [xShape, xShape], [x, x], attrs)).toEqual(golden.max);
    close(valuesOf(averagePool2d, [xShape], [x], attrs), golden.average);
    close(valuesOf(averagePool2dGrad, [yShape], [dy], { ...attrs, inputShape: xShape }), golden.averageGrad);
  });
});

test('the first maximum wins, and NaN is above all numbers', () => {
  const attrs: PoolAttrs = { poolSize: [1, 2], strides: [1, 2], padding: 'valid' };
  const x = [nan, 1, 1, nan, nan, nan, inf, nan, -inf, -inf, -inf, -3, 0, -0, -0, 0, 5, 5, inf, -inf];
  const shape = [1, 1, x.length, 1];
  const positions = [...x.keys()];
  const winners = valuesOf(maxPool2dPick, [shape, shape], [x, positions], attrs);
  expect(winners).toEqual([0, 3, 4, 7, 8, 11, 12, 14, 16, 18]);
  expect(valuesOf(maxPool2d, [shape], [x], attrs)).toEqual(winners.map((position) => x[position]));
});

test('padding is no zero: a window of negative numbers has a negative maximum', () => {
  const attrs: PoolAttrs = { poolSize: [3, 3], strides: [1, 1], padding: 'same' };
  expect(valuesOf(maxPool2d, [[1, 1, 2, 1]], [[-2, -3]], attrs)).toEqual([-2, -2]);
  expect(valuesOf(averagePool2d, [[1, 1, 2, 1]], [[-2, -3]], attrs)).toEqual([-2.5, -2.5]);
});

test('one kernel text serves every batch size', () => {
  const attrs: PoolAttrs = { poolSize: [3, 2], strides: [2, 2], padding: 'same' };
  const texts = [2, 7].map((N) => {
    const [x, dy] = [f32([N, 5, 6, 4]), f32([N, 3, 3, 4])];
    return [
      naiveKernel(maxPool2d, [x], attrs).wgsl,
      naiveKernel(maxPool2dGrad, [x, dy], attrs).wgsl,
      naiveKernel(maxPool2dPick, [x, x], attrs).wgsl,
      naiveKernel(averagePool2d, [x], attrs).wgsl,
      naiveKernel(averagePool2dGrad, [dy], { ...attrs, inputShape: x.shape }).wgsl,
    ];
  });
  expect(texts[0]).toEqual(texts[1]);
});

describeNaive(poolOps);
