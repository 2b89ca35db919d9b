/**
 * The drawn sets: their shapes, ranges and targets without noise, what noise does, the same points by the same seed.
 */
import { describe, expect, test } from 'vitest';
import type { ArrayDataset } from '../../src/data/dataset.ts';
import { type PlaygroundName, playground } from '../../src/data/sets/playground.ts';
import { expectRefusal } from './refusal.ts';

const NAMES = Object.keys(playground) as PlaygroundName[];
const points = ({ x, y, size }: ArrayDataset) => Array.from({ length: size }, (_, k) => [x[2 * k], x[2 * k + 1], y[k]]);

describe.each(NAMES)('%s', (name) => {
  test('is a function of size, noise and seed', async () => {
    const set = playground[name]({ size: 101, noise: 0.2, seed: 3 });
    expect(set).toMatchObject({ name, size: 101, xShape: [2] });
    expect(playground[name]({ size: 101, noise: 0.2, seed: 3 })).toEqual(set);
    expect(playground[name]({ size: 101, noise: 0.2, seed: 4 })).not.toEqual(set);
    expect(playground[name]({ size: 101, noise: 0.3, seed: 3 })).not.toEqual(set);
    expect(playground[name]().size).toBe(500);
    if (set.classNames) expect(Array.from(set.y).reduce((sum, id) => sum + id, 0)).toBeGreaterThan(25);
  });

  test('refuses options that make no sense', async () => {
    await expectRefusal(() => playground[name]({ size: 1 }), 'argument', /size must be a whole number of at least 2/);
    await expectRefusal(
      () => playground[name]({ noise: -0.1 }),
      'argument',
      /noise must be a finite number of at least 0/,
    );
    await expectRefusal(() => playground[name]({ seed: 0.5 }), 'argument', /seed/);
    await expectRefusal(() => playground[name]({ nose: 1 } as object), 'argument', /"nose"; did you mean "noise"/);
  });
});

describe('without noise', () => {
  test('the spirals are one the other turned by 180 degrees', () => {
    const all = points(playground.spiral({ size: 40 }));
    for (const [x, y, id] of all) {
      expect(Math.hypot(x, y)).toBeLessThan(5);
      const turned = all.filter(([u, v, other]) => other !== id && Math.hypot(u + x, v + y) < 1e-5);
      expect(turned).toHaveLength(1);
    }
  });

  test('circles are a disc in a ring', () => {
    for (const [x, y, id] of points(playground.circles())) {
      const radius = Math.hypot(x, y);
      expect(id === 1 ? radius < 2.5 : radius > 3.49 && radius < 5.01).toBe(true);
    }
  });

  test('xor has the sign of the product, with a gap at the axes', () => {
    for (const [x, y, id] of points(playground.xor())) {
      expect(id).toBe(x * y > 0 ? 1 : 0);
      expect(Math.min(Math.abs(x), Math.abs(y))).toBeGreaterThan(0.29);
    }
  });

  test('gaussians have their means and variances', () => {
    const all = points(playground.gaussians({ size: 4000 }));
    const first = all.filter(([, , id]) => id === 1).map(([x]) => x);
    const mean = first.reduce((sum, x) => sum + x, 0) / first.length;
    const variance = first.reduce((sum, x) => sum + (x - mean) ** 2, 0) / first.length;
    expect(mean).toBeCloseTo(2, 1);
    expect(variance).toBeCloseTo(0.5, 1);
  });

  test('moons lie on their half circles', () => {
    for (const [x, y, id] of points(playground.moons())) {
      expect(id === 0 ? Math.hypot(x, y) : Math.hypot(x - 1, y - 0.5)).toBeCloseTo(1, 5);
      expect(id === 0 ? y > -1e-6 : y < 0.5 + 1e-6).toBe(true);
    }
  });

  test('plane is (x + y) / 10; the field is ±1 at its centres and 0 far from them', () => {
    for (const [x, y, value] of points(playground.plane())) expect(value).toBeCloseTo((x + y) / 10, 5);
    const field = points(playground.gaussianField({ size: 3000 }));
    for (const [x, y, value] of field) {
      if (Math.hypot(x - 4, y - 2.5) < 1) expect(value).toBeGreaterThan(0.49);
      if (Math.hypot(x, y - 2.5) < 1) expect(value).toBeLessThan(-0.49);
      if (Math.abs(y) > 4.6) expect(value).toBeCloseTo(0, 6);
    }
  });
});
