/** What counts as data: every accepted form as a table, and the refusals. */
import { describe, expect, test } from 'vitest';
import { Tensor } from '../../src/core/tensor.ts';
import { arrayDataset } from '../../src/data/dataset.ts';
import { datasetTable, exampleTable, isDataset, tableRows, toTable } from '../../src/train/data/table.ts';
import { expectRefusal } from '../data/refusal.ts';

describe('toTable', () => {
  test('nested arrays become f32 with their shape', async () => {
    const table = await toTable('x', [
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(table).toEqual({ name: 'x', rows: 2, shape: [3], encoding: 'f32', data: Float32Array.of(1, 2, 3, 4, 5, 6) });
  });

  test('tensors, typed arrays and typed arrays with a shape keep their values', async () => {
    const values = Float32Array.of(1, 2, 3, 4);
    const tensor = Tensor.host({ shape: [2, 2], dtype: 'f32' }, values);
    expect(await toTable('x', tensor)).toMatchObject({ rows: 2, shape: [2], data: values });
    expect(await toTable('x', values)).toMatchObject({ rows: 4, shape: [], data: values });
    expect(await toTable('x', { data: values, shape: [1, 4] })).toMatchObject({ rows: 1, shape: [4], data: values });
    const bools = Tensor.host({ shape: [2], dtype: 'bool' }, Uint8Array.of(0, 1));
    expect(await toTable('y', bools)).toMatchObject({ encoding: 'f32', data: Float32Array.of(0, 1) });
  });

  test('bytes stay bytes, whole numbers become i32, wide floats f32', async () => {
    const encoding = async (data: Parameters<typeof toTable>[1]) => (await toTable('x', data)).encoding;
    expect(await encoding(new Uint8Array(2))).toBe('bytes');
    expect(await encoding(new Uint8ClampedArray(2))).toBe('bytes');
    expect(await encoding(new Int16Array(2))).toBe('i32');
    expect(await encoding(new Uint16Array(2))).toBe('i32');
    expect(await encoding(new Float64Array(2))).toBe('f32');
    expect(exampleTable(await toTable('x', new Int32Array([1, 2])))).toMatchObject({
      encoding: 'f32',
      data: Float32Array.of(1, 2),
    });
  });

  test('data sets give their two sides', async () => {
    const set = arrayDataset({ name: 'toy', x: new Uint8Array(12), xShape: [2, 2], y: Int32Array.of(0, 1, 2) });
    expect(isDataset(set)).toBe(true);
    expect(isDataset([1, 2])).toBe(false);
    expect(await datasetTable(set, 'x')).toMatchObject({
      name: 'x of "toy"',
      rows: 3,
      shape: [2, 2],
      encoding: 'bytes',
    });
    expect(await datasetTable(set, 'y')).toMatchObject({ rows: 3, shape: [], encoding: 'i32' });
  });

  test('rows are views', async () => {
    const table = await toTable('x', [
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const rows = tableRows(table, 1, 3);
    expect(rows).toMatchObject({ rows: 2, data: Float32Array.of(3, 4, 5, 6) });
    expect(rows.data.buffer).toBe(table.data.buffer);
  });

  test('refuses what is not data', async () => {
    await expectRefusal(() => toTable('x', undefined), 'argument', /x: expected a tensor.*found undefined/);
    await expectRefusal(() => toTable('x', 'abc'), 'argument', /found "abc"/);
    await expectRefusal(() => toTable('x', [[1], ['a']]), 'argument', /x\[1\]\[0\]: expected a number, found "a"/);
    await expectRefusal(() => toTable('x', new BigInt64Array(2)), 'argument', /x: expected a tensor/);
  });

  test('refuses empty, ragged and ill-shaped data', async () => {
    await expectRefusal(() => toTable('x', []), 'data', /x is empty, of shape \[0\]: expected at least one example/);
    await expectRefusal(() => toTable('x', new Float32Array(0)), 'data', /x is empty/);
    await expectRefusal(() => toTable('x', [[], []]), 'data', /examples of shape \[0\] are empty/);
    await expectRefusal(
      () => toTable('x', [[1, 2], [3]]),
      'shape',
      /x\[1\]: expected 2 entries as in the first row, found 1/,
    );
    await expectRefusal(() => toTable('x', [[1, 2], 3]), 'shape', /x\[1\]: expected 2 entries .* found 3/);
    await expectRefusal(
      () => toTable('x', { data: new Float32Array(5), shape: [2, 3] }),
      'shape',
      /found 5 values; shape \[2,3\] takes 6/,
    );
    await expectRefusal(() => toTable('x', { data: new Float32Array(1), shape: [] }), 'shape', /found a single number/);
  });
});
