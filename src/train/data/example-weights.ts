/**
 * How much each example counts, on the host: from weights of the examples, or of their classes, to one f32 a row.
 *
 * Invariant: weights are finite and not negative, and class weights name exactly the classes that the targets have.
 * Keras lets a class without a weight count as 1 (keras/src/trainers/data_adapters/data_adapter_utils.py); here it is
 * an error, as a misspelt class would be.
 */

import { show } from '../../nn/check-options.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';
import { formatShape, sizeOf } from '../../util/shape.ts';
import { type DataInput, floatTable, type Table, toTable } from './table.ts';

/**
 * One weight an example. A model of several outputs takes them for all outputs at once, for each output in an array in
 * its order (null: 1 each), or by the outputs' names; an output that is not named counts every example once.
 */
export type SampleWeight = DataInput | readonly (DataInput | null)[] | Readonly<Record<string, DataInput>>;

/** Weights by class id. */
export type ClassWeight = Readonly<Record<number, number>>;

/** Weights of examples that were read but not compared with anything; one for all outputs, or one each. */
export type WeightTables =
  | { readonly shared: Table }
  | { readonly byOutput: readonly { readonly name: string; readonly table: Table | undefined }[] };

export interface ExampleWeightOptions {
  readonly sampleWeight?: WeightTables;
  /** One weight a class id; one-hot targets count by their one largest value. */
  readonly classWeight?: ClassWeight;
  /** Checked targets: class ids (i32), numbers that round to class ids, or rows whose largest value marks the class. */
  readonly y: Table;
  /** True for targets that are a part of the data: classes may be missing in them. */
  readonly partial?: boolean;
}

/** f32 [rows] each. */
export interface ExampleWeights {
  /** For all outputs. */
  readonly shared?: Table;
  /** For each output; undefined where every example counts once. */
  readonly byOutput?: readonly (Table | undefined)[];
}

/**
 * `sampleWeight` as tables, copied before the promise is returned; undefined when there is none.
 * @param outputs names of the model's outputs. @throws DownhillError as `toTable`, `argument` for outputs that do not
 *   match.
 */
export async function weightTables(
  sampleWeight: SampleWeight | undefined,
  outputs: readonly string[],
): Promise<WeightTables | undefined> {
  if (sampleWeight === undefined) return undefined;
  const parts = partsByOutput(sampleWeight, outputs);
  if (parts === undefined) return { shared: await toTable('sampleWeight', sampleWeight) };
  const names = outputs.map((output) => `sampleWeight "${output}"`);
  const read = async (part: unknown, k: number) =>
    part === undefined || part === null ? undefined : toTable(names[k], part);
  const tables = await Promise.all(parts.map(read));
  return { byOutput: tables.map((table, k) => ({ name: names[k], table })) };
}

/**
 * The weights of the examples whose targets are `y`; nothing when none are given.
 * @throws DownhillError `argument` for both kinds of weights at once or classes that do not match, `data` for counts
 *   that differ and weights that are negative or not finite, `shape` for more than one weight an example.
 */
export function exampleWeights({
  sampleWeight,
  classWeight,
  y,
  partial = false,
}: ExampleWeightOptions): ExampleWeights {
  if (sampleWeight !== undefined && classWeight !== undefined) {
    throw new DownhillError('argument', `sampleWeight and classWeight exclude each other; give one of them`);
  }
  if (classWeight !== undefined) return { shared: classWeights(classWeight, y, partial) };
  if (sampleWeight === undefined) return {};
  if ('shared' in sampleWeight) return { shared: sampleWeights('sampleWeight', sampleWeight.shared, y) };
  const { byOutput } = sampleWeight;
  return { byOutput: byOutput.map(({ name, table }) => table && sampleWeights(name, table, y)) };
}

/** What `given` says for each output; undefined when it holds for all of them. */
function partsByOutput(given: SampleWeight, names: readonly string[]): unknown[] | undefined {
  if (Array.isArray(given)) {
    // A list of numbers is one weight an example.
    const lists = names.length > 1 && given.length > 0 && given.every((part) => typeof part !== 'number');
    if (!lists) return undefined;
    if (given.length === names.length) return given;
    const wanted = `one for each output (${names.join(', ')})`;
    throw new DownhillError('argument', `sampleWeight has ${given.length} lists of weights; expected ${wanted}`);
  }
  const plain = typeof given === 'object' && given !== null && Object.getPrototypeOf(given) === Object.prototype;
  if (!plain || ('data' in given && 'shape' in given && !names.includes('data'))) return undefined;
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) throw unknownName('output in sampleWeight:', unknown, names);
  return names.map((name) => (given as Record<string, unknown>)[name]);
}

function sampleWeights(name: string, table: Table, y: Table): Table {
  if (sizeOf(table.shape) !== 1) {
    const found = formatShape([table.rows, ...table.shape]);
    throw new DownhillError('shape', `${name} takes one number an example, found shape ${found}`);
  }
  if (table.rows !== y.rows) {
    throw new DownhillError(
      'data',
      `${name} has ${table.rows} weights but ${y.name} has ${y.rows} targets; expected as many`,
    );
  }
  const weights = floatTable(table);
  for (let k = 0; k < weights.rows; k++) checkWeight(`${name} of example ${k}`, weights.data[k]);
  return { ...weights, shape: [] };
}

function classWeights(given: ClassWeight, y: Table, partial: boolean): Table {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new DownhillError(
      'argument',
      `fit: classWeight takes weights by class id, such as { 0: 1, 1: 5 }, found ${show(given)}`,
    );
  }
  const weights = new Map<number, number>();
  for (const [key, weight] of Object.entries(given)) {
    const id = Number(key);
    if (!Number.isInteger(id)) {
      throw new DownhillError(
        'argument',
        `fit: classWeight: key ${show(key)} is not a class index; keys are class indices, as in { 0: 1, 1: 5 }`,
      );
    }
    weights.set(id, checkWeight(`fit: classWeight of class ${id}`, weight));
  }
  const ids = classIds(y);
  const present = [...new Set(ids)].sort((a, b) => a - b);
  const list = (classes: readonly number[]): string =>
    (classes.length === 1 ? 'class ' : 'classes ') + classes.join(', ');
  const lacking = present.filter((id) => !weights.has(id));
  const excess = partial ? [] : [...weights.keys()].filter((id) => !present.includes(id));
  if (lacking.length > 0 || excess.length > 0) {
    const problems = [
      ...(lacking.length > 0 ? [`no weight for ${list(lacking)}`] : []),
      ...(excess.length > 0 ? [`weights for ${list(excess)}, of which there is no example`] : []),
    ];
    throw new DownhillError(
      'argument',
      `fit: classWeight has ${problems.join(' and ')}; ${y.name} has ${list(present)}`,
    );
  }
  const data = Float32Array.from(ids, (id) => weights.get(id)!);
  return { name: 'classWeight', rows: y.rows, shape: [], encoding: 'f32', data };
}

/** The class of each example: its id, its one number rounded, or the position of its one largest number. */
function classIds({ name, rows, shape, data }: Table): Int32Array {
  if (sizeOf(shape) !== 1 && shape.length !== 1) {
    throw new DownhillError(
      'shape',
      'fit: classWeight needs one class an example; ' +
        `${name} has targets of shape ${formatShape(shape)}, so give sampleWeight`,
    );
  }
  const width = sizeOf(shape);
  const ids = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const from = row * width;
    if (width === 1) {
      ids[row] = Math.round(data[from]);
      continue;
    }
    for (let k = 1; k < width; k++) if (data[from + k] > data[from + ids[row]]) ids[row] = k;
    const equals = data.subarray(from, from + width).filter((value) => value === data[from + ids[row]]).length;
    if (equals === 1) continue;
    // Of a row of several classes, or of none, the first would be taken for the class.
    throw new DownhillError(
      'data',
      `fit: classWeight needs one class an example; example ${row} of ${name} has ${equals} equal largest values, ` +
        `[${data.subarray(from, from + Math.min(width, 8))}${width > 8 ? ', …' : ''}]; ` +
        'for several classes give sampleWeight',
    );
  }
  return ids;
}

function checkWeight(owner: string, weight: unknown): number {
  if (typeof weight === 'number' && Number.isFinite(weight) && weight >= 0) return weight;
  throw new DownhillError('data', `${owner} is ${show(weight)}; weights are finite and at least 0`);
}
