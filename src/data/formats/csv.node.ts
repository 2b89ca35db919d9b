/**
 * Tables and NumPy files from the file system, plain or gzip (tables), and the well-known tables by name: file, target
 * and transform.
 *
 * Invariant: the rows of a named table are split into train and test by seed before anything is learnt, stratified
 * where the target is a class.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DownhillError, unknownName } from '../../util/errors.ts';
import { readFileBytes, systemReason } from '../../util/files.node.ts';
import type { TrainTest } from '../dataset.ts';
import { splitIndices } from '../split.ts';
import { fitTabular, type TableTask, type TabularOptions, type TabularTransform } from '../tabular.ts';
import { type CsvColumn, type CsvOptions, type CsvTable, columnOf, readCsv, selectRows } from './csv.ts';
import { gunzip, isGzip } from './gzip.ts';
import { type NpyArray, readNpy } from './npy.ts';
import { readNpz } from './npz.ts';

/**
 * Reads a CSV file in UTF-8, plain or gzip; `name` is the path unless given.
 * @throws DownhillError('file') when it cannot be read or is not UTF-8; and what `readCsv` throws.
 */
export async function readCsvFile(path: string, options: CsvOptions = {}): Promise<CsvTable> {
  const raw = await readFileBytes(path, 'table');
  const bytes = isGzip(raw) ? await gunzip(raw, path) : raw;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DownhillError('file', `${path}: found bytes that are not UTF-8; expected a text file in UTF-8`, {
      cause,
    });
  }
  return readCsv(text, { name: path, ...options });
}

/** Reads a .npy file; throws as `readFileBytes` and `readNpy`. */
export async function readNpyFile(path: string): Promise<NpyArray> {
  return readNpy(await readFileBytes(path, 'array'), path);
}

/** Reads a .npz file; throws as `readFileBytes` and `readNpz`. */
export async function readNpzFile(path: string): Promise<Map<string, NpyArray>> {
  return readNpz(await readFileBytes(path, 'arrays'), path);
}

interface NamedTable {
  readonly file: string;
  readonly options: TabularOptions & { readonly task: TableTask };
  readonly classNames?: readonly string[];
}

const classes = (target: string) => ({ target, task: 'classification' as const });
const values = (target: string) => ({ target, task: 'regression' as const, targetScale: 'standard' as const });

/** The named tables. Features and, in regression, targets have mean 0 and deviation 1 over the training rows. */
export const TABLES = {
  iris: { file: 'iris.csv', options: classes('species'), classNames: ['setosa', 'versicolor', 'virginica'] },
  'breast-cancer': {
    file: 'breast_cancer.csv',
    options: classes('target'),
    classNames: ['malignant', 'benign'],
  },
  diabetes: { file: 'diabetes.csv', options: values('target') },
  boston: { file: 'boston.csv', options: values('MEDV') },
  // Some total_bedrooms are blank; ocean_proximity is text.
  housing: { file: 'housing.csv', options: { ...values('median_house_value'), missing: 'median' } },
} as const satisfies Readonly<Record<string, NamedTable>>;

export type TableName = keyof typeof TABLES;

/** A table as data sets, with what was learnt from its training rows. */
export interface LoadedTable extends TrainTest {
  readonly transform: TabularTransform;
}

/**
 * A named table from `path`, its file or the folder that holds it: a fifth of the rows is held out by `seed`.
 * @throws DownhillError('argument') for an unknown name; ('file') for a missing file; and what `readCsv` throws.
 */
export async function loadTable(name: TableName, path: string, seed = 0): Promise<LoadedTable> {
  if (!Object.hasOwn(TABLES, name)) throw unknownName('table', name, Object.keys(TABLES));
  const known: NamedTable = TABLES[name];
  const table = await readCsvFile(await fileIn(path, known.file));
  const parts = partTable(table, name, known.options, seed);
  if (known.classNames === undefined) return parts;
  const { classNames } = known;
  return { ...parts, train: { ...parts.train, classNames }, test: { ...parts.test, classNames } };
}

/** Learns from four fifths of the rows and applies it to both parts; stratified by seed where the target is a class. */
export function partTable(table: CsvTable, name: string, options: TabularOptions, seed = 0): LoadedTable {
  const targetColumn = columnOf(table, options.target);
  const task = options.task ?? taskOf(targetColumn);
  const labels = task === 'classification' ? targetColumn.values : undefined;
  const parts = splitIndices(table.size, { train: 0.8, test: 0.2 }, seed, labels, name);
  // Errors name the table by its file, data sets by their name.
  const rows = { train: selectRows(table, parts.train), test: selectRows(table, parts.test) };
  const transform = fitTabular(rows.train, { ...options, task });
  const train = { ...transform.apply(rows.train), name: `${name}/train` };
  return { train, test: { ...transform.apply(rows.test), name: `${name}/test` }, transform };
}

/** Classes are text, or whole numbers of which there are at most 20. */
export function taskOf({ type, values: column }: CsvColumn): TableTask {
  if (type === 'category') return 'classification';
  const distinct = new Set(column);
  return distinct.size <= 20 && [...distinct].every((value) => Number.isInteger(value))
    ? 'classification'
    : 'regression';
}

async function fileIn(path: string, file: string): Promise<string> {
  const found = await stat(path).catch((cause) => {
    const what = `expected ${file} or a folder that holds it`;
    throw new DownhillError('file', `cannot read table ${path}: ${systemReason(cause)}; ${what}`, { cause });
  });
  return found.isDirectory() && basename(path) !== file ? join(path, file) : path;
}
