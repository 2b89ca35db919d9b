/**
 * From a table to a data set for training: features and target are chosen, missing values filled or refused, categories
 * encoded, numbers scaled. All statistics (means, medians, scales, categories) are learnt once from the training rows
 * and then applied to any rows, so that nothing of the test rows leaks into the training.
 *
 * Invariant: a transform applied to the rows that it was fitted on or to any others gives the same features in the same
 * order; a category or class that the training rows do not have is refused by name.
 */
import { oneOf, show } from '../nn/check-options.ts';
import { checkOptions } from '../util/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { type ArrayDataset, arrayDataset } from './dataset.ts';
import {
  type CategoryColumn,
  type CsvColumn,
  type CsvTable,
  columnOf,
  type NumberColumn,
  selectRows,
} from './formats/csv.ts';
import { columnScale, type ScaleMethod } from './rows.ts';

export type TableTask = 'classification' | 'regression';

/**
 * What to do about a missing feature: refuse it, drop its row, or fill it with the mean or median of the training rows
 * or with a constant. Where numbers take mean or median, categories take the most frequent one.
 */
export type MissingPolicy = 'error' | 'drop' | 'mean' | 'median' | { readonly constant: number | string };

export interface TabularOptions {
  /** The column to predict. */
  readonly target: string;
  /** Classes or numbers; unless given, a column of categories means classes, one of numbers regression. */
  readonly task?: TableTask;
  /** The columns to predict from, in order; all but the target unless given. */
  readonly features?: readonly string[];
  /** What to do about missing features; `error` unless given. A missing target is always an error, or drops its row. */
  readonly missing?: MissingPolicy;
  /** A feature for each category, or one with the category's index; `oneHot` unless given. */
  readonly categories?: 'oneHot' | 'ordinal';
  /** Scale of numbers (one-hot features stay 0 and 1); `standard` unless given. */
  readonly scale?: ScaleMethod | 'none';
  /** Scale of the target in regression; `none` unless given. `TabularTransform.unscale` undoes it. */
  readonly targetScale?: ScaleMethod | 'none';
}

/** What was learnt from the training rows. */
export interface TabularTransform {
  readonly task: TableTask;
  /** One name per feature: a column, or `column=category`. */
  readonly featureNames: readonly string[];
  /** In classification. */
  readonly classNames?: readonly string[];
  /**
   * The rows as a data set: x f32 [features], y class ids i32 [] or values f32 [1].
   * @throws DownhillError('data') for missing values where they are refused, categories or classes that were not in
   *   the training rows, each with line and column; ('argument') for a table without a column that is needed.
   */
  apply(table: CsvTable): ArrayDataset;
  /** Predicted targets in the unit of the column: undoes `targetScale`. */
  unscale(values: ArrayLike<number>): Float64Array;
}

const KNOWN = ['target', 'task', 'features', 'missing', 'categories', 'scale', 'targetScale'] as const;

/** How one column becomes features. */
interface Feature {
  readonly column: string;
  readonly names: readonly string[];
  /** Writes the features of value `row` at `x[at]`; false for a missing value that nothing fills. */
  write(column: CsvColumn, row: number, x: Float32Array, at: number, line: () => string): boolean;
}

/**
 * Learns from the training rows how a table becomes a data set.
 * @throws DownhillError('argument') for an unknown option or column (with the nearest name), a policy that does not
 *   fit; ('data') for a column without any value, or a target that is missing or does not fit the task.
 */
export function fitTabular(train: CsvTable, options: TabularOptions): TabularTransform {
  const owner = `fitTabular of "${train.name}"`;
  const checked = checkOptions(owner, options, KNOWN, ['target']);
  const { target, missing = 'error', categories = 'oneHot', scale = 'standard', targetScale = 'none' } = checked;
  oneOf(owner, 'categories', categories, ['oneHot', 'ordinal']);
  oneOf(owner, 'scale', scale, ['standard', 'minMax', 'none']);
  oneOf(owner, 'targetScale', targetScale, ['standard', 'minMax', 'none']);
  if (typeof missing !== 'object') oneOf(owner, 'missing', missing, ['error', 'drop', 'mean', 'median']);
  const targetColumn = columnOf(train, target);
  const task = checked.task ?? (targetColumn.type === 'category' ? 'classification' : 'regression');
  oneOf(owner, 'task', task, ['classification', 'regression']);
  const names = checked.features ?? train.columns.map(({ name }) => name).filter((name) => name !== target);
  if (names.length === 0) throw new DownhillError('argument', `${owner}: no feature but the target "${target}"`);
  if (names.includes(target))
    throw new DownhillError('argument', `${owner}: the target "${target}" is among the features`);
  const rows = missing === 'drop' ? completeRows(train, [...names, target]) : train;
  const features = names.map((name): Feature => {
    const column = columnOf(rows, name);
    return column.type === 'number'
      ? numberFeature(owner, column, missing, scale)
      : categoryFeature(owner, column, missing, categories, scale);
  });
  const readTarget =
    task === 'classification' ? classTarget(rows, targetColumn) : valueTarget(rows, targetColumn, targetScale);
  const featureNames = features.flatMap((feature) => feature.names);
  checkWidth(owner, features, rows.size);
  return {
    task,
    featureNames,
    ...(readTarget.classNames && { classNames: readTarget.classNames }),
    apply(given) {
      const table = missing === 'drop' ? completeRows(given, [...names, target]) : given;
      const x = new Float32Array(table.size * featureNames.length);
      let offset = 0;
      for (const feature of features) {
        const column = columnOf(table, feature.column);
        for (let row = 0; row < table.size; row++) {
          const line = () => where(table, column.name, row);
          if (feature.write(column, row, x, row * featureNames.length + offset, line)) continue;
          const hint = 'choose missing: "drop", "mean", "median" or { constant: … }';
          throw new DownhillError('data', `${line()}: no value; ${hint}`);
        }
        offset += feature.names.length;
      }
      return arrayDataset({ name: table.name, x, xShape: [featureNames.length], ...readTarget.apply(table) });
    },
    unscale: readTarget.unscale,
  };
}

/** Values that a data set may have: 2³¹ bytes of f32. */
const MOST_VALUES = 2 ** 29;

/** @throws DownhillError('data') where one-hot features make a table that memory does not hold. */
function checkWidth(owner: string, features: readonly Feature[], rows: number): void {
  const width = features.reduce((sum, { names }) => sum + names.length, 0);
  if (width * rows <= MOST_VALUES) return;
  const widest = features.reduce((most, one) => (one.names.length > most.names.length ? one : most));
  const found = `${rows} rows of ${width} features, ${widest.names.length} of them of column "${widest.column}"`;
  throw new DownhillError(
    'data',
    `${owner}: ${found}; expected at most ${MOST_VALUES} values: leave the column out with features, or choose ` +
      'categories: "ordinal"',
  );
}

function completeRows(table: CsvTable, names: readonly string[]): CsvTable {
  const columns = names.map((name) => columnOf(table, name));
  const rows: number[] = [];
  for (let row = 0; row < table.size; row++) if (columns.every((column) => isPresent(column, row))) rows.push(row);
  if (rows.length > 0) return rows.length === table.size ? table : selectRows(table, rows);
  throw new DownhillError(
    'data',
    `${table.name}: every one of ${table.size} rows lacks a value; nothing is left to train on`,
  );
}

function isPresent(column: CsvColumn, row: number): boolean {
  return column.type === 'number' ? !Number.isNaN(column.values[row]) : column.values[row] !== -1;
}

function numberFeature(
  owner: string,
  column: NumberColumn,
  missing: MissingPolicy,
  method: ScaleMethod | 'none',
): Feature {
  const { name } = column;
  const there = column.values.filter((value) => !Number.isNaN(value)).sort();
  if (there.length === 0) throw new DownhillError('data', `${owner}: column "${name}" has no value in any row`);
  let fill: number | undefined;
  if (typeof missing === 'object') {
    if (typeof missing.constant !== 'number' || !Number.isFinite(missing.constant)) {
      const found = show(missing.constant);
      throw new DownhillError(
        'argument',
        `${owner}: missing of column "${name}" takes a number as constant, found ${found}`,
      );
    }
    fill = missing.constant;
  } else if (missing === 'mean') fill = there.reduce((sum, value) => sum + value, 0) / there.length;
  else if (missing === 'median') fill = (there[(there.length - 1) >> 1]! + there[there.length >> 1]!) / 2;
  const filled =
    fill === undefined ? column.values : column.values.map((value) => (Number.isNaN(value) ? fill : value));
  const { offset, scale } = method === 'none' ? { offset: [0], scale: [1] } : columnScale(filled, 1, method);
  return {
    column: name,
    names: [name],
    write(given, row, x, at, line) {
      if (given.type !== 'number')
        throw new DownhillError('data', `${line()}: found categories; the training rows had numbers`);
      const value = given.values[row]!;
      const used = Number.isNaN(value) ? fill : value;
      if (used === undefined) return false;
      x[at] = (used - offset[0]!) / scale[0]!;
      return true;
    },
  };
}

function categoryFeature(
  owner: string,
  column: CategoryColumn,
  missing: MissingPolicy,
  encoding: 'oneHot' | 'ordinal',
  method: ScaleMethod | 'none',
): Feature {
  const { name } = column;
  const counts = new Map<string, number>();
  for (const id of column.values) {
    if (id !== -1) counts.set(column.categories[id]!, (counts.get(column.categories[id]!) ?? 0) + 1);
  }
  const known = [...counts.keys()].sort();
  if (known.length === 0) throw new DownhillError('data', `${owner}: column "${name}" has no value in any row`);
  let fill: string | undefined;
  if (typeof missing === 'object') {
    fill = String(missing.constant);
    if (!known.includes(fill)) known.push(fill);
  } else if (missing === 'mean' || missing === 'median') {
    fill = known.reduce((best, one) => (counts.get(one)! > counts.get(best)! ? one : best));
  }
  const places = new Map(known.map((one, place) => [one, place]));
  const ordinals = Float64Array.from(column.values, (id) =>
    id === -1 ? Number.NaN : places.get(column.categories[id]!)!,
  );
  const scaled = encoding === 'ordinal' && method !== 'none';
  const { offset, scale } = scaled ? columnScale(ordinals, 1, method) : { offset: [0], scale: [1] };
  return {
    column: name,
    names: encoding === 'oneHot' ? known.map((one) => `${name}=${one}`) : [name],
    write(given, row, x, at, line) {
      if (given.type !== 'category')
        throw new DownhillError('data', `${line()}: found numbers; the training rows had categories`);
      const id = given.values[row]!;
      const used = id === -1 ? fill : given.categories[id];
      if (used === undefined) return false;
      const index = places.get(used);
      if (index === undefined) throw unseen(line(), 'category', used, known);
      if (encoding === 'oneHot') x[at + index] = 1;
      else x[at] = (index - offset[0]!) / scale[0]!;
      return true;
    },
  };
}

interface Target {
  readonly classNames?: readonly string[];
  apply(table: CsvTable): Pick<ArrayDataset, 'y' | 'yShape' | 'classNames'>;
  unscale(values: ArrayLike<number>): Float64Array;
}

/** Class names are those of the training rows, sorted: numbers by size, text by code units. */
function classTarget(train: CsvTable, targetColumn: CsvColumn): Target {
  const column = columnOf(train, targetColumn.name);
  const label = (given: CsvColumn, table: CsvTable, row: number): string => {
    if (!isPresent(given, row))
      throw new DownhillError('data', `${where(table, targetColumn.name, row)}: the target has no value`);
    return given.type === 'category' ? given.categories[given.values[row]!]! : String(given.values[row]);
  };
  const names = [...new Set(Array.from({ length: train.size }, (_, row) => label(column, train, row)))];
  if (column.type === 'number') names.sort((a, b) => Number(a) - Number(b));
  else names.sort();
  const ids = new Map(names.map((name, id) => [name, id]));
  return {
    classNames: names,
    apply(table) {
      const given = columnOf(table, targetColumn.name);
      const y = Int32Array.from({ length: table.size }, (_, row) => {
        const name = label(given, table, row);
        const id = ids.get(name);
        if (id === undefined) throw unseen(where(table, targetColumn.name, row), 'class', name, names);
        return id;
      });
      return { y, yShape: [], classNames: names };
    },
    unscale: (values) => Float64Array.from(values),
  };
}

function valueTarget(train: CsvTable, targetColumn: CsvColumn, method: ScaleMethod | 'none'): Target {
  const values = (table: CsvTable): Float64Array => {
    const column = columnOf(table, targetColumn.name);
    if (column.type === 'category') {
      const found = `the target "${targetColumn.name}" holds text such as ${show(column.categories[0])}`;
      throw new DownhillError('data', `${table.name}: ${found}; regression takes numbers`);
    }
    const row = column.values.findIndex(Number.isNaN);
    if (row !== -1) throw new DownhillError('data', `${where(table, targetColumn.name, row)}: the target has no value`);
    return column.values;
  };
  const own = values(train);
  const { offset, scale } = method === 'none' ? { offset: [0], scale: [1] } : columnScale(own, 1, method);
  return {
    apply: (table) => ({ y: Float32Array.from(values(table), (v) => (v - offset[0]!) / scale[0]!), yShape: [1] }),
    unscale: (scaled) => Float64Array.from(scaled, (v) => v * scale[0]! + offset[0]!),
  };
}

function where(table: CsvTable, column: string, row: number): string {
  return `${table.name}: line ${table.lines[row]}, column "${column}"`;
}

function unseen(place: string, kind: string, found: string, known: readonly string[]): DownhillError {
  return new DownhillError(
    'data',
    `${place}: ${kind} "${found}" is not in the training rows; they have ${known.join(', ')}`,
  );
}
