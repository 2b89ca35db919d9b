/** Splits and folds by seed: nothing lost, nothing twice, sizes as asked, classes in proportion; helpers on rows. */
import { describe, expect, test } from 'vitest';
import { type ArrayDataset, arrayDataset, take } from '../../src/data/dataset.ts';
import { batches, concatenate, fitScaler, mapExamples, oneHotTargets, skip } from '../../src/data/rows.ts';
import { kFold, split, splitIndices } from '../../src/data/split.ts';
import { expectRefusal } from './refusal.ts';

/** 100 examples, a fifth of class 1, sorted by class as files often are. */
const set = arrayDataset({
  name: 'toy',
  x: Float32Array.from({ length: 200 }, (_, k) => k >> 1),
  xShape: [2],
  y: Int32Array.from({ length: 100 }, (_, k) => (k < 80 ? 0 : 1)),
  classNames: ['a', 'b'],
});
const ids = (part: ArrayDataset) => Array.from({ length: part.size }, (_, row) => part.x[2 * row]);
const ones = (part: ArrayDataset) => Array.from(part.y).reduce((sum, id) => sum + id, 0);
const ascending = (values: number[]) => values.sort((a, b) => a - b);
const all = Array.from({ length: 100 }, (_, k) => k);

describe('split', () => {
  test('parts into train, dev and test, by seed', () => {
    const parts = split(set, { train: 0.8, dev: 0.1, test: 0.1, seed: 3 });
    expect([parts.train.size, parts.dev.size, parts.test.size]).toEqual([80, 10, 10]);
    expect(parts.dev.name).toBe('toy/dev');
    expect(ascending([...ids(parts.train), ...ids(parts.dev), ...ids(parts.test)])).toEqual(all);
    expect(split(set, { train: 0.8, dev: 0.1, test: 0.1, seed: 3 })).toEqual(parts);
    expect(split(set, { train: 0.8, dev: 0.1, test: 0.1, seed: 4 })).not.toEqual(parts);
  });

  test('leaves out what no part takes, and leaves no part empty', () => {
    const { train, test } = split(set, { train: 0.3, test: 0.2 });
    expect([train.size, test.size]).toEqual([30, 20]);
    const tiny = split(take(set, 3), { train: 0.98, dev: 0.01, test: 0.01 });
    expect([tiny.train.size, tiny.dev.size, tiny.test.size]).toEqual([1, 1, 1]);
    for (const [train, dev, test] of [
      [0.01, 0.01, 0.98],
      [0.01, 0.98, 0.01],
    ]) {
      const few = split(take(set, 10), { train, dev, test });
      expect([few.train.size, few.dev.size, few.test.size]).toEqual([1, dev < test ? 1 : 8, dev < test ? 8 : 1]);
    }
  });

  test('stratified, every part has the classes in proportion, mixed', () => {
    for (const seed of [0, 1, 2]) {
      const parts = split(set, { train: 0.7, dev: 0.2, test: 0.1, seed, stratify: true });
      expect([ones(parts.train), ones(parts.dev), ones(parts.test)]).toEqual([14, 4, 2]);
      expect(ascending([...ids(parts.train), ...ids(parts.dev), ...ids(parts.test)])).toEqual(all);
      expect(ids(parts.train)).not.toEqual(ascending(ids(parts.train)));
    }
  });

  test('refuses fractions that make no sense', async () => {
    await expectRefusal(() => split(set, {}), 'argument', /split of "toy": expected fractions such as/);
    await expectRefusal(
      () => split(set, { train: 0.8, test: 0.3 }),
      'argument',
      /train 0.8 \+ test 0.3 is 1.1; expected at most 1/,
    );
    await expectRefusal(() => split(set, { train: Number.NaN }), 'argument', /train must be above 0 .* found NaN/);
    await expectRefusal(() => split(set, { train: 0.5, test: 0 }), 'argument', /test must be above 0/);
    const misspelt = { train: 0.5, tset: 0.5 };
    await expectRefusal(() => split(set, misspelt), 'argument', /unknown option "tset"; did you mean "test"/);
    await expectRefusal(() => split(take(set, 1), { train: 0.5, test: 0.5 }), 'data', /1 examples for 2 parts/);
    const values = arrayDataset({ name: 'r', x: Float32Array.of(1, 2), xShape: [1], y: Float32Array.of(0.5, 1) });
    await expectRefusal(
      () => split(values, { train: 0.5, test: 0.5, stratify: true }),
      'data',
      /stratify takes class ids as targets, found target 0.5 of example 0/,
    );
    await expectRefusal(() => split(set, { train: 0.5, seed: 0.5 }), 'argument', /seed/);
  });

  test('0.7 + 0.2 + 0.1 is 1', () => {
    const { train, dev, test } = splitIndices(10, { train: 0.7, dev: 0.2, test: 0.1 });
    expect([train.length, dev.length, test.length]).toEqual([7, 2, 1]);
  });
});

describe('kFold', () => {
  test.each([false, true])('holds every example out once, stratify %s', (stratify) => {
    const folds = kFold(set, 3, 1, { stratify });
    expect(folds.map(({ test }) => test.size)).toEqual([33, 34, 33]);
    expect(ascending(folds.flatMap(({ test }) => ids(test)))).toEqual(all);
    for (const { train, test } of folds) expect(ascending([...ids(train), ...ids(test)])).toEqual(all);
    if (stratify) for (const { test } of folds) expect(Math.abs(ones(test) - 20 / 3)).toBeLessThan(1);
  });

  test.each([1, 101, 2.5])('refuses k = %s', async (k) => {
    await expectRefusal(() => kFold(set, k), 'argument', /k must be a whole number from 2 to 100 examples/);
  });
});

describe('rows', () => {
  test('skip and take part a set', () => {
    expect(concatenate([take(set, 7), skip(set, 7)])).toEqual(set);
    expect(skip(set, 0)).toEqual(set);
  });

  test('skip refuses to leave nothing', async () => {
    await expectRefusal(() => skip(set, 100), 'argument', /from 0 to 99, found 100/);
  });

  test('concatenate refuses sets that differ', async () => {
    const bytes = { ...set, name: 'bytes', x: new Uint8Array(200) };
    await expectRefusal(() => concatenate([set, bytes]), 'data', /"bytes" has x Uint8Array .*"toy" has x Float32Array/);
    await expectRefusal(() => concatenate([]), 'argument', /at least one/);
  });

  test('mapExamples changes each example, and may change its shape', async () => {
    const sums = mapExamples(set, ([a, b], k) => [a! + b! + k], [1]);
    expect([...sums.x.subarray(0, 3), sums.xShape[0]]).toEqual([0, 3, 6, 1]);
    await expectRefusal(() => mapExamples(set, () => [1]), 'shape', /1 values for example 0; expected 2/);
  });

  test('oneHotTargets', async () => {
    const hot = oneHotTargets(skip(set, 79));
    expect([...hot.y.subarray(0, 4), hot.yShape[0]]).toEqual([1, 0, 0, 1, 2]);
    expect(hot.classNames).toBeUndefined();
    await expectRefusal(() => oneHotTargets(set, 1), 'data', /label 1 of example 80 is out of range/);
  });

  test('batches in order and shuffled', async () => {
    expect([...batches(set, 30)].map(({ size }) => size)).toEqual([30, 30, 30, 10]);
    expect([...batches(set, 30, { dropRemainder: true })]).toHaveLength(3);
    expect([...batches(set, 30)].flatMap(ids)).toEqual(all);
    const shuffled = [...batches(set, 30, { seed: 2 })].flatMap(ids);
    expect(shuffled).not.toEqual(all);
    expect(ascending(shuffled)).toEqual(all);
    await expectRefusal(() => [...batches(set, 0)], 'argument', /whole number of at least 1, found 0/);
  });

  test('a scaler has the statistics of the training set only', async () => {
    const x = Float32Array.of(1, 10, 3, 10, 5, 10);
    const train = arrayDataset({ name: 't', x, xShape: [2], y: new Int32Array(3) });
    const test = { ...train, x: Float32Array.of(7, 11, 3, 9, 1, 10) };
    const standard = fitScaler(train);
    expect([...standard.offset]).toEqual([3, 10]);
    expect([...standard.scale]).toEqual([Math.sqrt(8 / 3), 1]);
    expect(standard.apply(test).x[0]).toBeCloseTo(4 / Math.sqrt(8 / 3), 6);
    expect(standard.apply(test).x[1]).toBe(1);
    expect([...fitScaler(train, 'minMax').apply(test).x]).toEqual([1.5, 1, 0.5, -1, 0, 0]);
    await expectRefusal(() => standard.apply({ ...train, xShape: [3] }), 'shape', /\[3\]; expected 2 features/);
  });
});
