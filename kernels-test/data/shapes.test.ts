/** The embedded shapes: the same bytes for ever, balanced, and nothing that colour alone would give away. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ArrayDataset } from '../../src/data/dataset.ts';
import { SHAPE_NAMES, shapes } from '../../src/data/shapes.ts';
import { linearAccuracy } from './linear-model.ts';
import { expectRefusal } from './refusal.ts';

const hash = (set: ArrayDataset) =>
  createHash('sha256')
    .update(set.x as Uint8Array)
    .update(set.y as Uint8Array)
    .digest('hex')
    .slice(0, 16);

test('draws the same bytes for ever', () => {
  const { train, test } = shapes({ train: 200, test: 50, seed: 1 });
  expect({ train: hash(train), test: hash(test) }).toEqual({ train: '11862a0ad7844f16', test: '2ef3449659684b9c' });
});

test('has shapes, names and balanced classes; more images keep the first', () => {
  const few = shapes({ train: 30, test: 10, seed: 4 });
  const more = shapes({ train: 70, test: 10, seed: 4 });
  expect(few.train).toMatchObject({ name: 'shapes/train', size: 30, xShape: [32, 32, 3], classNames: SHAPE_NAMES });
  expect(more.train.x.subarray(0, few.train.x.length)).toEqual(few.train.x);
  for (const name of SHAPE_NAMES.keys()) expect(few.train.y.filter((label) => label === name)).toHaveLength(3);
  expect(new Set([few.train, few.test, shapes({ train: 30, test: 10, seed: 5 }).train].map(hash)).size).toBe(3);
});

test('a linear model learns little of it: shapes are not told by colours or places', () => {
  const { train, test } = shapes({ train: 700, test: 300, seed: 2 });
  const { testAccuracies } = linearAccuracy(train, test, 4);
  expect(Math.max(...testAccuracies)).toBeLessThan(0.45);
});

test('sizes and seeds that are none are refused', async () => {
  await expectRefusal(async () => shapes({ train: 0 }), 'argument', /train expected a whole number/);
  await expectRefusal(async () => shapes({ seed: 0.5 }), 'argument', /whole number/);
});
