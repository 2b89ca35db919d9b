/**
 * Tables with typed columns from CSV text: numbers or categories, as declared or as the values show. Missing values
 * stay (NaN, −1) until a transform decides about them (see tabular.ts).
 *
 * Invariant: every column of a CsvTable has `size` values. A column whose values are mostly numbers is a column of
 * numbers, and text in it is an error with line and name, not a silent change of its kind.
 */
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';
import { show } from '../../util/show.ts';
import { type CsvRecord, parseCsv } from './csv-parse.ts';

/** A column of numbers; NaN marks a missing value. */
export interface NumberColumn {
  readonly name: string;
  readonly type: 'number';
  readonly values: Float64Array;
}

/** A column of categories: indices into the sorted names; −1 marks a missing value. */
export interface CategoryColumn {
  readonly name: string;
  readonly type: 'category';
  readonly values: Int32Array;
  readonly categories: readonly string[];
}

export type CsvColumn = NumberColumn | CategoryColumn;

export interface CsvTable {
  /** Named in errors. */
  readonly name: string;
  readonly columns: readonly CsvColumn[];
  /** Number of rows, at least 1. */
  readonly size: number;
  /** The line of the file on which each row begins, from 1. */
  readonly lines: Int32Array;
}

export interface CsvOptions {
  /** The name of the table in errors; `csv` unless given. */
  readonly name?: string;
  /** One character between fields; a comma unless given. */
  readonly delimiter?: string;
  /** Whether the first line names the columns; true unless `columns` are given. */
  readonly header?: boolean;
  /** Names of the columns, instead of a header or overriding it. */
  readonly columns?: readonly string[];
  /** Types of columns by name; found from the values unless given. */
  readonly types?: Readonly<Record<string, 'number' | 'category'>>;
  /** Fields that mean a missing value, after trimming; empty, NA, N/A, NaN, nan, null and NULL unless given. */
  readonly missing?: readonly string[];
}

const OPTIONS = ['name', 'delimiter', 'header', 'columns', 'types', 'missing'] as const;
const MISSING = ['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL'];
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Reads CSV text (RFC 4180). A column is numeric when at least half of its values that are there are numbers.
 * @throws DownhillError('data') for rows of another length than the header, text in a numeric column (both naming the
 *   line), no row at all, two columns of one name; ('file') for broken quoting; ('argument') for options that do not
 *   fit.
 */
export function readCsv(text: string, options: CsvOptions = {}): CsvTable {
  const { name = 'csv', delimiter = ',', columns, ...rest } = checkOptions('readCsv', options, OPTIONS);
  if (typeof text !== 'string') throw new DownhillError('argument', `readCsv: expected text, found ${show(text)}`);
  if ([...delimiter].length !== 1 || '"\r\n'.includes(delimiter)) {
    throw new DownhillError(
      'argument',
      `readCsv: delimiter must be one character, no quote or line end, found ${show(delimiter)}`,
    );
  }
  const { header = columns === undefined, types = {}, missing = MISSING } = rest;
  const records = parseCsv(text, delimiter, name);
  const first = records[0];
  if (first === undefined)
    throw new DownhillError('data', `${name} is empty: expected ${header ? 'a header and rows' : 'rows'}`);
  const names = columns ?? first.fields.map((field, k) => (header ? field.trim() : `column${k + 1}`));
  const rows = header ? records.slice(1) : records;
  const known = checkNames(name, names);
  for (const column of Object.keys(types)) {
    if (!known.has(column)) throw unknownName(`column of ${name}:`, column, names);
  }
  if (rows.length === 0)
    throw new DownhillError('data', `${name}: found a header and no row; expected at least one row`);
  for (const record of header ? records : rows) checkLength(name, record, names, delimiter);
  return {
    name,
    columns: names.map((column, k) => {
      // A column may be called "constructor", which every object has.
      const declared = Object.hasOwn(types, column) ? types[column] : undefined;
      return readColumn(name, column, k, rows, declared, missing);
    }),
    size: rows.length,
    lines: Int32Array.from(rows, (row) => row.line),
  };
}

/** The places of columns by name, once for each table: there may be very many columns. */
const PLACES = new WeakMap<readonly CsvColumn[], Map<string, number>>();

/** The column `name`. @throws DownhillError('argument') with the nearest name when there is none. */
export function columnOf(table: CsvTable, name: string): CsvColumn {
  let places = PLACES.get(table.columns);
  if (places === undefined) {
    places = new Map(table.columns.map((column, k) => [column.name, k]));
    PLACES.set(table.columns, places);
  }
  const column = table.columns[places.get(name) ?? -1];
  if (column?.name === name) return column;
  throw unknownName(
    `column of ${table.name}:`,
    name,
    table.columns.map((candidate) => candidate.name),
  );
}

/**
 * The rows at `indices`, copied in that order; categories stay those of the whole table.
 * @throws DownhillError('argument') when there is no index or one is out of range.
 */
export function selectRows(table: CsvTable, indices: ArrayLike<number>, name = table.name): CsvTable {
  if (indices.length === 0) throw new DownhillError('argument', `selectRows of "${table.name}": no index given`);
  for (let k = 0; k < indices.length; k++) {
    const index = indices[k]!;
    if (Number.isInteger(index) && index >= 0 && index < table.size) continue;
    const range = `0 to ${table.size - 1}`;
    throw new DownhillError('argument', `selectRows of "${table.name}": index ${index} at ${k}; expected ${range}`);
  }
  const order = Array.from(indices);
  const columns = table.columns.map(
    (column): CsvColumn =>
      column.type === 'number'
        ? { ...column, values: Float64Array.from(order, (row) => column.values[row]!) }
        : { ...column, values: Int32Array.from(order, (row) => column.values[row]!) },
  );
  return { name, columns, size: order.length, lines: Int32Array.from(order, (row) => table.lines[row]!) };
}

/** @returns the places of the columns by name. */
function checkNames(table: string, names: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  names.forEach((name, k) => {
    if (name === '') throw new DownhillError('data', `${table}: column ${k + 1} has no name in the header`);
    const earlier = places.get(name);
    if (earlier !== undefined) {
      throw new DownhillError('data', `${table}: columns ${earlier + 1} and ${k + 1} are both named "${name}"`);
    }
    places.set(name, k);
  });
  return places;
}

function checkLength(table: string, record: CsvRecord, names: readonly string[], delimiter: string): void {
  const { fields, line } = record;
  if (fields.length === names.length) return;
  const short = fields.length < names.length;
  const where = short ? `column "${names[fields.length]}" is not there` : `the last column is "${names.at(-1)}"`;
  const hint = fields.length === 1 ? `; is "${delimiter}" the delimiter?` : '';
  throw new DownhillError(
    'data',
    `${table}: line ${line} has ${fields.length} fields; expected ${names.length}: ${where}${hint}`,
  );
}

function readColumn(
  table: string,
  name: string,
  k: number,
  rows: readonly CsvRecord[],
  declared: 'number' | 'category' | undefined,
  missing: readonly string[],
): CsvColumn {
  if (declared !== undefined && declared !== 'number' && declared !== 'category') {
    throw new DownhillError(
      'argument',
      `readCsv: type of column "${name}" must be number or category, found ${show(declared)}`,
    );
  }
  const fields = rows.map((row) => row.fields[k]!.trim());
  const absent = new Set(missing);
  const present = fields.filter((field) => !absent.has(field));
  const numbers = present.filter(isNumber).length;
  const type = declared ?? (2 * numbers >= present.length ? 'number' : 'category');
  if (type === 'category') {
    const categories = [...new Set(present)].sort();
    const ids = new Map(categories.map((category, id) => [category, id]));
    return { name, type, categories, values: Int32Array.from(fields, (field) => ids.get(field) ?? -1) };
  }
  const values = Float64Array.from(fields, (field, row) => {
    if (absent.has(field)) return Number.NaN;
    if (isNumber(field)) return Number(field);
    const hint = declared === undefined ? `; for text, declare types: { ${show(name)}: "category" }` : '';
    throw new DownhillError(
      'data',
      `${table}: line ${rows[row]!.line}, column "${name}": ${show(field)} in a column of numbers${hint}`,
    );
  });
  return { name, type, values };
}

/** Decimal notation of a finite number: `Number` would take '0x10' and ' ' too. */
function isNumber(field: string): boolean {
  return NUMBER.test(field) && Number.isFinite(Number(field));
}
