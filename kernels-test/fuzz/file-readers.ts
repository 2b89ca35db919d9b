/** Every reader of files, with good files for it to be mutated; each reads from the disk, as a user's program does. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadDataset } from '../../src/cli/load-data.ts';
import type { Output } from '../../src/cli/output.ts';
import { readTrainConfig } from '../../src/cli/train-config.ts';
import type { Tile } from '../../src/compile/tile.ts';
import { partTable, readCsvFile, readNpyFile, readNpzFile } from '../../src/data/formats/csv.node.ts';
import { writeNpy } from '../../src/data/formats/npy.ts';
import { npyDataset, writeNpz } from '../../src/data/formats/npz.ts';
import { crc32 } from '../../src/data/formats/zip.ts';
import { imageFolder } from '../../src/data/image-folder.node.ts';
import { loadCifar10 } from '../../src/data/sets/cifar.node.ts';
import { mnistFromFolder } from '../../src/data/sets/mnist.node.ts';
import { createCpuBackend, layers, loadModel, metrics, saveModel, sequential, setBackend } from '../../src/node.ts';
import { readSafetensors, writeSafetensors } from '../../src/train/weights/safetensors.ts';
import { findStoredTuning, tuningPath } from '../../src/tune/store.node.ts';
import { exportTuning, makeTuning } from '../../src/tune/tuning.ts';
import { tinyMnist } from '../data/idx-bytes.ts';

export interface FileReader {
  readonly name: string;
  /** Good files. */
  readonly seeds: readonly Uint8Array[];
  /** Reads a file of these bytes. */
  read(bytes: Uint8Array): Promise<unknown>;
  /** Makes a mutated file whole again where a checksum would hide what was mutated; half of the files go this way. */
  mend?(bytes: Uint8Array): Uint8Array;
  /** True for a reader that must take anything: what is wrong is part of what it returns. */
  readonly neverRefuses?: boolean;
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
/** A copy: a Buffer's `slice` shares its bytes, and mutations would pile up. */
const plain = (buffer: Buffer): Uint8Array => new Uint8Array(buffer);
const golden = async (name: string) =>
  JSON.parse(await readFile(new URL(`../golden/${name}`, import.meta.url), 'utf8'));

/** All of them, and their folder's end. */
export async function fileReaders(): Promise<{ readers: FileReader[]; dispose(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'downhill-mutated-'));
  const put = async (path: string, bytes: Uint8Array): Promise<string> => {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    return file;
  };
  const readers = [
    ...(await arrayReaders(put)),
    ...(await tableReaders(put)),
    ...(await imageReaders(put)),
    ...(await modelReaders(put, folder)),
  ];
  return { readers, dispose: () => rm(folder, { recursive: true, force: true }) };
}

type Put = (path: string, bytes: Uint8Array) => Promise<string>;

async function arrayReaders(put: Put): Promise<FileReader[]> {
  const tiny = tinyMnist();
  const files = { 'train-labels-idx1-ubyte': tiny.trainLabels, 't10k-images-idx3-ubyte': tiny.testImages };
  const mnist = (suffix: string) => async (bytes: Uint8Array) => {
    for (const [name, content] of Object.entries(files)) await put(`mnist${suffix}/${name}`, content);
    await put(`mnist${suffix}/t10k-labels-idx1-ubyte`, tiny.testLabels);
    return mnistFromFolder(dirname(await put(`mnist${suffix}/train-images-idx3-ubyte${suffix}`, bytes)));
  };
  const cifar = new Uint8Array(2 * 3073).map((_, k) => (k % 3073 === 0 ? 3 : k));
  const readCifar = async (bytes: Uint8Array) => {
    await put('cifar/test_batch.bin', cifar);
    return loadCifar10(dirname(await put('cifar/data_batch_1.bin', bytes)));
  };
  const npy: Uint8Array[] = (await golden('npy.json')).cases.map(({ file }: { file: string }) =>
    plain(Buffer.from(file, 'base64')),
  );
  const x = { shape: [6, 2], values: Float64Array.from({ length: 12 }, (_, k) => k / 3) };
  const y = { shape: [6], values: BigInt64Array.of(0n, 1n, 2n, 0n, 1n, 2n) };
  const archives = [await writeNpz({ x, y }), await writeNpz({ x, y }, { compress: false })];
  const output = {} as Output;
  return [
    { name: 'IDX', seeds: [tiny.trainImages], read: mnist('') },
    { name: 'gzip IDX', seeds: [plain(gzipSync(tiny.trainImages))], read: mnist('.gz') },
    { name: 'IDX in gzip', seeds: [tiny.trainImages], mend: (bytes) => gzipSync(bytes), read: mnist('.gz') },
    { name: 'CIFAR', seeds: [cifar], mend: (bytes) => gzipSync(bytes), read: readCifar },
    { name: 'NPY', seeds: [...npy, writeNpy(x)], read: async (bytes) => readNpyFile(await put('a.npy', bytes)) },
    {
      name: 'NPZ',
      seeds: archives,
      read: async (bytes) => {
        const arrays = await readNpzFile(await put('a.npz', bytes));
        return [...arrays.values()].map((array) => npyDataset(array, array));
      },
    },
    {
      name: 'npz of the command line',
      seeds: [writeNpy(y), writeNpy({ shape: [6, 1], values: Int32Array.of(0, 1, 2, 3, 1, 0) })],
      // The targets are mutated within a whole archive.
      read: async (bytes) => {
        const archive = await zipOf({ 'x.npy': writeNpy(x), 'y.npy': bytes });
        return loadDataset({ dataset: 'npz', data: await put('b.npz', archive) }, output);
      },
    },
  ];
}

async function zipOf(entries: Readonly<Record<string, Uint8Array>>): Promise<Uint8Array> {
  const { writeZip } = await import('../../src/data/formats/zip.ts');
  return writeZip(new Map(Object.entries(entries)), false);
}

async function tableReaders(put: Put): Promise<FileReader[]> {
  const rows = Array.from(
    { length: 12 },
    (_, k) => `${k},${k % 4 ? k * 1.5 : ''},"a ""${k % 3}""",${k % 2 ? 'yes' : 'no'}`,
  );
  const csv = text(`n,gap,word,answer\n${rows.join('\r\n')}\n`);
  const table = async (bytes: Uint8Array) => readCsvFile(await put('t.csv', bytes));
  return [
    { name: 'CSV', seeds: [csv, plain(gzipSync(csv))], mend: (bytes) => gzipSync(bytes), read: table },
    {
      name: 'tabular',
      seeds: [csv],
      read: async (bytes) => {
        const read = await table(bytes);
        const target = read.columns.at(-1)!.name;
        return partTable(read, 'csv', { target, missing: 'median' });
      },
    },
  ];
}

async function imageReaders(put: Put): Promise<FileReader[]> {
  const { images, orientations } = await golden('image-kinds.json');
  const files: { name: string; bytes: Uint8Array }[] = [...images, ...orientations].map(({ name, file }) => ({
    name,
    bytes: plain(Buffer.from(file, 'base64')),
  }));
  const of = (kind: string) => files.filter(({ name }) => name.endsWith(kind)).map(({ bytes }) => bytes);
  const read = async (bytes: Uint8Array) =>
    imageFolder(dirname(dirname(await put('images/class/a.png', bytes))), { size: [8, 8] });
  return [
    { name: 'PNG', seeds: of('.png'), mend: mendPng, read },
    { name: 'JPEG', seeds: of('.jpg'), read },
  ];
}

/** A PNG with the checksums that its parts should have. */
function mendPng(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  for (let at = 8; at + 12 <= out.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > out.length) break;
    view.setUint32(end, crc32(out.subarray(at + 4, end)));
    at = end + 4;
  }
  return out;
}

async function modelReaders(put: Put, folder: string): Promise<FileReader[]> {
  const backend = createCpuBackend();
  setBackend(backend);
  const saved = join(folder, 'saved');
  const inner = sequential([layers.dense({ units: 3, activation: 'relu' })], { inputShape: [4], name: 'inner' });
  const model = sequential([inner.asLayer(), layers.dropout({ rate: 0.5 }), layers.dense({ units: 2 })], {
    inputShape: [4],
  });
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError', metrics: [metrics.meanAbsoluteError()] });
  await saveModel(model, saved, { optimizer: true });
  const [json, weights] = await Promise.all(
    ['model.json', 'weights.safetensors'].map(async (name) => plain(await readFile(join(saved, name)))),
  );
  const load = async (changed: string, bytes: Uint8Array) => {
    await put('loaded/model.json', changed === 'model.json' ? bytes : json!);
    await put('loaded/weights.safetensors', changed === 'model.json' ? weights! : bytes);
    const loaded = await loadModel(join(folder, 'loaded'));
    loaded.dispose();
    return loaded;
  };
  const tensors = [
    ['a', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ['b', { shape: [], data: Int32Array.of(7) }],
  ] as const;
  const all = plain(await readFile(new URL('../golden/all-dtypes.safetensors', import.meta.url)));
  const config = {
    model: { name: 'small', layers: [{ className: 'Dense', config: { units: 3 } }] },
    dataset: 'digits',
    optimizer: { name: 'sgd', config: { learningRate: 0.1, momentum: 0.9 } },
    schedule: { name: 'exponentialDecay', config: { initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.9 } },
    loss: { name: 'categoricalCrossentropy', config: { labelSmoothing: 0.1 } },
    metrics: ['accuracy'],
    callbacks: [{ name: 'earlyStopping', config: { monitor: 'valLoss', patience: 2 } }],
    classWeight: { 0: 1, 1: 5 },
    epochs: 2,
    seed: 1,
  };
  const block = { rowsPerInvocation: 2, columnsPerInvocation: 2, invocationsM: 8, invocationsN: 8, chunks: 1 };
  const tile: Tile = { ...block, variant: 'staged', depth: 8 };
  const entries = { '1x64x64x64x1:0123abcd': { tile, ms: 1, defaultMs: 2, label: 'matmul' } };
  const tuning = makeTuning(backend, entries);
  const cache = join(folder, 'cache');
  await mkdir(dirname(tuningPath(tuning, cache)), { recursive: true });
  return [
    { name: 'model.json', seeds: [json!], read: (bytes) => load('model.json', bytes) },
    { name: 'weights', seeds: [weights!], read: (bytes) => load('weights', bytes) },
    {
      name: 'safetensors',
      seeds: [writeSafetensors(tensors), all],
      read: async (bytes) => readSafetensors(bytes, 'x'),
    },
    {
      name: 'config',
      seeds: [text(JSON.stringify(config)), text(JSON.stringify(config, null, 1))],
      read: async (bytes) => readTrainConfig(await put('config.json', bytes)),
    },
    {
      name: 'tuning cache',
      seeds: [text(exportTuning(tuning))],
      neverRefuses: true,
      read: async (bytes) => {
        await writeFile(tuningPath(tuning, cache), bytes);
        return findStoredTuning(backend, cache);
      },
    },
  ];
}
