/**
 * What `--dataset NAME --data PATH --target COLUMN` loads: task, classes and sizes of each kind, and what is refused.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DatasetChoice, loadDataset } from '../../src/cli/load-data.ts';
import type { Output } from '../../src/cli/output.ts';
import { writeNpz } from '../../src/data/formats/npz.ts';
import { expectRefusal } from '../data/refusal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'downhill-datasets-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Nothing here reports progress: only downloads do. */
const output = {} as Output;
const load = (dataset: string, data?: string, target?: string, task?: string) =>
  loadDataset({ dataset, data, target, task } as DatasetChoice, output);
async function put(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

test.each(['spiral', 'circles', 'xor', 'gaussians', 'moons', 'plane', 'gaussian-field'])(
  '%s is drawn',
  async (name) => {
    const { train, test: heldOut, task } = await load(name);
    expect([train.size, heldOut.size]).toEqual([800, 200]);
    expect(task).toBe(name === 'plane' || name === 'gaussian-field' ? 'regression' : 'classification');
    await expectRefusal(() => load(name, folder), 'argument', /is drawn, not read; --data goes with mnist/);
  },
);

describe('csv', () => {
  const rows = Array.from(
    { length: 100 },
    (_, k) => `${k},${k % 3 ? k : ''},${k % 2 ? 'odd' : 'even'},${k % 2},${k / 8}`,
  );
  const csv = () => put('t.csv', `n,gap,text,id,value\n${rows.join('\n')}\n`);

  test.each([
    ['text', 'classification', ['even', 'odd']],
    ['id', 'classification', ['0', '1']],
    ['value', 'regression', undefined],
  ] as const)('target %s means %s', async (target, task, classNames) => {
    const loaded = await load('csv', await csv(), target);
    expect(loaded).toMatchObject({ task, train: { size: 80, name: 'csv/train' }, test: { size: 20 } });
    expect(loaded.classNames).toEqual(classNames);
  });

  test('refuses what is missing, by name', async () => {
    const path = await csv();
    await expectRefusal(() => load('csv'), 'argument', '--dataset csv is read: give --data FILE.csv');
    await expectRefusal(() => load('csv', path), 'argument', 'give --target COLUMN, one of n, gap, text, id, value');
    await expectRefusal(() => load('csv', path, 'vlaue'), 'argument', /"vlaue"; did you mean "value"/);
    await expectRefusal(() => load('csv', join(folder, 'no.csv'), 'n'), 'file', /no\.csv: no such file/);
    await expectRefusal(() => load('csv', folder, 'n'), 'file', /it is a folder/);
    await expectRefusal(() => load('iris', folder, 'n'), 'argument', /iris has its own target/);
    await expectRefusal(() => load('iris', folder), 'file', /iris\.csv: no such file/);
    const binary = await put('b.csv', Uint8Array.of(0x61, 0xff, 0xfe));
    await expectRefusal(() => load('csv', binary, 'n'), 'file', /b\.csv: found bytes that are not UTF-8/);
  });
});

describe('npz', () => {
  const x = { shape: [20, 2], values: Float32Array.from({ length: 40 }, (_, k) => k) };
  const ids = { shape: [20], values: BigInt64Array.from({ length: 20 }, (_, k) => BigInt(k % 4)) };

  test('takes x and y, or the four arrays of Keras', async () => {
    const both = await load('npz', await put('xy.npz', await writeNpz({ x, y: ids })));
    expect(both).toMatchObject({ task: 'classification', classNames: ['0', '1', '2', '3'], train: { size: 16 } });
    const four = { x_train: x, y_train: ids, x_test: x, y_test: ids };
    const keras = await load('npz', await put('keras.npz', await writeNpz(four)));
    expect(keras).toMatchObject({ task: 'classification', train: { size: 20 }, test: { size: 20 } });
    const y = { shape: [20], values: Float64Array.from({ length: 20 }, (_, k) => k / 3) };
    expect((await load('npz', await put('values.npz', await writeNpz({ x, y })))).task).toBe('regression');
  });

  describe('whole numbers', () => {
    const rows = 1000;
    const of = async (name: string, id: (k: number) => number, shape = [rows]) => {
      const xs = { shape: [rows, 1], values: Float32Array.from({ length: rows }, (_, k) => k) };
      return put(
        `${name}.npz`,
        await writeNpz({ x: xs, y: { shape, values: Int32Array.from({ length: rows }, (_, k) => id(k)) } }),
      );
    };

    test.each([
      [
        'prices',
        (k: number) => 200_000 + 300 * k,
        /prices\.npz: y: 1000 targets have 1000 values from 200000 to 499700;/,
      ],
      [
        'timestamps',
        (k: number) => 1_000_000_000 + k,
        /1000 values from 1000000000 to 1000000999; class ids are 0 to k/,
      ],
      ['differences', (k: number) => (k % 5) - 2, /5 values from -2 to 2; class ids are 0 to k − 1/],
      ['counts', (k: number) => 13 * (k % 40), /40 values from 0 to 507, which may be either/],
    ])('%s are not classes, and the error says which option to give', async (name, id, message) => {
      const path = await of(name, id);
      await expectRefusal(() => load('npz', path), 'data', message, /--task regression/);
      if (name === 'timestamps') {
        // As numbers they would be rounded to multiples of 64.
        const refused =
          /value 1 of y is 1000000001, which f32 rounds to 1000000000; subtract a common offset or divide/;
        await expectRefusal(() => load('npz', path, undefined, 'regression'), 'data', refused);
        return;
      }
      const loaded = await load('npz', path, undefined, 'regression');
      expect(loaded).toMatchObject({ task: 'regression', train: { size: 800 } });
      expect(loaded.classNames).toBeUndefined();
      const values = new Set(Array.from({ length: rows }, (_, k) => Math.fround(id(k))));
      expect(loaded.train.y.every((value) => values.has(value))).toBe(true);
    });

    test('ids of many classes are classes, and of sparse ones when that is said', async () => {
      expect((await load('npz', await of('hundred', (k) => k % 100))).classNames).toHaveLength(100);
      const sparse = await of('sparse', (k) => 13 * (k % 40));
      expect((await load('npz', sparse, undefined, 'classification')).classNames).toHaveLength(508);
      const many = await of('many', (k) => 70_000 + (k % 2));
      await expectRefusal(() => load('npz', many, undefined, 'classification'), 'data', /at most 65536$/);
    });

    test('a column of ids, as Keras has of CIFAR, is one of ids', async () => {
      const loaded = await load('npz', await of('column', (k) => k % 10, [rows, 1]));
      expect(loaded).toMatchObject({ task: 'classification', train: { yShape: [] } });
      expect(loaded.classNames).toHaveLength(10);
    });

    test('--task goes with csv and npz, and classes need whole numbers', async () => {
      await expectRefusal(() => load('digits', undefined, undefined, 'regression'), 'argument', /digits has its own/);
      const y = { shape: [20], values: Float64Array.from({ length: 20 }, (_, k) => k / 3) };
      const path = await put('floats.npz', await writeNpz({ x, y }));
      await expectRefusal(
        () => load('npz', path, undefined, 'classification'),
        'argument',
        /y is f64 \[20\]; expected one whole number per example/,
      );
      const csv = await put('task.csv', `a,b\n${Array.from({ length: 50 }, (_, k) => `${k},${k % 3}`).join('\n')}\n`);
      expect((await load('csv', csv, 'b')).task).toBe('classification');
      expect((await load('csv', csv, 'b', 'regression')).task).toBe('regression');
    });
  });

  test('refuses missing arrays by name', async () => {
    const path = await put('odd.npz', await writeNpz({ x, labels: ids }));
    await expectRefusal(() => load('npz', path), 'argument', /unknown array of .*odd\.npz: "y".* Known: x, labels/);
  });
});

test('images come from class folders, or from train and test', async () => {
  const golden = JSON.parse(readFileSync(new URL('../golden/images.json', import.meta.url), 'utf8'));
  const image = async (...path: string[]) => {
    await mkdir(join(folder, ...path), { recursive: true });
    for (let k = 0; k < 5; k++) await writeFile(join(folder, ...path, `${k}.png`), Buffer.from(golden.png, 'base64'));
  };
  for (const name of ['cat', 'dog']) await image('flat', name);
  const flat = await load('images', join(folder, 'flat'));
  expect(flat).toMatchObject({
    classNames: ['cat', 'dog'],
    train: { size: 8, xShape: [32, 32, 3] },
    test: { size: 2 },
  });
  for (const part of ['train', 'test']) await image('parts', part, 'cat');
  expect(await load('images', join(folder, 'parts'))).toMatchObject({ train: { size: 5 }, test: { size: 5 } });
  await image('parts', 'test', 'dog');
  await expectRefusal(
    () => load('images', join(folder, 'parts')),
    'data',
    /has classes cat; .* has cat, dog; expected/,
  );
});

const datasets = resolve(process.env.DOWNHILL_DATASETS ?? '../shared/datasets');

describe.runIf(existsSync(datasets) || process.env.CI)(`the tables of ${datasets}`, () => {
  test.each([
    ['iris', 'tabular', [120, 30], 4, ['setosa', 'versicolor', 'virginica']],
    ['breast-cancer', 'tabular', [455, 114], 30, ['malignant', 'benign']],
    ['diabetes', 'tabular', [354, 88], 10, undefined],
    ['boston', 'tabular/boston.csv', [405, 101], 13, undefined],
    ['housing', 'housing', [16_512, 4128], 13, undefined],
  ] as const)('%s', async (name, path, sizes, features, classNames) => {
    const loaded = await load(name, join(datasets, path));
    expect([loaded.train.size, loaded.test.size]).toEqual(sizes);
    expect(loaded.train).toMatchObject({ name: `${name}/train`, xShape: [features] });
    expect(loaded.classNames).toEqual(classNames);
    const finite = (values: ArrayLike<number>) => Array.from(values).every(Number.isFinite);
    expect(finite(loaded.train.x) && finite(loaded.test.x) && finite(loaded.test.y)).toBe(true);
  });
});
