/** The host-side generator: reproducible, keyed by every integer given, and fair enough for shuffles and drawings. */
import { expect, test } from 'vitest';
import { Prng } from '../../src/util/prng.ts';
import { expectRefusal } from './refusal.ts';

const draw = (random: Prng, count: number) => Array.from({ length: count }, () => random.uint32());

test('the same key gives the same numbers, on every platform', () => {
  expect(draw(new Prng(1, 2, 3), 4)).toEqual([1216538741, 619254416, 4068834579, 2626412925]);
  expect(draw(new Prng(1, 2, 3), 4)).toEqual(draw(new Prng(1, 2, 3), 4));
});

test('keys that differ anywhere give other streams', () => {
  const keys = [[0], [1], [-1], [0, 0], [0, 1], [1, 0], [2 ** 32], [2 ** 33], [Number.MAX_SAFE_INTEGER]];
  const streams = keys.map((key) => draw(new Prng(...key), 2).join());
  expect(new Set(streams).size).toBe(keys.length);
});

test('a key that is not a whole number is refused', async () => {
  await expectRefusal(() => new Prng(0.5), 'argument', /seed: expected a whole number, found 0.5/);
  await expectRefusal(() => new Prng(Number.NaN), 'argument', /found NaN/);
});

test('uniform, int and bell have the moments they should', () => {
  const random = new Prng(5);
  const n = 40_000;
  const counts = new Array<number>(7).fill(0);
  let mean = 0;
  let square = 0;
  let uniform = 0;
  for (let i = 0; i < n; i++) {
    uniform += random.uniform() / n;
    counts[random.int(7)]!++;
    const z = random.bell();
    mean += z / n;
    square += (z * z) / n;
  }
  expect(uniform).toBeCloseTo(0.5, 2);
  expect(Math.abs(mean)).toBeLessThan(0.02);
  expect(square).toBeCloseTo(1, 1);
  for (const count of counts) expect(Math.abs(count - n / 7)).toBeLessThan(5 * Math.sqrt(n / 7));
});

test('shuffle keeps the items and moves them', () => {
  const shuffled = new Prng(3).shuffle(Array.from({ length: 100 }, (_, i) => i));
  expect(shuffled).not.toEqual([...shuffled].sort((a, b) => a - b));
  expect(new Set(shuffled).size).toBe(100);
});

test('every order of a shuffle is as likely as any other', () => {
  const counts = new Map<string, number>();
  const n = 24_000;
  for (let seed = 0; seed < n; seed++) {
    const order = new Prng(seed).shuffle([0, 1, 2, 3]).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  for (const count of counts.values()) expect(Math.abs(count - n / 24)).toBeLessThan(5 * Math.sqrt(n / 24));
});
