/**
 * Pooling beyond what every op gets: values of another library (JAX), the lowerings run as they stand, and what happens
 * at ties, NaN and infinities, which gradient checks cannot see.
 */

import { describe, expect, test } from 'vitest';
import type { Op, Sample } from '../../src/core/op.ts';
import type { Aval } from '../../src/core/tensor.ts';
import {
  averagePool2d,
  averagePool2dGrad,
  maxPool2d,
  maxPool2dGrad,
  maxPool2dPick,
  poolOps,
} from '../../src/ops/pool.ts';
import type { PoolAttrs } from '../../src/ops/pool-shapes.ts';
import { goldenCases } from '../support/golden.ts';
import { describeNaive, drawInput, reference } from '../support/naive-check.ts';
import { naiveKernel } from '../support/naive-kernels.ts';

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
  return [...reference(op, shapes.map(f32), values, attrs).data];
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

const PAIRS: PoolAttrs = { poolSize: [1, 2], strides: [1, 2], padding: 'valid' };
/** One line of pairs: what wins in each is the case. */
const HARD = [nan, 1, 1, nan, nan, nan, inf, nan, -inf, -inf, -inf, -3, 0, -0, -0, 0, 5, 5, 2, 0, inf, -inf];
const SHAPE = [1, 1, HARD.length, 1];
const COUNTING = HARD.map((_, k) => k);

test('the first maximum wins, and NaN is above all numbers', () => {
  const winners = valuesOf(maxPool2dPick, [SHAPE, SHAPE], [HARD, COUNTING], PAIRS);
  expect(winners).toEqual([0, 3, 4, 7, 8, 11, 12, 14, 16, 18, 20]);
  const found = valuesOf(maxPool2d, [SHAPE], [HARD], PAIRS);
  expect(found).toEqual([nan, nan, nan, nan, -inf, -3, 0, -0, 5, 2, inf]);
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

/** The hard line, and windows full of ties. */
function hardSamples(op: Op<PoolAttrs>): readonly Sample<PoolAttrs>[] {
  const ties = [...drawInput([1, 5, 6, 2], 7)].map(Math.round);
  const overlapping: PoolAttrs = { poolSize: [3, 3], strides: [1, 2], padding: 'same' };
  const sample = (title: string, x: number[], shape: number[], attrs: PoolAttrs): Sample<PoolAttrs> => {
    const input = { shape, values: x };
    const pooled = maxPool2d.infer([f32(shape)], attrs);
    const other = op === maxPool2dGrad ? [{ shape: pooled.shape }] : op === maxPool2dPick ? [{ shape }] : [];
    return { title, inputs: [input, ...other], attrs };
  };
  return [sample('NaN and infinities', HARD, SHAPE, PAIRS), sample('ties', ties, [1, 5, 6, 2], overlapping)];
}

describeNaive(
  poolOps,
  new Map<Op, readonly Sample[]>([maxPool2d, maxPool2dGrad, maxPool2dPick].map((op) => [op, hardSamples(op)])),
);
