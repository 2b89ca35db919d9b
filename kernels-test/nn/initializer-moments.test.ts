/**
 * Initial weights against Keras 3 (golden/make/make-updates.py): the moments of many values. The random numbers are not
 * Keras', so moments agree as far as two samples of that size do; what is not random agrees exactly.
 */

import { describe, expect, test } from 'vitest';
import { type InitializerName, initializers } from '../../src/nn/initializers.ts';
import { expectRefusal } from '../data/refusal.ts';
import { golden } from './golden-values.ts';

interface InitializerCase {
  readonly name: InitializerName;
  readonly config: object;
  readonly shape: number[];
  readonly mean: number;
  readonly deviation: number;
  /** Mean of |x|³. */
  readonly cube: number;
  readonly largest: number;
}

const file = golden<InitializerCase[]>('initializers.json');

describe('moments', () => {
  test.each(file.map((c) => [c.name, c.config, c.shape, c] as const))('%s %j %j', (name, config, shape, expected) => {
    const values = initializers[name](config).values(shape, 5, 0);
    const n = values.length;
    const mean = values.reduce((sum, x) => sum + x, 0) / n;
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n);
    const cube = values.reduce((sum, x) => sum + Math.abs(x) ** 3, 0) / n;
    const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    // Six standard errors of a difference of two means; a little more than the deviation's own.
    expect(Math.abs(mean - expected.mean)).toBeLessThanOrEqual(6 * expected.deviation * Math.sqrt(2 / n) + 1e-6);
    expect(deviation / (expected.deviation || 1)).toBeCloseTo(expected.deviation === 0 ? 0 : 1, 1.5);
    expect(cube / (expected.cube || 1)).toBeCloseTo(expected.cube === 0 ? 0 : 1, 1);
    // A sample of a normal variable may reach a little farther than another; bounded ones end at the same place.
    const open = /^randomNormal$|^orthogonal$/.test(name) || JSON.stringify(config).includes('untruncated');
    expect(largest / (expected.largest || 1)).toBeCloseTo(expected.largest === 0 ? 0 : 1, open ? 0 : 2);
  });

  test('every initializer is there', () => {
    expect(new Set(file.map(({ name }) => name))).toEqual(new Set(Object.keys(initializers)));
  });
});

test('orthogonal has orthonormal columns, or rows where it is wide', () => {
  const product = (values: Float32Array, rows: number, columns: number, a: number, b: number) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += values[row * columns + a] * values[row * columns + b];
    return sum;
  };
  const tall = initializers.orthogonal().values([2, 3, 4], 1, 0);
  const wide = initializers.orthogonal({ gain: 2 }).values([3, 5], 1, 0);
  const turned = Float32Array.from(wide, (_, k) => wide[(k % 3) * 5 + Math.floor(k / 3)]);
  for (let a = 0; a < 4; a++) {
    for (let b = 0; b < 4; b++) expect(product(tall, 6, 4, a, b)).toBeCloseTo(a === b ? 1 : 0, 6);
  }
  for (let a = 0; a < 3; a++) {
    for (let b = 0; b < 3; b++) expect(product(turned, 5, 3, a, b)).toBeCloseTo(a === b ? 4 : 0, 5);
  }
});

test('identity', () => {
  expect([...initializers.identity({ gain: 3 }).values([2, 3], 0, 0)]).toEqual([3, 0, 0, 0, 3, 0]);
});

test('refusals', async () => {
  await expectRefusal(() => initializers.orthogonal().values([4], 0, 0), 'shape', /orthogonal: needs at least two/);
  await expectRefusal(() => initializers.identity().values([2, 2, 2], 0, 0), 'shape', /identity: needs a matrix/);
  await expectRefusal(() => initializers.varianceScaling({ scale: 0 }), 'argument', /scale must be above 0, found 0/);
  await expectRefusal(
    () => initializers.varianceScaling({ mode: 'fan_in' as never }),
    'argument',
    /mode of varianceScaling: "fan_in"; did you mean "fanIn"/,
  );
  await expectRefusal(
    () => initializers.varianceScaling({ scale: Number.NaN }),
    'argument',
    /scale must be a finite number, found NaN/,
  );
});
