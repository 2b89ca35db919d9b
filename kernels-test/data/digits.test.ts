/** The embedded digits: the same bytes for ever, balanced, and too hard for a linear model. */
import { createHash } from 'node:crypto';
import { describe, expect } from 'vitest';
import type { ArrayDataset } from '../../src/data/dataset.ts';
import { digits } from '../../src/data/sets/digits.ts';
import { longTest, shortTest as test } from '../support/part.ts';
import { linearAccuracy } from './linear-model.ts';
import { expectRefusal } from './refusal.ts';

const hash = (set: ArrayDataset) =>
  createHash('sha256')
    .update(set.x as Uint8Array)
    .update(set.y as Uint8Array)
    .digest('hex')
    .slice(0, 16);

describe('digits', () => {
  test('draws the same bytes for ever', () => {
    const { train, test } = digits({ train: 500, test: 100, seed: 1 });
    expect({ train: hash(train), test: hash(test) }).toEqual({ train: '66ab0a34830e0ed6', test: '8c9753a05d28ebe1' });
  });

  test('other seeds and splits draw other images; more images keep the first', () => {
    const few = digits({ train: 30, test: 30, seed: 4 });
    const more = digits({ train: 55, test: 30, seed: 4 });
    const other = digits({ train: 30, test: 30, seed: 5 });
    expect(more.train.x.subarray(0, few.train.x.length)).toEqual(few.train.x);
    expect(new Set([few.train, few.test, other.train, other.test].map(hash)).size).toBe(4);
  });

  test('has shapes, names and balanced classes', () => {
    const { train, test } = digits();
    expect(train).toMatchObject({ name: 'digits/train', size: 8000, xShape: [28, 28, 1], yShape: [] });
    expect(test).toMatchObject({ name: 'digits/test', size: 2000 });
    expect(train.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    for (const set of [train, test]) {
      const counts = new Array<number>(10).fill(0);
      for (const label of set.y) counts[label]!++;
      expect(counts).toEqual(new Array<number>(10).fill(set.size / 10));
    }
  });

  test('fills the range of grey, with ink in every image', () => {
    const { train } = digits({ train: 200, test: 1 });
    for (let i = 0; i < train.size; i++) {
      const image = train.x.subarray(i * 784, (i + 1) * 784);
      expect(Math.max(...image), `image ${i}`).toBeGreaterThan(120);
      let ink = 0;
      for (const value of image) ink += value / 255;
      expect(ink, `image ${i}`).toBeGreaterThan(15);
      expect(ink, `image ${i}`).toBeLessThan(300);
    }
  });

  longTest('keeps a linear model below 93 %, at every epoch on the way to convergence', () => {
    const { train, test } = digits({ seed: 2 });
    const { trainAccuracy, testAccuracies } = linearAccuracy(train, test, 30);
    expect(trainAccuracy).toBeGreaterThan(0.9);
    expect(Math.max(...testAccuracies)).toBeGreaterThan(0.8);
    expect(Math.max(...testAccuracies)).toBeLessThan(0.93);
  });

  test('refuses sizes and seeds that make no sense', async () => {
    await expectRefusal(() => digits({ train: 0 }), 'argument', /digits: train expected .* at least 1, found 0/);
    await expectRefusal(() => digits({ train: 1, test: 2.5 }), 'argument', /digits: test .* found 2.5/);
    await expectRefusal(() => digits({ train: 1, test: 1, seed: Number.NaN }), 'argument', /seed/);
  });
});
