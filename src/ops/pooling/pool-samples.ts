/**
 * Calls that tests, benches and documentation make of the pooling ops, from one table; then the calls that must be
 * refused. Where a gradient of a maximum is checked, values are distinct: at a tie it has no derivative.
 */

import type { Reject, Sample, SampleValues } from '../../core/op.ts';
import type { Shape } from '../../util/shape.ts';
import { type Padding, type Pair, pair } from '../convolution/conv-geometry.ts';
import { type PoolAttrs, type PoolGradAttrs, pooledShape, poolWindows } from './pool-shapes.ts';

interface Case {
  readonly title: string;
  readonly x: Shape;
  /** Values of x under a maximum; distinct when left out. */
  readonly values?: SampleValues;
  readonly attrs: PoolAttrs;
}

function options(poolSize: Pair, strides: Pair = poolSize, padding: Padding = 'valid'): PoolAttrs {
  return { poolSize: pair(poolSize), strides: pair(strides), padding };
}

const CASES: readonly Case[] = [
  { title: 'one element', x: [1, 1, 1, 1], attrs: options(1) },
  { title: 'halves', x: [2, 4, 6, 3], attrs: options(2) },
  { title: 'odd sizes leave a rest', x: [1, 5, 7, 2], attrs: options(2) },
  { title: 'odd sizes, same', x: [2, 5, 3, 2], attrs: options(2, 2, 'same') },
  { title: 'windows overlap', x: [1, 6, 5, 2], attrs: options(3, 2) },
  { title: 'windows overlap, same', x: [1, 5, 5, 3], attrs: options(3, 1, 'same') },
  { title: 'window and strides differ by axis', x: [1, 7, 6, 1], attrs: options([3, 2], [1, 3], 'same') },
  { title: 'stride over the window', x: [1, 8, 8, 1], attrs: options(2, 3) },
  { title: 'the whole image', x: [2, 3, 4, 5], attrs: options([3, 4]) },
  { title: 'window larger than the image, same', x: [1, 2, 1, 3], attrs: options(4, 1, 'same') },
];

/** Values that do not test a gradient, but which element wins: the first of equals, and NaN over everything. */
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const EXTREMES: Case = {
  title: 'NaN and infinities, pair by pair',
  x: [1, 1, 18, 1],
  values: [nan, 1, 1, nan, nan, nan, inf, nan, -inf, -inf, -inf, -3, inf, -inf, -inf, nan, 2, -inf],
  attrs: options([1, 2]),
};
const TIES: Case = {
  title: 'ties',
  x: [1, 4, 3, 2],
  values: [0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, -1, 0],
  attrs: options(3, 1, 'same'),
};

const BENCH: Case = { title: 'bench', x: [64, 28, 28, 32], attrs: options(2) };

export const maxPoolSamples: readonly Sample<PoolAttrs>[] = [...CASES, EXTREMES].map(maxSample);
export const maxPoolGradSamples: readonly Sample<PoolAttrs>[] = [...CASES, EXTREMES, TIES].map(maxGradSample);
export const maxPoolPickSamples: readonly Sample<PoolAttrs>[] = [...CASES, EXTREMES, TIES].map(maxPickSample);
export const averagePoolSamples: readonly Sample<PoolAttrs>[] = CASES.map(averageSample);
export const averagePoolGradSamples: readonly Sample<PoolGradAttrs>[] = CASES.map(averageGradSample);

export const maxPoolBench = { pool: maxSample(BENCH), grad: maxGradSample(BENCH), pick: maxPickSample(BENCH) };
export const averagePoolBench = { pool: averageSample(BENCH), grad: averageGradSample(BENCH) };

function maxSample({ title, x, values = 'distinct', attrs }: Case): Sample<PoolAttrs> {
  return { title, inputs: [{ shape: x, values }], attrs };
}

function maxGradSample({ title, x, values = 'distinct', attrs }: Case): Sample<PoolAttrs> {
  return { title, inputs: [{ shape: x, values }, { shape: outputOf(x, attrs) }], attrs };
}

function maxPickSample({ title, x, values = 'distinct', attrs }: Case): Sample<PoolAttrs> {
  return { title, inputs: [{ shape: x, values }, { shape: x }], attrs };
}

function averageSample({ title, x, attrs }: Case): Sample<PoolAttrs> {
  return { title, inputs: [{ shape: x }], attrs };
}

function averageGradSample({ title, x, attrs }: Case): Sample<PoolGradAttrs> {
  return { title, inputs: [{ shape: outputOf(x, attrs) }], attrs: { ...attrs, inputShape: x } };
}

function outputOf(x: Shape, attrs: PoolAttrs): Shape {
  return pooledShape(poolWindows('pool', { shape: x, dtype: 'f32' }, attrs));
}

function reject(title: string, shapes: readonly Shape[], attrs: PoolAttrs, message: RegExp): Reject<PoolAttrs> {
  return { title, inputs: shapes.map((shape) => ({ shape })), attrs, message };
}

export const maxPoolRejects: readonly Reject<PoolAttrs>[] = [
  reject('rank 3', [[4, 4, 1]], options(2), /^maxPool2d: x needs 4 axes \[N,H,W,C\], got f32\[4,4,1\] with 3/),
  reject(
    'window larger than the image',
    [[1, 4, 2, 1]],
    options(3),
    /^maxPool2d: a window of width 3 does not fit into the image \[1,4,2,1\], .* at most 2$/,
  ),
  reject('window of 0', [[1, 4, 4, 1]], options(0), /^maxPool2d: window size must be .* whole number ≥ 1/),
  {
    title: 'integers',
    inputs: [{ shape: [1, 2, 2, 1], dtype: 'i32', values: { below: 9 } }],
    attrs: options(2),
    message: /^maxPool2d: x must be f32, got i32\[1,2,2,1\]/,
  },
];

export const maxPoolGradRejects: readonly Reject<PoolAttrs>[] = [
  reject(
    'dy of another pooling',
    [
      [1, 4, 4, 1],
      [1, 3, 3, 1],
    ],
    options(2),
    /^maxPool2dGrad: dy is \[1,3,3,1\], but windows of \[2,2\] on \[1,4,4,1\] give \[1,2,2,1\]$/,
  ),
];

export const maxPoolPickRejects: readonly Reject<PoolAttrs>[] = [
  reject(
    'shapes differ',
    [
      [1, 4, 4, 1],
      [1, 4, 4, 2],
    ],
    options(2),
    /^maxPool2dPick: x is \[1,4,4,1\], values are \[1,4,4,2\]; both must be equal$/,
  ),
];

export const averagePoolRejects: readonly Reject<PoolAttrs>[] = [
  reject('strides of -1', [[1, 4, 4, 1]], options(2, -1), /^averagePool2d: strides must be .* got \[-1,-1\]/),
];

export const averagePoolGradRejects: readonly Reject<PoolGradAttrs>[] = [
  {
    title: 'dy of another pooling',
    inputs: [{ shape: [1, 2, 2, 3] }],
    attrs: { ...options(2), inputShape: [1, 4, 6, 3] },
    message: /^averagePool2dGrad: dy is \[1,2,2,3\], .* on \[1,4,6,3\] give \[1,2,3,3\]$/,
  },
  {
    title: 'no input shape',
    inputs: [{ shape: [1, 2, 2, 3] }],
    attrs: options(2) as PoolGradAttrs,
    message: /^averagePool2dGrad: option inputShape \[N,H,W,C\] is missing/,
  },
];
