/**
 * Random ops beyond what every op gets: the words of the paper's authors, bits on a device beside bits of the reference,
 * quantiles beside another library's, moments, and that a permutation is one. Seeds are fixed: no test is flaky.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { compileGraph } from '../../src/compile/index.ts';
import { defineOp } from '../../src/core/op.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { mul } from '../../src/ops/elementwise/binary.ts';
import { cast } from '../../src/ops/elementwise/cast.ts';
import { NORMAL_TABLE_SHAPE, normalOfBits, normalTable, normalTableTensor } from '../../src/ops/random/normal-table.ts';
import { multiplyHigh, philoxBlock } from '../../src/ops/random/philox.ts';
import {
  randomBernoulli,
  randomBits,
  randomNormal,
  randomUniform,
  shuffleIndices,
} from '../../src/ops/random/random.ts';
import { evaluate } from '../support/evaluate.ts';
import { goldenCases } from '../support/golden.ts';
import { specOf } from '../support/graphs.ts';
import { textOf } from '../support/kernels.ts';
import { bitsOf, runPlan } from '../support/run-plan.ts';

const u32 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  Tensor.host({ shape, dtype: 'u32' }, Uint32Array.from(values));

const key = u32([123, 456]);
const values = (tensor: Tensor): number[] => [...evaluate(tensor).data];
const N = 1 << 18;

describe('Philox4x32-10', () => {
  // Random123, tests/kat_vectors: counter, key, words.
  test.each([
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('block of %s', (counter, keyText, expected) => {
    const words = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16));
    const block = new Uint32Array(4);
    philoxBlock(block, words(counter) as [number, number, number, number], words(keyText) as [number, number]);
    expect([...block]).toEqual(words(expected));
  });

  test('element i is word i mod 4 of block i/4 of the stream', () => {
    const bits = values(randomBits(key, { shape: [11], stream: 9 }));
    const block = new Uint32Array(4);
    bits.forEach((word, i) => {
      philoxBlock(block, [Math.floor(i / 4), 9, 0, 0], [123, 456]);
      expect(word).toBe(block[i % 4]);
    });
  });

  test('the upper word of a product', () => {
    const cases = [0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0xd2511f53, 123456789];
    for (const a of cases) {
      for (const b of cases) expect(multiplyHigh(a, b)).toBe(Number((BigInt(a) * BigInt(b)) >> 32n));
    }
  });
});

describe('numbers', () => {
  test('normal numbers are within 2e-5 of the true quantile, in every octave', () => {
    const table = normalTable();
    let worst = 0;
    for (const golden of goldenCases<{ magnitudes: number[]; quantiles: number[] }>('normal-quantiles')) {
      golden.magnitudes.forEach((magnitude, k) => {
        const z = normalOfBits(magnitude, table);
        worst = Math.max(worst, Math.abs(z - golden.quantiles[k]));
        expect(normalOfBits(2 ** 31 + magnitude, table)).toBe(-z);
        expect(Math.fround(z)).toBe(z);
      });
    }
    expect(worst).toBeLessThan(2e-5);
    expect(worst).toBeGreaterThan(0);
  });

  test('normal numbers fall as the magnitude grows', () => {
    const table = normalTable();
    let last = Number.POSITIVE_INFINITY;
    for (let magnitude = 0; magnitude < 2 ** 31; magnitude = Math.ceil(magnitude * 1.0007) + 1) {
      const z = normalOfBits(magnitude, table);
      expect(z).toBeLessThanOrEqual(last);
      last = z;
    }
    expect(normalOfBits(0, table)).toBeCloseTo(6.33795775, 6);
    expect(normalOfBits(2 ** 31 - 1, table)).toBeCloseTo(0, 8);
  });

  // Bounds of four standard errors.
  test('moments of the normal', () => {
    const z = values(randomNormal(key, { shape: [N], stream: 0 }));
    const moment = (p: number) => z.reduce((sum, value) => sum + value ** p, 0) / N;
    expect(Math.abs(moment(1))).toBeLessThan(4 / Math.sqrt(N));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / N));
    expect(Math.abs(moment(3))).toBeLessThan(4 * Math.sqrt(15 / N));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / N));
    const scaled = values(randomNormal(key, { shape: [N], stream: 0, mean: 3, stddev: 0.5 }));
    expect(scaled.every((value, i) => Math.abs(value - (3 + z[i] / 2)) < 3e-7)).toBe(true);
  });

  test('uniform numbers fill [0, 1) evenly', () => {
    const u = values(randomUniform(key, { shape: [N], stream: 0 }));
    const counts = new Array<number>(256).fill(0);
    for (const value of u) counts[Math.floor(value * 256)]++;
    expect(u.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 24))).toBe(true);
    // Chi-square with 255 degrees of freedom: mean 255, deviation 22.6.
    const chiSquare = counts.reduce((sum, count) => sum + (count - N / 256) ** 2 / (N / 256), 0);
    expect(Math.abs(chiSquare - 255)).toBeLessThan(4 * 22.6);
  });

  test('uniform numbers stay between their ends', () => {
    const [min, max] = [-0.05, 0.05];
    const u = values(randomUniform(key, { shape: [N], stream: 0, min, max }));
    expect(u.every((value) => value >= Math.fround(min) && value <= Math.fround(max))).toBe(true);
  });

  test.each([0, 2 ** -10, 0.2, 0.5, 0.999, 1])('true with probability %f', (probability) => {
    const trues = values(randomBernoulli(key, { shape: [N], stream: 0, probability })).filter(Boolean).length;
    expect(Math.abs(trues / N - probability)).toBeLessThanOrEqual(4 * Math.sqrt((probability * (1 - probability)) / N));
  });

  test('keys, streams and neighbours are uncorrelated', () => {
    const draw = (words: readonly number[], stream: number) => values(randomNormal(u32(words), { shape: [N], stream }));
    const base = draw([1, 2], 0);
    const others = [draw([1, 2], 1), draw([1, 3], 0), draw([2, 2], 0), [...base.slice(1), base[0]]];
    for (const other of others) {
      const correlation = base.reduce((sum, value, i) => sum + value * other[i], 0) / N;
      expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(N));
    }
  });
});

describe('shuffleIndices', () => {
  const whole = (n: number, words: readonly number[] = [123, 456]): number[] =>
    values(shuffleIndices(u32(words), u32([0], []), { count: n, n }));

  test.each([1, 2, 3, 4, 5, 63, 64, 65, 100, 1000, 60_000])('is a permutation of %i', (n) => {
    for (const words of [
      [123, 456],
      [0, 0],
      [2 ** 32 - 1, 7],
    ]) {
      const seen = new Set(whole(n, words));
      expect(seen.size).toBe(n);
      expect(Math.max(...seen)).toBe(n - 1);
    }
  });

  test('windows are pieces of the whole; the last element stands for what lies beyond', () => {
    const all = whole(100);
    const window = (offset: number) => values(shuffleIndices(key, u32([offset], []), { count: 30, n: 100 }));
    expect(window(0)).toEqual(all.slice(0, 30));
    expect(window(70)).toEqual(all.slice(70));
    expect(window(90)).toEqual([...all.slice(90), ...Array(20).fill(all[99])]);
  });

  test('all orders of three are as likely', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const order = String(whole(3, [seed >> 6, seed & 63]));
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    // 1000 each, deviation 29.
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(4 * 29);
  });

  test('every element is as likely at every place', () => {
    const n = 10;
    const counts = new Array<number>(n * n).fill(0);
    for (let seed = 0; seed < 5000; seed++) {
      whole(n, [1, seed]).forEach((element, place) => {
        counts[element * n + place]++;
      });
    }
    // Chi-square with (n - 1)² = 81 degrees of freedom: deviation 12.7.
    const chiSquare = counts.reduce((sum, count) => sum + (count - 500) ** 2 / 500, 0);
    expect(Math.abs(chiSquare - 81)).toBeLessThan(4 * 12.7);
  });

  test('few elements stay in place or beside their neighbour', () => {
    const n = 60_000;
    const order = whole(n);
    // Both counts are Poisson: mean 1 and 2.
    expect(order.filter((element, place) => element === place).length).toBeLessThan(8);
    expect(order.filter((element, k) => k > 0 && Math.abs(element - order[k - 1]) === 1).length).toBeLessThan(11);
  });
});

describe('CPU and GPU give the same bits', () => {
  let gpu: Backend;
  const cpu = createCpuBackend({ precision: 'f32' });
  beforeAll(async () => {
    gpu = await createNodeWebGPUBackend({ defaultLimits: true });
  });
  afterAll(async () => {
    await gpu.dispose();
  });

  async function expectSameBits(outputs: readonly Tensor[], fusion = true): Promise<void> {
    const spec = specOf('random', { outputs });
    const plan = compileGraph(spec, gpu.target, { fusion, reuse: fusion });
    const [onGpu] = await runPlan(gpu, plan, spec, new Map());
    const [onCpu] = await runPlan(cpu, plan, spec, new Map());
    const [found, expected] = [bitsOf(onGpu), bitsOf(onCpu)];
    outputs.forEach((tensor, k) => {
      const wrong = found[k].findIndex((bits, i) => bits !== expected[k][i]);
      expect(wrong, `${tensor.op?.name} ${JSON.stringify(tensor.attrs)}, first element that differs`).toBe(-1);
      expect(found[k].length).toBe(tensor.size);
    });
  }

  test('numbers, many', () =>
    expectSameBits([
      randomBits(key, { shape: [N], stream: 0 }),
      randomUniform(key, { shape: [N], stream: 1 }),
      randomUniform(key, { shape: [N], stream: 1, min: -0.3, max: 0.7 }),
      randomNormal(key, { shape: [N], stream: 2 }),
      randomNormal(key, { shape: [N], stream: 2, mean: 1.1, stddev: 0.9 }),
      randomBernoulli(key, { shape: [N], stream: 3, probability: 0.3 }),
    ]));

  test.each([true, false])('inside of other kernels (fusion %s)', (fusion) => {
    const kept = cast(randomBernoulli(key, { shape: [300, 7], stream: 3, probability: 0.8 }), 'f32');
    const noise = randomNormal(key, { shape: [300, 7], stream: 4, stddev: 0.1 });
    return expectSameBits([mul(kept, noise), mul(kept, 1.25)], fusion);
  });

  test('normal numbers of bits from every octave', () => {
    const edges = Array.from({ length: 32 }, (_, e) => [-1, 0, 1].map((d) => (2 ** e + d) >>> 0)).flat();
    const spread = Array.from({ length: 4000 }, (_, k) => (Math.imul(k, 0x9e3779b9) >>> 0) >>> (k % 32));
    const bits = [...edges, ...edges.map((word) => (word | 0x80000000) >>> 0), ...spread];
    return expectSameBits([normalOf(u32(bits), normalTableTensor())]);
  });

  test.each([1, 2, 3, 5, 64, 100, 1000, 60_000])('the permutation of %i', (n) =>
    expectSameBits([
      shuffleIndices(key, u32([0], []), { count: n, n }),
      shuffleIndices(u32([0, 1]), u32([n >> 1], []), { count: n >> 1, n }),
      // Beyond the end.
      shuffleIndices(key, u32([n], []), { count: 1, n }),
    ]),
  );

  test('sizes, streams and parameters share one kernel', () => {
    const kernelOf = (output: Tensor): string => {
      const { kernels } = compileGraph(specOf('random', { outputs: [output] }), gpu.target);
      expect(kernels.length).toBe(1);
      return textOf(kernels[0]);
    };
    const same = (a: Tensor, b: Tensor): void => expect(kernelOf(a)).toBe(kernelOf(b));
    same(randomBits(key, { shape: [100], stream: 0 }), randomBits(key, { shape: [3, 70], stream: 9 }));
    same(randomUniform(key, { shape: [100], stream: 0 }), randomUniform(key, { shape: [64], stream: 1, max: 7 }));
    same(
      randomNormal(key, { shape: [100], stream: 0 }),
      randomNormal(key, { shape: [64], stream: 1, mean: 2, stddev: 3 }),
    );
    same(
      randomBernoulli(key, { shape: [100], stream: 0, probability: 1 }),
      randomBernoulli(key, { shape: [64], stream: 1, probability: 0.5 }),
    );
    const offset = u32([0], []);
    same(shuffleIndices(key, offset, { count: 128, n: 60_000 }), shuffleIndices(key, offset, { count: 5, n: 7 }));
  });
});

/** The standard normal numbers of given bits: what randomNormal does after Philox, for bits that Philox rarely gives. */
const normalOf = defineOp<Record<string, never>, (bits: Tensor, table: Tensor) => Tensor>(
  {
    name: 'normalOf',
    doc: 'For this test.',
    infer: ([bits]) => ({ shape: bits.shape, dtype: 'f32' }),
    cpu([bits, table], output) {
      expect(table.shape).toEqual(NORMAL_TABLE_SHAPE);
      for (let i = 0; i < output.data.length; i++) output.data[i] = normalOfBits(bits.data[i], table.data);
    },
    vjp: null,
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, load, use }) {
        use('philox');
        return `
          let word = ${load(0, i)};
          let cell = philox_normal_cell(word & 0x7fffffffu);
          return philox_normal_value(word, ${load(1, 'cell.x')}, ${load(1, 'cell.x + 1u')}, cell.y);`;
      },
    },
    samples: [],
    rejects: [],
    tolerance: { relative: 0, source: 'integer arithmetic' },
    bench: { flops: () => 0, sample: { inputs: [], attrs: {} } },
  },
  (apply) => (bits, table) => apply([bits, table], {}),
);
