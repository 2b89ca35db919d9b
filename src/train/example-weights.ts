/**
 * How much each example counts: `sampleWeight`, a number an example, times `classWeight`, a number a class, as in Keras.
 *
 * Invariant: the result has one finite weight of at least 0 an example, or there is none at all.
 */

import { show } from '../nn/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { sizeOf } from '../util/shape.ts';
import { type DataInput, floatTable, type Table, toTable } from './table.ts';
import { checkCounts, checkValues } from './targets.ts';

/** Weight of each class by its id: `{ 0: 1, 1: 5 }`. */
export type ClassWeight = Readonly<Record<number, number>>;

export interface ExampleWeightOptions {
  /** One number an example. */
  readonly sampleWeight?: DataInput;
  readonly classWeight?: ClassWeight;
  /** Checked targets: class ids (i32), or rows whose largest value (one value: ≥ 0.5) stands for the class. */
  readonly y: Table;
}

/**
 * f32 [rows] weights, or undefined when none are given.
 * @throws DownhillError `argument` for class weights that are no numbers of at least 0, that name a class which the data
 *   lacks or lack one that it has; `data` or `shape` for sample weights that are not one finite number of at least 0 an example.
 */
export async function exampleWeights(options: ExampleWeightOptions): Promise<Table | undefined> {
  const { sampleWeight, classWeight, y } = options;
  const own = sampleWeight === undefined ? undefined : await sampleWeights(sampleWeight, y);
  if (classWeight === undefined) return own;
  const classes = classesOf(y);
  const weightOf = checkClassWeight(classWeight, classes);
  const data = Float32Array.from(classes, (id, row) => weightOf.get(id)! * (own?.data[row] ?? 1));
  return { name: 'class weights', rows: y.rows, shape: [], encoding: 'f32', data };
}

async function sampleWeights(input: DataInput, y: Table): Promise<Table> {
  const table = floatTable(await toTable('sampleWeight', input));
  checkCounts(y, table);
  if (sizeOf(table.shape) !== 1) {
    throw new DownhillError('shape', `sampleWeight: rows have shape [${table.shape}]; expected one number an example`);
  }
  return { ...checkValues(table, 'weights of examples are at least 0', 0), shape: [] };
}

function classesOf(y: Table): Int32Array {
  const width = sizeOf(y.shape);
  if (y.encoding === 'i32' && width !== 1) {
    throw new DownhillError('argument', `fit: classWeight needs one class an example; ${y.name} has ${width}`);
  }
  return Int32Array.from({ length: y.rows }, (_, row) => {
    const values = y.data.subarray(row * width, (row + 1) * width);
    if (y.encoding === 'i32') return values[0];
    if (width === 1) return values[0] >= 0.5 ? 1 : 0;
    return values.indexOf(Math.max(...values));
  });
}

function checkClassWeight(classWeight: ClassWeight, classes: Int32Array): Map<number, number> {
  if (typeof classWeight !== 'object' || classWeight === null) {
    throw new DownhillError('argument', `fit: classWeight maps class ids to weights, found ${show(classWeight)}`);
  }
  const weights = new Map(Object.entries(classWeight).map(([id, weight]) => [Number(id), weight]));
  for (const [id, weight] of weights) {
    if (typeof weight === 'number' && Number.isFinite(weight) && weight >= 0) continue;
    throw new DownhillError(
      'argument',
      `fit: classWeight of class ${id} must be a number of at least 0, found ${show(weight)}`,
    );
  }
  const present = [...new Set(classes)].sort((a, b) => a - b);
  const missing = present.filter((id) => !weights.has(id));
  const excess = [...weights.keys()].filter((id) => !present.includes(id));
  if (missing.length === 0 && excess.length === 0) return weights;
  const problems = [
    ...(missing.length > 0 ? [`has no weight for ${missing.join(', ')}`] : []),
    ...(excess.length > 0 ? [`names ${excess.join(', ')}, which the targets do not have`] : []),
  ];
  throw new DownhillError(
    'argument',
    `fit: classWeight ${problems.join(' and ')}; classes of the targets: ${present.join(', ')}`,
  );
}
