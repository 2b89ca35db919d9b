/** MNIST from bytes, from folders and by download: counts, sizes, names, and what each bad input is told. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadMnist } from '../../src/data/sets/mnist.node.ts';
import { MNIST_FILES, MNIST_PARTS, type MnistName, mnistFromBytes } from '../../src/data/sets/mnist.ts';
import { idxBytes, tinyMnist } from './idx-bytes.ts';
import { expectRefusal } from './refusal.ts';
import { startServer } from './server.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'downhill-mnist-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('mnistFromBytes', () => {
  test('builds both splits', async () => {
    const { train, test } = await mnistFromBytes(tinyMnist());
    expect(train).toMatchObject({ name: 'mnist/train', size: 3, xShape: [2, 2, 1], yShape: [] });
    expect([...train.y, ...test.y]).toEqual([9, 0, 5, 1, 2]);
    expect(test.x[0]).toBe(20);
    expect(test.classNames).toHaveLength(10);
  });

  test('names the classes of Fashion-MNIST', async () => {
    const { train } = await mnistFromBytes(tinyMnist(), 'fashion-mnist');
    expect(train.classNames![9]).toBe('Ankle boot');
  });

  const tiny = tinyMnist();
  test.each([
    [
      'different counts',
      { trainLabels: idxBytes(8, [2], [1, 2]) },
      'data',
      /images-idx3-ubyte holds 3 images, .* 2 labels/,
    ],
    ['labels out of range', { testLabels: idxBytes(8, [2], [1, 10]) }, 'data', /label 10 of example 1 .* 0 to 9/],
    ['no image', { testImages: idxBytes(8, [0, 2, 2], []), testLabels: idxBytes(8, [0], []) }, 'data', /no image/],
    ['images of two sizes', { testImages: idxBytes(8, [2, 1, 4], tiny.testImages.subarray(16)) }, 'data', /one size/],
    ['swapped files', { trainImages: tiny.trainLabels }, 'file', /train-images.*: found u8 \[3\]; expected images/],
    [
      'another dtype',
      { trainLabels: idxBytes(9, [3], [1, 2, 3]) },
      'file',
      /found i8 \[3\]; expected labels \[n\] of u8/,
    ],
    [
      'a truncated file',
      { testLabels: tiny.testLabels.subarray(0, -1) },
      'file',
      /t10k-labels-idx1-ubyte: found 9 bytes/,
    ],
    ['a wrong magic number', { testLabels: Uint8Array.of(1, 2, 3, 4) }, 'file', /t10k-labels-idx1-ubyte: found magic/],
  ] as const)('refuses %s', async (_, change, code, message) => {
    await expectRefusal(() => mnistFromBytes({ ...tiny, ...change }), code, message);
  });
});

describe('loadMnist from a folder', () => {
  test('takes plain and gzip files, and names with a dot', async () => {
    const tiny = tinyMnist();
    await writeFile(join(folder, 'train-images-idx3-ubyte.gz'), gzipSync(tiny.trainImages));
    await writeFile(join(folder, 'train-labels-idx1-ubyte'), tiny.trainLabels);
    await writeFile(join(folder, 't10k-images.idx3-ubyte'), tiny.testImages);
    await writeFile(join(folder, 't10k-labels.idx1-ubyte.gz'), gzipSync(tiny.testLabels));
    expect(await loadMnist('mnist', { folder })).toEqual(await mnistFromBytes(tiny));
  });

  test('names a missing folder and the files it should have', async () => {
    const missing = join(folder, 'nowhere');
    const load = () => loadMnist('mnist', { folder: missing });
    await expectRefusal(
      load,
      'file',
      `cannot read folder ${missing}: no such file or folder`,
      /t10k-labels-idx1-ubyte/,
    );
  });

  test('names the files that a folder lacks', async () => {
    await writeFile(join(folder, 'train-images-idx3-ubyte'), '');
    const message = /lacks train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte; expected/;
    await expectRefusal(() => loadMnist('mnist', { folder }), 'file', folder, message);
  });

  test('names the path of a bad file', async () => {
    const tiny = tinyMnist();
    for (const part of MNIST_PARTS) await writeFile(join(folder, MNIST_FILES[part]), tiny[part]);
    const bad = join(folder, MNIST_FILES.testImages);
    await writeFile(bad, tiny.testImages.subarray(0, 17));
    await expectRefusal(() => loadMnist('mnist', { folder }), 'file', `${bad}: found 17 bytes`);
    await rm(bad);
    await mkdir(bad);
    await expectRefusal(() => loadMnist('mnist', { folder }), 'file', `cannot read data file ${bad}: it is a folder`);
  });

  test('refuses an unknown name', async () => {
    await expectRefusal(() => loadMnist('fashion-mnits' as MnistName), 'argument', /did you mean "fashion-mnist"/);
  });
});

describe('loadMnist by download', () => {
  test('refuses files with other content, and says what can be done', async () => {
    const server = await startServer({ 'train-images-idx3-ubyte.gz': (_, response) => response.end('no such set') });
    const load = () => loadMnist('mnist', { mirrors: [server.url], cache: undefined });
    await expectRefusal(load, 'network', /wrong checksum/, /--data DIR/, /t10k-images-idx3-ubyte/);
    await server.close();
  });
});

/** The official files, for development and CI: see README of the folder. CI must have them. */
const datasets = resolve(process.env.DOWNHILL_DATASETS ?? '../shared/datasets');

describe.runIf(existsSync(datasets) || process.env.CI)(`the official files in ${datasets}`, () => {
  test.each(['mnist', 'fashion-mnist'] as const)('%s loads from the folder', async (name) => {
    const { train, test } = await loadMnist(name, { folder: join(datasets, name) });
    expect([train.size, test.size, train.x.length]).toEqual([60_000, 10_000, 60_000 * 28 * 28]);
    const counts = new Array<number>(10).fill(0);
    for (const label of test.y) counts[label]!++;
    const balanced = new Array<number>(10).fill(1000);
    expect(counts).toEqual(name === 'mnist' ? [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009] : balanced);
  });

  test('mnist downloads once, then loads from the cache folder', async () => {
    const files = Object.values(MNIST_FILES).map((file) => `${file}.gz`);
    const listeners = files.map((file) => {
      const bytes = readFileSync(join(datasets, 'mnist', file));
      return [file, (_: unknown, response: { end(data: Uint8Array): void }) => response.end(bytes)] as const;
    });
    const server = await startServer(Object.fromEntries(listeners));
    const before = process.env.DOWNHILL_CACHE;
    process.env.DOWNHILL_CACHE = folder;
    try {
      const first = await loadMnist('mnist', { mirrors: [server.url] });
      const again = await loadMnist('mnist', { mirrors: [server.url] });
      expect(server.requests).toEqual(files);
      expect([first.train.size, again.test.size]).toEqual([60_000, 10_000]);
    } finally {
      if (before === undefined) delete process.env.DOWNHILL_CACHE;
      else process.env.DOWNHILL_CACHE = before;
      await server.close();
    }
  });
});
