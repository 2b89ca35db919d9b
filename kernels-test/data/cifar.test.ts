/**
 * CIFAR-10 from bytes and from folders: planes become pixels; truncated files, wrong labels and missing files are
 * named.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadCifar10 } from '../../src/data/sets/cifar.node.ts';
import { cifar10FromBytes } from '../../src/data/sets/cifar.ts';
import { expectRefusal } from './refusal.ts';

/** A record whose planes hold pixel % 64, 64 + pixel % 64 and 128 + pixel % 64. */
function record(label: number): Uint8Array {
  return Uint8Array.from({ length: 3073 }, (_, k) =>
    k === 0 ? label : 64 * Math.floor((k - 1) / 1024) + ((k - 1) % 64),
  );
}
const file = (...labels: number[]) => new Uint8Array(Buffer.concat(labels.map(record)));

describe('cifar10FromBytes', () => {
  test('reads records of several files, plain or gzip, as interleaved pixels', async () => {
    const set = await cifar10FromBytes([
      { name: 'a', bytes: file(3, 9) },
      { name: 'b', bytes: new Uint8Array(gzipSync(file(0))) },
    ]);
    expect(set).toMatchObject({ size: 3, xShape: [32, 32, 3], y: Uint8Array.of(3, 9, 0) });
    expect([...set.x.subarray(0, 6)]).toEqual([0, 64, 128, 1, 65, 129]);
    expect([...set.x.subarray(-3)]).toEqual([63, 127, 191]);
    expect(set.classNames![9]).toBe('truck');
  });

  test.each([
    [
      'a truncated file',
      file(1, 2).subarray(0, -10),
      'file',
      /b\.bin: found 6136 bytes, 3063 of record 1; expected whole records/,
    ],
    ['an empty file', new Uint8Array(0), 'file', /b\.bin: found no bytes/],
    ['a label out of range', file(1, 10), 'data', /b\.bin: label 10 of record 1 is out of range; expected 0 to 9/],
    ['truncated gzip', new Uint8Array(gzipSync(file(1))).subarray(0, -9), 'file', /b\.bin: truncated or corrupt gzip/],
  ] as const)('refuses %s', async (_, bytes, code, message) => {
    await expectRefusal(
      () =>
        cifar10FromBytes([
          { name: 'a.bin', bytes: file(1) },
          { name: 'b.bin', bytes },
        ]),
      code,
      message,
    );
  });

  test('refuses no file', () => expectRefusal(() => cifar10FromBytes([]), 'argument', /at least one file/));
});

describe('loadCifar10', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'downhill-cifar-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const put = (name: string, content: Uint8Array | string) => writeFile(join(folder, name), content);

  test('reads the official layout in order', async () => {
    for (let k = 5; k >= 1; k--) await put(`data_batch_${k}.bin`, file(k));
    await put('test_batch.bin', file(7, 8));
    await put('batches.meta.txt', 'a\nb\nc\nd\ne\nf\ng\nh\ni\n\n');
    const { train, test } = await loadCifar10(folder);
    expect([...train.y]).toEqual([1, 2, 3, 4, 5]);
    expect([...test.y]).toEqual([7, 8]);
    expect(train.classNames).toHaveLength(9);
  });

  test('names missing files, folders and class names', async () => {
    await expectRefusal(
      () => loadCifar10(join(folder, 'no')),
      'file',
      /cannot read folder .*no: no such file or folder/,
    );
    await put('train_10k.bin.gz', gzipSync(file(1)));
    await expectRefusal(() => loadCifar10(folder), 'file', /lacks test files; expected data_batch_1.bin/);
    await put('test_2k.bin', file(1));
    expect((await loadCifar10(folder)).train.size).toBe(1);
    await put('batches.meta.txt', '\n');
    await expectRefusal(() => loadCifar10(folder), 'file', /batches\.meta\.txt: no class name/);
  });
});

const shared = join(resolve(process.env.DOWNHILL_DATASETS ?? '../shared/datasets'), 'cifar10-subset');

describe.runIf(existsSync(shared) || process.env.CI)('the subset of the shared folder', () => {
  test('has 10,000 and 2,000 images, balanced', async () => {
    const { train, test } = await loadCifar10(shared);
    expect([train.size, test.size]).toEqual([10_000, 2000]);
    const counts = (y: ArrayLike<number>) =>
      Array.from(y).reduce((all, id) => all.with(id, all[id] + 1), Array(10).fill(0));
    expect(counts(train.y)).toEqual(Array(10).fill(1000));
    expect(counts(test.y)).toEqual(Array(10).fill(200));
    // Means of natural images: a mix-up of planes would not show here, an offset by a byte would.
    let sum = 0;
    for (const value of test.x) sum += value;
    const mean = sum / test.x.length;
    expect(mean).toBeGreaterThan(110);
    expect(mean).toBeLessThan(130);
  });
});
