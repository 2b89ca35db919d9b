/**
 * The data sets of the command line: those that downhill draws itself (digits, points in the plane), and those that are
 * read from a file or folder, or downloaded (MNIST's kind). What is split or learnt here is the same for every command,
 * whatever its --seed, so that `evaluate` scores on the examples that `train` held out.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ArrayDataset, type TrainTest, take } from '../data/dataset.ts';
import {
  loadTable,
  partTable,
  readCsvFile,
  readNpzFile,
  TABLES,
  type TableName,
  taskOf,
} from '../data/formats/csv.node.ts';
import { columnOf } from '../data/formats/csv.ts';
import type { NpyArray } from '../data/formats/npy.ts';
import { arrayOf, npyDataset } from '../data/formats/npz.ts';
import { imageFolder } from '../data/image-folder.node.ts';
import { loadCifar10 } from '../data/sets/cifar.node.ts';
import { digits } from '../data/sets/digits.ts';
import type { DownloadProgress } from '../data/sets/download.ts';
import { loadMnist } from '../data/sets/mnist.node.ts';
import { playground } from '../data/sets/playground.ts';
import { split } from '../data/split.ts';
import type { TableTask } from '../data/tabular.ts';
import { DownhillError } from '../util/errors.ts';
import { shortened } from '../util/show.ts';
import { formatBytes } from '../util/text.ts';
import { choice, text } from './options.ts';
import type { Output } from './output.ts';

/** Drawn points by their name on the command line. */
const POINTS = {
  spiral: playground.spiral,
  circles: playground.circles,
  xor: playground.xor,
  gaussians: playground.gaussians,
  moons: playground.moons,
  plane: playground.plane,
  'gaussian-field': playground.gaussianField,
} as const;

const DRAWN = ['digits', ...(Object.keys(POINTS) as (keyof typeof POINTS)[])] as const;
const DOWNLOADED = ['mnist', 'fashion-mnist'] as const;
const READ = ['cifar10', ...(Object.keys(TABLES) as TableName[]), 'csv', 'npz', 'images'] as const;

export const DATASETS = ['digits', ...DOWNLOADED, ...READ, ...DRAWN.slice(1)] as DatasetName[];

export type DatasetName = (typeof DRAWN)[number] | (typeof DOWNLOADED)[number] | (typeof READ)[number];

/** What may be learnt. */
export const TASKS = ['classification', 'regression'] as const satisfies readonly TableTask[];

/** The options that commands with a data set share. */
export const DATASET_OPTIONS = {
  dataset: choice({
    names: DATASETS,
    fallback: 'digits' as const,
    doc: `downhill draws ${DRAWN.slice(0, -1).join(', ')} and ${DRAWN.at(-1)}; the others are read or downloaded`,
  }),
  data: text({
    placeholder: 'PATH',
    doc: 'file or folder of the data set; without it, mnist and fashion-mnist are downloaded',
  }),
  target: text({ placeholder: 'COLUMN', doc: 'with --dataset csv: the column to predict' }),
  task: choice({
    names: TASKS,
    fallback: undefined,
    doc: 'with --dataset csv and npz: whether whole numbers are classes; inferred from the targets unless given',
  }),
};

export interface DatasetChoice {
  readonly dataset: DatasetName;
  readonly data: string | undefined;
  readonly target?: string | undefined;
  readonly task?: TableTask | undefined;
}

/** Examples to learn from and held out, and what is to be predicted. */
export interface LoadedData extends TrainTest {
  readonly task: TableTask;
  /** In classification. */
  readonly classNames?: readonly string[];
}

/** @throws DownhillError as the readers; `argument` for a path or target that is missing or not needed. */
export async function loadDataset(values: DatasetChoice, output: Output): Promise<LoadedData> {
  const { dataset, target, task } = values;
  if (target !== undefined && dataset !== 'csv') {
    throw new DownhillError('argument', `--target ${target}: ${dataset} has its own target; --target goes with csv`);
  }
  if (task !== undefined && dataset !== 'csv' && dataset !== 'npz') {
    throw new DownhillError('argument', `--task ${task}: ${dataset} has its own; --task goes with csv and npz`);
  }
  const parts = await load(values, output);
  const { classNames } = parts.train;
  return classNames ? { ...parts, task: 'classification', classNames } : { ...parts, task: 'regression' };
}

async function load({ dataset, data, target, task: wanted }: DatasetChoice, output: Output): Promise<TrainTest> {
  if (isOne(DRAWN, dataset)) {
    if (data !== undefined) {
      const others = [...DOWNLOADED, ...READ].join(', ');
      const what = dataset === 'digits' ? 'the digits are' : `${dataset} is`;
      throw new DownhillError('argument', `--data ${data}: ${what} drawn, not read; --data goes with ${others}`);
    }
    if (dataset === 'digits') return digits();
    return split(POINTS[dataset]({ size: 1000, noise: 0.1 }), { train: 0.8, test: 0.2 });
  }
  if (isOne(DOWNLOADED, dataset)) {
    return loadMnist(dataset, data === undefined ? { onProgress: downloadProgress(output) } : { folder: data });
  }
  if (data === undefined) {
    const what = dataset === 'csv' || dataset === 'npz' ? `FILE.${dataset}` : 'PATH';
    throw new DownhillError('argument', `--dataset ${dataset} is read: give --data ${what}`);
  }
  if (dataset === 'cifar10') return loadCifar10(data);
  if (dataset === 'npz') return loadArrays(data, wanted);
  if (dataset === 'images') return loadImages(data);
  if (dataset !== 'csv') return loadTable(dataset, data);
  const table = await readCsvFile(data);
  if (target === undefined) {
    const columns = shortened(table.columns.map(({ name }) => name).join(', '));
    throw new DownhillError('argument', `--dataset csv: give --target COLUMN, one of ${columns}`);
  }
  const task = wanted ?? taskOf(columnOf(table, target));
  return partTable(table, 'csv', {
    target,
    task,
    missing: 'median',
    ...(task === 'regression' && { targetScale: 'standard' }),
  });
}

/**
 * A .npz with x_train, y_train, x_test, y_test (as Keras' mnist.npz), or with x and y, of which a fifth is held out.
 */
async function loadArrays(path: string, task: TableTask | undefined): Promise<TrainTest> {
  const arrays = await readNpzFile(path);
  const [xName, yName] = arrays.has('x_train') ? ['x_train', 'y_train'] : ['x', 'y'];
  const x = arrayOf(arrays, xName, path);
  const classNames = classNamesOf(arrayOf(arrays, yName, path), `${path}: ${yName}`, task);
  const targets = (array: NpyArray): NpyArray =>
    classNames ? { ...array, shape: array.shape.slice(0, 1) } : inFloats(array);
  const y = targets(arrayOf(arrays, yName, path));
  const named = (name: string) => ({ name, ...(classNames && { classNames }) });
  if (xName === 'x') return split(npyDataset(x, y, named('npz')), { train: 0.8, test: 0.2, stratify: !!classNames });
  const [xTest, yTest] = [arrayOf(arrays, 'x_test', path), targets(arrayOf(arrays, 'y_test', path))];
  return { train: npyDataset(x, y, named('npz/train')), test: npyDataset(xTest, yTest, named('npz/test')) };
}

/** Classes of which a model is made without being asked for them by `--task`. */
const SURE_CLASSES = 20;
/** And at all: a model of as many outputs is more likely a mistake. */
const MOST_CLASSES = 2 ** 16;

/**
 * The classes, when the targets are class ids: whole numbers, one per example, that look like ids (0 to k − 1, most of
 * them in use and two examples of each on average) or are declared as such. @returns undefined for numbers to predict.
 * @throws DownhillError `data` for whole numbers that could be either, `argument` for a task that does not fit.
 */
function classNamesOf(
  { dtype, shape, values }: NpyArray,
  where: string,
  task: TableTask | undefined,
): string[] | undefined {
  const perExample = shape.slice(1).reduce((product, extent) => product * extent, 1);
  const isWhole = dtype !== 'f32' && dtype !== 'f64';
  if (task === 'regression') return undefined;
  if (!isWhole || perExample !== 1 || shape.length === 0) {
    if (task === undefined) return undefined;
    const found = `--task classification: ${where} is ${dtype} [${shape}]`;
    throw new DownhillError(
      'argument',
      `${found}; expected one whole number per example, such as u8 [${shape[0] ?? 'n'}]`,
    );
  }
  const ids = new Set<number>();
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    const id = Number(value);
    least = Math.min(least, id);
    most = Math.max(most, id);
    ids.add(id);
  }
  const classes = most + 1;
  const range = `${values.length} targets have ${ids.size} values from ${least} to ${most}`;
  if (least < 0 || classes > MOST_CLASSES) {
    const expected = `class ids are 0 to k − 1, at most ${MOST_CLASSES}`;
    const advice = task === undefined ? '; for numbers to predict give --task regression' : '';
    throw new DownhillError('data', `${where}: ${range}; ${expected}${advice}`);
  }
  const alike = classes <= SURE_CLASSES || (2 * ids.size >= classes && 2 * classes <= values.length);
  if (!alike && task === undefined) {
    const advice = 'give --task classification for class ids, --task regression for numbers to predict';
    throw new DownhillError('data', `${where}: ${range}, which may be either; ${advice}`);
  }
  return Array.from({ length: classes }, (_, id) => String(id));
}

/** Targets of a regression as floats; whole numbers are converted. */
function inFloats(array: NpyArray): NpyArray {
  if (array.dtype === 'f32' || array.dtype === 'f64') return array;
  return { ...array, dtype: 'f64', values: Float64Array.from<number | bigint>(array.values, Number) };
}

/**
 * Colour images of 32 × 32, from `train` and `test` folders of class folders, or from class folders, a fifth held out.
 */
async function loadImages(path: string): Promise<TrainTest> {
  const size = [32, 32] as const;
  const [train, test] = [join(path, 'train'), join(path, 'test')];
  if (!existsSync(train) || !existsSync(test)) {
    const all = await imageFolder(path, { size, name: 'images' });
    return split(all, { train: 0.8, test: 0.2, stratify: true });
  }
  const sets = {
    train: await imageFolder(train, { size, name: 'images/train' }),
    test: await imageFolder(test, { size, name: 'images/test' }),
  };
  if (sets.train.classNames!.join() === sets.test.classNames!.join()) return sets;
  const names = (set: ArrayDataset) => shortened(set.classNames!.join(', '));
  const found = `${train} has classes ${names(sets.train)}; ${test} has ${names(sets.test)}`;
  throw new DownhillError('data', `images: ${found}; expected the same folders`);
}

function isOne<T extends string>(names: readonly T[], name: string): name is T {
  return names.includes(name as T);
}

/** The first `limit` training examples, or all. */
export function limited(set: ArrayDataset, limit: number | undefined): ArrayDataset {
  return limit === undefined ? set : take(set, limit);
}

/** Progress of each file: one line that is overwritten on a terminal, one line per file elsewhere. */
function downloadProgress(output: Output): (progress: DownloadProgress) => void {
  const { progress: writer } = output;
  return ({ key, received, total }) => {
    const done = received === total;
    if (!writer.isTTY && !done) return;
    const amount = total === undefined ? formatBytes(received) : `${formatBytes(received)} of ${formatBytes(total)}`;
    writer.write(`${writer.isTTY ? '\r\u001b[2K' : ''}${key}: ${amount}${done || !writer.isTTY ? '\n' : ''}`);
  };
}
