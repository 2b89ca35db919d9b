/**
 * Rounding errors that do not grow with length: sums, means, variances and products of millions of elements, on the CPU
 * in f32 and on the device, with the kernels of software adapters and of GPUs.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { compileGraph } from '../../src/compile/index.ts';
import type { PlanLimits } from '../../src/compile/plan.ts';
import type { CpuTensor } from '../../src/core/op.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { batchNorm, standardize } from '../../src/ops/normalize.ts';
import { mean, sum } from '../../src/ops/reduce.ts';
import { variance } from '../../src/ops/reduce-composite.ts';
import { Prng } from '../../src/util/prng.ts';
import { type Shape, sizeOf } from '../../src/util/shape.ts';
import { bindPlaceholders } from '../support/evaluate.ts';
import { specOf } from '../support/graphs.ts';
import { bitsOf, runPlan } from '../support/run-plan.ts';

const TEN_MILLION = 10_000_000;

const open = {
  'the CPU in f32': async () => createCpuBackend(),
  'a software adapter': () => createNodeWebGPUBackend(),
  'kernels for GPUs': () => createNodeWebGPUBackend(),
};

describe.each(Object.keys(open) as (keyof typeof open)[])('on %s', (name) => {
  let backend: Backend;
  let limits: PlanLimits;
  beforeAll(async () => {
    backend = await open[name]();
    limits = name === 'kernels for GPUs' ? { ...backend.limits, adapterClass: 'gpu', subgroupSize: null } : backend.limits;
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
    expect(bitsOf(second)).toEqual(bitsOf(first));
    return [...first.outputs];
  }

  test.each<[string, (k: number, random: Prng) => number]>([
    ['0.1 throughout', () => 0.1],
    ['uniform between 0 and 0.2', (_, random) => 0.2 * random.uniform()],
    ['growing from 0 to 0.2', (k) => (0.2 * k) / TEN_MILLION],
  ])('sum, mean and variance of 10⁷ values, %s', async (_, value) => {
    const random = new Prng(7);
    const x = filled([TEN_MILLION], (k) => value(k, random));
    const exact = statistics(x.data);
    const [total, center, spread] = await values([x], (t) => [sum(t), mean(t), variance(t)]);
    expect(relative(total[0], exact.sum)).toBeLessThan(2e-6);
    expect(relative(center[0], exact.mean)).toBeLessThan(2e-6);
    expect(Math.abs(spread[0] - exact.variance)).toBeLessThanOrEqual(2e-6 * exact.variance);
  });

  test.each<[Shape, number[]]>([
    [[TEN_MILLION / 4, 4], [0]],
    [[3, 1_000_000], [1]],
    [[600, 10_000], [1]],
    [[64, 50, 64, 5], [0, 1, 2]],
    [[64, 50, 640], [0, 1]],
  ])('%o over axes %o', async (shape, axes) => {
    const x = filled(shape, () => 0.1);
    const [total, center, spread] = await values([x], (t) => [sum(t, { axes }), mean(t, { axes }), variance(t, { axes })]);
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
      expect(relative(center[0], exact.mean)).toBeLessThan(2e-6);
      expect(relative(spread[0], exact.variance)).toBeLessThan(2e-6);
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
