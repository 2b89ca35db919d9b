/**
 * Rounding errors that do not grow with length: sums, means, variances and products of millions of elements, on the CPU
 * in f32 and on the device, with the kernels of software adapters and of GPUs.
 */

import { afterAll, beforeAll, describe, expect, test as testOfBoth } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { compileGraph } from '../../src/compile/index.ts';
import { type Target, withAdapterType } from '../../src/compile/target.ts';
import type { CpuTensor } from '../../src/core/op.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { conv2d, conv2dWeightGrad } from '../../src/ops/convolution/conv.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { batchNorm, standardize } from '../../src/ops/reduction/normalize.ts';
import { mean, sum } from '../../src/ops/reduction/reduce.ts';
import { variance } from '../../src/ops/reduction/reduce-composite.ts';
import { Prng } from '../../src/util/prng.ts';
import { type Shape, sizeOf } from '../../src/util/shape.ts';
import { bindPlaceholders } from '../support/evaluate.ts';
import { specOf } from '../support/graphs.ts';
import { byPart, longTest, shortTest as test } from '../support/part.ts';
import { runPlan, sameBits } from '../support/run-plan.ts';

const TEN_MILLION = 10_000_000;
const PLAIN = { transposeA: false, transposeB: false };

const open = {
  'the CPU in f32': async () => createCpuBackend(),
  'a software adapter': () => createNodeWebGPUBackend(),
  'kernels for GPUs': () => createNodeWebGPUBackend(),
};

describe.each(Object.keys(open) as (keyof typeof open)[])('on %s', (name) => {
  let backend: Backend;
  let limits: Target;
  beforeAll(async () => {
    backend = await open[name]();
    limits =
      name === 'kernels for GPUs'
        ? withAdapterType({ ...backend.target, subgroupSize: null }, 'hardware')
        : backend.target;
  });
  afterAll(() => backend.dispose());

  /** The values of what `build` makes of `inputs`; the same bits in two runs. */
  async function values(
    inputs: readonly CpuTensor[],
    build: (...tensors: Tensor[]) => readonly Tensor[],
  ): Promise<ArrayLike<number>[]> {
    const { tensors, bindings } = bindPlaceholders(inputs);
    const spec = specOf('sums', { outputs: build(...tensors) });
    const plan = compileGraph(spec, limits, { fusion: true, reuse: true });
    const [first, second] = await runPlan(backend, plan, spec, bindings, 2);
    expect(sameBits(second, first), 'the same bits twice').toBe(true);
    return [...first.outputs];
  }

  const series: readonly [string, (k: number, random: Prng) => number][] = [
    ['uniform between 0 and 0.2', (_, random) => 0.2 * random.uniform()],
    ['0.1 throughout', () => 0.1],
    ['growing from 0 to 0.2', (k) => (0.2 * k) / TEN_MILLION],
  ];
  testOfBoth.each(byPart(series.slice(0, 1), series.slice(1)))(
    'sum, mean and variance of 10⁷ values, %s',
    async (_, value) => {
      const random = new Prng(7);
      const x = filled([TEN_MILLION], (k) => value(k, random));
      const exact = statistics(x.data);
      const [total, center, spread] = await values([x], (t) => [sum(t), mean(t), variance(t)]);
      expect(relative(total[0], exact.sum)).toBeLessThan(2e-6);
      expect(relative(center[0], exact.mean)).toBeLessThan(2e-6);
      expect(Math.abs(spread[0] - exact.variance)).toBeLessThanOrEqual(2e-6 * exact.variance);
    },
  );

  test.each<[Shape, number[]]>([
    [[TEN_MILLION / 4, 4], [0]],
    [[3, 1_000_000], [1]],
    [[600, 10_000], [1]],
    [
      [64, 50, 64, 5],
      [0, 1, 2],
    ],
    [
      [64, 50, 640],
      [0, 1],
    ],
  ])('%o over axes %o', async (shape, axes) => {
    const x = filled(shape, () => 0.1);
    const [total, center, spread] = await values([x], (t) => [
      sum(t, { axes }),
      mean(t, { axes }),
      variance(t, { axes }),
    ]);
    const count = axes.reduce((product, axis) => product * shape[axis], 1);
    for (const found of Array.from(total)) expect(relative(found, count * Math.fround(0.1))).toBeLessThan(2e-6);
    expect(new Set(Array.from(center))).toEqual(new Set([Math.fround(0.1)]));
    expect(new Set(Array.from(spread))).toEqual(new Set([0]));
  });

  test.each([300, 40_000, TEN_MILLION])('the variance of %d values of mean 10⁶ and deviation 1', async (count) => {
    const random = new Prng(8);
    const x = filled([count], () => 1e6 + bell(random));
    const exact = statistics(x.data);
    const [center, spread] = await values([x], (t) => [mean(t), variance(t)]);
    expect(relative(center[0], exact.mean)).toBeLessThan(1e-7);
    expect(relative(spread[0], exact.variance)).toBeLessThan(1e-5);
  });

  test('an outlier in front takes no digit from the others', async () => {
    const random = new Prng(9);
    const outlier = (at: number) => filled([100_000], (k) => (k === at ? 1e8 : bell(random)));
    for (const x of [outlier(0), outlier(3), outlier(99_999)]) {
      const exact = statistics(x.data);
      const [center, spread] = await values([x], (t) => [mean(t), variance(t)]);
      expect(relative(center[0], exact.mean)).toBeLessThan(1e-5);
      expect(relative(spread[0], exact.variance)).toBeLessThan(1e-5);
    }
  });

  test('normalizing a constant channel of 250000.3 gives 0', async () => {
    const image = filled([32, 112, 112, 2], () => 250000.3);
    const row = filled([40, 768], () => 250000.3);
    const one = filled([1, 1, 1, 2], () => 1);
    const zero = filled([1, 1, 1, 2], () => 0);
    const axes = { axes: [0, 1, 2], epsilon: 1e-3 };
    const [normal] = await values([image, one, zero], (x, gamma, beta) => [batchNorm(x, gamma, beta, axes)]);
    const [rows] = await values([row], (x) => [standardize(x, { axes: [1], epsilon: 1e-3 })]);
    expect(extremes(normal)).toEqual([0, 0]);
    expect(extremes(rows)).toEqual([0, 0]);
  });

  test('the statistics of a batch norm over 401,408 values', async () => {
    const random = new Prng(10);
    const x = filled([32, 112, 112, 3], () => 0.1 + 0.05 * bell(random));
    const [center, spread] = await values([x], (t) => [mean(t, { axes: [0, 1, 2] }), variance(t, { axes: [0, 1, 2] })]);
    for (let c = 0; c < 3; c++) {
      const exact = statistics(x.data.filter((_: number, k: number) => k % 3 === c));
      expect(relative(center[c], exact.mean)).toBeLessThan(2e-6);
      expect(relative(spread[c], exact.variance)).toBeLessThan(2e-6);
    }
  });

  const products: readonly (readonly [number, { readonly transposeA: boolean; readonly transposeB: boolean }])[] =
    byPart(
      [
        [5000, PLAIN],
        [100_000, { transposeA: true, transposeB: true }],
      ],
      [
        [1_000_000, PLAIN],
        [4_000_000, { transposeA: false, transposeB: true }],
        [TEN_MILLION, { transposeA: true, transposeB: false }],
      ],
    );
  testOfBoth.each(products)('a product over K = %d, %o', async (K, attrs) => {
    // Rows of a constant, columns of another and one that varies: the products are those of Σ x and Σ x².
    const [M, N] = K > 2e6 ? [1, 2] : [2, 3];
    const random = new Prng(11);
    const x = filled([K], () => 0.2 * random.uniform());
    const a = filled(attrs.transposeA ? [K, M] : [M, K], (i) => x.data[attrs.transposeA ? Math.floor(i / M) : i % K]);
    const column = (k: number, n: number): number => (n === 0 ? x.data[k] : 0.1);
    const b = filled(attrs.transposeB ? [N, K] : [K, N], (i) =>
      attrs.transposeB ? column(i % K, Math.floor(i / K)) : column(Math.floor(i / N), i % N),
    );
    const [found] = await values([a, b], (left, right) => [matmul(left, right, attrs)]);
    let [squares, total] = [0, 0];
    for (let k = 0; k < K; k++) {
      squares += x.data[k] ** 2;
      total += x.data[k] * Math.fround(0.1);
    }
    for (let i = 0; i < M * N; i++) expect(relative(found[i], i % N === 0 ? squares : total)).toBeLessThan(2e-5);
  });

  longTest.each(['valid', 'same'] as const)(
    'the weight gradient of a convolution over 10⁶ pixels, %s',
    async (padding) => {
      // Every window of a constant image gives the same, but where padding clips it.
      const [N, H, W] = [4, 500, 500];
      const x = filled([N, H, W, 1], () => 0.3);
      const [OH, OW] = padding === 'same' ? [H, W] : [H - 2, W - 2];
      const dy = filled([N, OH, OW, 2], () => 0.1);
      const [dk, dBias] = await values([x, dy], (image, slope) => [
        conv2dWeightGrad(image, slope, { padding, kernelShape: [3, 3, 1, 2] }),
        sum(slope, { axes: [0, 1, 2] }),
      ]);
      const one = Math.fround(0.3) * Math.fround(0.1);
      for (let tap = 0; tap < 9; tap++) {
        const clipped = (at: number): number => (padding === 'same' && at !== 1 ? 1 : 0);
        const windows = N * (OH - clipped(Math.floor(tap / 3))) * (OW - clipped(tap % 3));
        for (const found of [dk[2 * tap], dk[2 * tap + 1]]) expect(relative(found, windows * one)).toBeLessThan(2e-5);
      }
      for (const found of Array.from(dBias)) {
        expect(relative(found, N * OH * OW * Math.fround(0.1))).toBeLessThan(2e-5);
      }
    },
  );

  test('a convolution of 20,000 channels', async () => {
    const x = filled([2, 3, 3, 20_000], () => 0.3);
    const kernel = filled([3, 3, 20_000, 2], () => 0.1);
    const [y] = await values([x, kernel], (image, filter) => [conv2d(image, filter)]);
    const exact = 9 * 20_000 * Math.fround(0.3) * Math.fround(0.1);
    for (const found of Array.from(y)) expect(relative(found, exact)).toBeLessThan(2e-5);
  });
});

function filled(shape: Shape, value: (k: number) => number): CpuTensor {
  const data = new Float32Array(sizeOf(shape));
  for (let k = 0; k < data.length; k++) data[k] = value(k);
  return { shape, dtype: 'f32', data };
}

/** In f64, from the values as they are in f32. */
function statistics(data: ArrayLike<number>): { sum: number; mean: number; variance: number } {
  let sum = 0;
  for (let k = 0; k < data.length; k++) sum += data[k] - data[0];
  const mean = data[0] + sum / data.length;
  let squares = 0;
  for (let k = 0; k < data.length; k++) squares += (data[k] - mean) ** 2;
  return { sum: mean * data.length, mean, variance: squares / data.length };
}

function relative(found: number, exact: number): number {
  return Math.abs(found - exact) / Math.abs(exact);
}

/** Of mean 0 and deviation 1. */
function bell(random: Prng): number {
  return (random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2) * Math.sqrt(3);
}

function extremes(values: ArrayLike<number>): [number, number] {
  let [low, high] = [0, 0];
  for (let k = 0; k < values.length; k++) {
    low = Math.min(low, values[k]);
    high = Math.max(high, values[k]);
  }
  return [low, high];
}
