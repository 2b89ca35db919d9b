/** Data sets as plain arrays: what is accepted, what is refused and how, and the helpers that make smaller ones. */
import { describe, expect, test } from 'vitest';
import { arrayDataset, checkClassIds, checkDataset, select, take } from '../../src/data/dataset.ts';
import { split } from '../../src/data/split.ts';
import { expectRefusal } from './refusal.ts';

const init = {
  name: 'toy',
  x: Float32Array.from({ length: 20 }, (_, i) => i),
  xShape: [2],
  y: Int32Array.from({ length: 10 }, (_, i) => i % 3),
  classNames: ['a', 'b', 'c'],
};

describe('arrayDataset', () => {
  test('counts its examples and defaults to a class id per example', () => {
    expect(arrayDataset(init)).toEqual({ ...init, yShape: [], size: 10 });
  });

  test('takes vector targets', () => {
    const set = arrayDataset({ name: 'r', x: new Uint8Array(12), xShape: [2, 3], y: new Float32Array(8), yShape: [4] });
    expect(set.size).toBe(2);
  });

  test('refuses an empty set', async () => {
    const empty = { ...init, x: new Float32Array(0), y: new Int32Array(0) };
    await expectRefusal(() => arrayDataset(empty), 'data', /data set "toy" is empty: expected at least one example/);
  });

  test('refuses counts that differ', async () => {
    const fewer = { ...init, y: new Int32Array(9) };
    await expectRefusal(() => arrayDataset(fewer), 'data', /"toy": 10 examples but 9 targets/);
  });

  test('refuses a shape that does not divide its values', async () => {
    await expectRefusal(() => arrayDataset({ ...init, xShape: [3] }), 'shape', /20 values in x .* \[3\] rows/);
    await expectRefusal(() => arrayDataset({ ...init, xShape: [0] }), 'shape', /xShape \[0\] has extent 0/);
    await expectRefusal(() => arrayDataset({ ...init, yShape: [1.5] }), 'shape', /yShape \[1.5\]/);
  });

  test('refuses labels out of range', async () => {
    const y = Int32Array.from(init.y);
    y[4] = 3;
    await expectRefusal(
      () => arrayDataset({ ...init, y }),
      'data',
      /label 3 of example 4 is out of range; expected 0 to 2/,
    );
    y[4] = -1;
    await expectRefusal(() => arrayDataset({ ...init, y }), 'data', /label -1 of example 4/);
  });

  test('refuses labels that are not whole numbers', async () => {
    const y = Float32Array.from(init.y);
    y[7] = 0.5;
    await expectRefusal(() => arrayDataset({ ...init, y }), 'data', /label 0.5 of example 7 is not a whole number/);
    y[7] = Number.NaN;
    await expectRefusal(() => arrayDataset({ ...init, y }), 'data', /label NaN of example 7 is not a whole number/);
  });

  test('refuses class names over vector targets', async () => {
    await expectRefusal(
      () => arrayDataset({ ...init, x: init.x, y: new Int32Array(20), yShape: [2] }),
      'data',
      /\[2\]/,
    );
  });
});

test('checkDataset sees a size that its arrays do not have', async () => {
  await expectRefusal(() => checkDataset({ ...arrayDataset(init), size: 11 }), 'data', /size says 11/);
});

test('checkClassIds takes the number of classes from the model', async () => {
  const set = arrayDataset({ ...init, classNames: undefined });
  checkClassIds(set, 3);
  await expectRefusal(() => checkClassIds(set, 2), 'data', /label 2 of example 2 .* 0 to 1 \(2 classes\)/);
});

describe('take', () => {
  const set = arrayDataset(init);

  test('views the first examples', () => {
    const first = take(set, 3);
    expect([...first.x, ...first.y, first.size]).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3]);
    expect(first.x.buffer).toBe(set.x.buffer);
  });

  test('gives all when asked for more', () => {
    expect(take(set, 11)).toBe(set);
  });

  test.each([0, -1, 1.5, Number.NaN])('refuses %s', async (n) => {
    await expectRefusal(() => take(set, n), 'argument', /take from "toy": expected a whole number of at least 1/);
  });
});

describe('select', () => {
  const set = arrayDataset(init);

  test('copies rows in the order asked for', () => {
    const picked = select(set, [4, 0, 4]);
    expect([...picked.x]).toEqual([8, 9, 0, 1, 8, 9]);
    expect([...picked.y]).toEqual([1, 0, 1]);
  });

  test('refuses what is not there', async () => {
    await expectRefusal(() => select(set, []), 'argument', /no index/);
    await expectRefusal(() => select(set, [0, 10]), 'argument', /index 10 at 1; expected 0 to 9/);
  });
});

describe('split', () => {
  const set = arrayDataset(init);

  test('parts the examples by seed, none lost and none twice', () => {
    const { train, test } = split(set, 0.3, 1);
    expect([train.size, test.size, train.name, test.name]).toEqual([7, 3, 'toy/train', 'toy/test']);
    const firsts = [...train.x, ...test.x].filter((value) => value % 2 === 0);
    expect(firsts.sort((a, b) => a - b)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    expect(split(set, 0.3, 1)).toEqual({ train, test });
    expect(split(set, 0.3, 2)).not.toEqual({ train, test });
  });

  test('leaves at least one example on each side', () => {
    expect(split(set, 0.001, 1).test.size).toBe(1);
    expect(split(set, 0.999, 1).train.size).toBe(1);
  });

  test('refuses fractions and seeds that make no sense', async () => {
    for (const fraction of [0, 1, -0.5, Number.NaN]) {
      await expectRefusal(() => split(set, fraction, 1), 'argument', /expected a test fraction between 0 and 1/);
    }
    await expectRefusal(() => split(set, 0.5, 0.5), 'argument', /seed/);
    await expectRefusal(() => split(take(set, 1), 0.5, 1), 'data', /at least 2 examples/);
  });
});
