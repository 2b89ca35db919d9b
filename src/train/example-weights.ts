/**
 * How much each example counts, on the host: from weights of the examples, or of their classes, to one f32 a row.
 *
 * Invariant: weights are finite and not negative, and class weights name exactly the classes that the targets have. Keras
 * lets a class without a weight count as 1 (keras/src/trainers/data_adapters/data_adapter_utils.py); here it is an error,
 * as a misspelt class would be.
 */

import { show } from '../nn/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { formatShape, sizeOf } from '../util/shape.ts';
import { type DataInput, floatTable, type Table, toTable } from './table.ts';

/** Weights by class id. */
export type ClassWeight = Readonly<Record<number, number>>;

export interface ExampleWeightOptions {
  /** One weight an example. */
  readonly sampleWeight?: DataInput;
  /** One weight a class id; one-hot targets count by their largest value. */
  readonly classWeight?: ClassWeight;
  /** Checked targets: class ids (i32), numbers that round to class ids, or rows whose largest value stands for the class. */
  readonly y: Table;
}

/**
 * The weights of the examples whose targets are `y`, f32 [rows]; undefined when none are given.
 * @throws DownhillError `argument` for both kinds of weights at once or classes that do not match, `data` for counts that
 *   differ and weights that are negative or not finite, `shape` for more than one weight an example.
 */
export async function exampleWeights({
  sampleWeight,
  classWeight,
  y,
}: ExampleWeightOptions): Promise<Table | undefined> {
  if (sampleWeight !== undefined && classWeight !== undefined) {
    throw new DownhillError('argument', `sampleWeight and classWeight exclude each other; give one of them`);
  }
  if (classWeight !== undefined) return classWeights(classWeight, y);
  if (sampleWeight === undefined) return undefined;
  const table = await toTable('sampleWeight', sampleWeight);
  if (sizeOf(table.shape) !== 1) {
    const found = formatShape([table.rows, ...table.shape]);
    throw new DownhillError('shape', `sampleWeight takes one number an example, found shape ${found}`);
  }
  if (table.rows !== y.rows) {
    throw new DownhillError(
      'data',
      `sampleWeight has ${table.rows} weights but ${y.name} has ${y.rows} targets; expected as many`,
    );
  }
  const weights = floatTable(table);
  for (let k = 0; k < weights.rows; k++) checkWeight(`sampleWeight of example ${k}`, weights.data[k]);
  return { ...weights, shape: [] };
}

function classWeights(given: ClassWeight, y: Table): Table {
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
      throw new DownhillError('argument', `fit: classWeight takes class ids as keys, found ${show(key)}`);
    }
    weights.set(id, checkWeight(`fit: classWeight of class ${id}`, weight));
  }
  const ids = classIds(y);
  const present = [...new Set(ids)].sort((a, b) => a - b);
  const list = (classes: readonly number[]): string =>
    (classes.length === 1 ? 'class ' : 'classes ') + classes.join(', ');
  const lacking = present.filter((id) => !weights.has(id));
  const excess = [...weights.keys()].filter((id) => !present.includes(id));
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

/** The class of each example: its id, its one number rounded, or the place of its largest one. */
function classIds({ name, rows, shape, data }: Table): Int32Array {
  if (sizeOf(shape) !== 1 && shape.length !== 1) {
    throw new DownhillError(
      'shape',
      `fit: classWeight needs one class an example; ${name} has targets of shape ${formatShape(shape)}, so give sampleWeight`,
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
  }
  return ids;
}

function checkWeight(owner: string, weight: unknown): number {
  if (typeof weight === 'number' && Number.isFinite(weight) && weight >= 0) return weight;
  throw new DownhillError('data', `${owner} is ${show(weight)}; weights are finite and at least 0`);
}
