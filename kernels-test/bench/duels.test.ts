/**
 * The op duels of `npm run bench -- ops`: what downhill runs in them is the op of the title, a result that differs is
 * found out and costs the times, and a slow op is called as rarely as the budget says.
 */

import { describe, expect, test } from 'vitest';
import { downhillDuellist } from '../../bench/core/downhill-duels.ts';
import {
  compareDuel,
  DUEL_NAMES,
  type Duel,
  type Duellist,
  type DuelReport,
  digestDifference,
  digestOf,
  driveDuel,
  duelInputs,
  duelOf,
} from '../../bench/core/duels.ts';
import { describeDuel } from '../../bench/node/ops.ts';
import { getBackend } from '../../src/runtime/index.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { describeOnBackends } from '../support/on-backends.ts';

const SMALL = { matrix: 24, batch: 2, side: 5, channels: 4 };

describeOnBackends('downhill in a duel', () => {
  test.each(DUEL_NAMES)('%s gives what its definition gives', async (name) => {
    const duel = duelOf(name, SMALL);
    const report = await driveDuel(downhillDuellist(getBackend(), '0'), duel, 1);
    expect(report.result.elements).toBe(sizeOf(duel.output));
    expect(digestDifference(report.result, digestOf(byDefinition(duel)))).toBeLessThan(1e-5);
    expect(report.firstMs).toBeGreaterThan(0);
    expect(report.call.count).toBeGreaterThan(0);
  });
});

/** The duel's result in f64, one product after the other. */
function byDefinition(duel: Duel): Float32Array {
  const [a, b] = duelInputs(duel);
  const result = new Float64Array(sizeOf(duel.output));
  if (duel.name === 'matmul') {
    const n = SMALL.matrix;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) result[i * n + j] += a[i * n + k] * b[k * n + j];
    return Float32Array.from(result);
  }
  const { batch: N, side: S, channels: C } = SMALL;
  for (let n = 0; n < N; n++)
    for (let i = 0; i < S; i++)
      for (let j = 0; j < S; j++)
        for (let p = 0; p < 3; p++)
          for (let q = 0; q < 3; q++) {
            const [row, column] = [i + p - 1, j + q - 1];
            if (row < 0 || column < 0 || row >= S || column >= S) continue;
            for (let c = 0; c < C; c++)
              for (let f = 0; f < C; f++) {
                const x = ((n * S + row) * S + column) * C + c;
                const y = ((n * S + i) * S + j) * C + f;
                const k = ((p * 3 + q) * C + c) * C + f;
                if (duel.name === 'conv2d') result[y] += a[x] * b[k];
                else if (duel.name === 'conv2dInputGrad') result[x] += a[y] * b[k];
                else result[k] += a[x] * b[y];
              }
          }
  return Float32Array.from(result);
}

test('operations are those of direct evaluation at the sizes of the command', () => {
  const flops = DUEL_NAMES.map((name) => duelOf(name).flops);
  const convolution = 2 * 32 * 32 * 32 * 9 * 64 * 64;
  expect(flops).toEqual([2 * 1024 ** 3, convolution, convolution, convolution]);
});

describe('a result that differs', () => {
  const own = duelInputs(duelOf('matmul', { ...SMALL, matrix: 64 }))[0];
  const changed = (change: (values: Float32Array) => void): number => {
    const values = own.slice();
    change(values);
    return digestDifference(digestOf(values), digestOf(own));
  };

  test('is told by one wrong element, two exchanged ones, a factor, a missing value, another size', () => {
    expect(changed(() => {})).toBe(0);
    expect(changed((v) => (v[1234] += 0.5))).toBeGreaterThan(1e-3);
    expect(changed((v) => v.set([own[4001], own[4000]], 4000))).toBeGreaterThan(1e-3);
    expect(changed((v) => v.set(v.map((value) => 1.002 * value)))).toBeGreaterThan(1e-3);
    expect(changed((v) => (v[1234] = Number.NaN))).toBeNaN();
    expect(digestDifference(digestOf(own.subarray(1)), digestOf(own))).toBeNaN();
  });

  test('of rounding is not told', () => {
    expect(changed((v) => v.set(v.map((value, k) => value * (1 + 1e-6 * (k % 3)))))).toBeLessThan(1e-5);
  });

  test('leaves a duel without times', () => {
    const duel = duelOf('matmul', SMALL);
    const report = (engine: string, values: Float32Array): DuelReport => ({
      ...{ engine, version: '1', duel: 'matmul', firstMs: 77, result: digestOf(values) },
      call: { median: 55, min: 44, max: 66, count: 3 },
    });
    const wrong = own.slice().fill(0, 0, 100);
    const same = compareDuel(duel, [report('downhill', own), report('peer', own.slice())]);
    const other = compareDuel(duel, [report('downhill', own), report('peer', wrong)]);
    const missing = compareDuel(duel, [report('downhill', own), report('peer', own.slice().fill(Number.NaN))]);
    expect(same.parity).toBe(true);
    expect(describeDuel(same)).toMatch(/55 ms.*44 ms.*77 ms/);
    for (const comparison of [other, missing]) {
      expect(comparison.parity).toBe(false);
      expect(describeDuel(comparison)).toContain('No times');
      expect(describeDuel(comparison)).not.toContain(' ms');
    }
  });
});

test('timed calls end with the budget, and a first call and one to warm up are not among them', async () => {
  const calls: string[] = [];
  const slow = (ms: number): Duellist => ({
    name: 'slow',
    version: '0',
    prepare: async (duel) => ({
      run: () => {
        calls.push('run');
        return new Promise((resolve) => setTimeout(resolve, ms));
      },
      result: async () => {
        calls.push('result');
        return new Float32Array(sizeOf(duel.output));
      },
      dispose: () => void calls.push('dispose'),
    }),
  });
  const duel = duelOf('matmul', SMALL);
  expect((await driveDuel(slow(20), duel, 5)).call.count).toBe(1);
  expect(calls).toEqual(['run', 'result', 'run', 'run', 'dispose']);
  const { count, min } = (await driveDuel(slow(20), duel, 300)).call;
  expect(count).toBeGreaterThan(1);
  expect(count).toBeLessThan(17);
  expect(min).toBeGreaterThan(15);
});
