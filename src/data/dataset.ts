/**
 * What a data set is here: two plain typed arrays, examples and targets, each row-major with the example as the
 * first axis. Nothing in this folder knows tensors or devices; the training loop uploads these arrays once.
 *
 * Invariant: an ArrayDataset made by `arrayDataset` is never empty, its two sides have the same count, and class
 * ids are whole numbers in range. Whoever builds one by hand can call `checkDataset`.
 */
import { checkKnownOptions, refuseSurplus, type Surplus } from '../util/check-options.ts';
import { DownhillError } from '../util/errors.ts';

/** The array kinds that hold examples or targets: u8 stays packed on the device, i32 holds ids, f32 the rest. */
export type DataArray = Uint8Array | Int32Array | Float32Array;

/** Examples and their targets, in memory. */
export interface ArrayDataset {
  /** Named in errors and reports, such as `mnist/train`. */
  readonly name: string;
  /** Examples, `size × product(xShape)` values. */
  readonly x: DataArray;
  /** Shape of one example, such as [28, 28, 1] (height, width, channels). */
  readonly xShape: readonly number[];
  /** Targets, `size × product(yShape)` values. */
  readonly y: DataArray;
  /** Shape of one target: [] for a class id, [n] for a vector. */
  readonly yShape: readonly number[];
  /** Number of examples, at least 1. */
  readonly size: number;
  /** For class ids: the name of each class; its length is the number of classes. */
  readonly classNames?: readonly string[];
  /** Of sides that are bytes: what each means. */
  readonly scaleBytes?: ScaledSides;
}

/** True where a byte means value / 255, false for plain numbers; a side left out follows its shape (util/bytes.ts). */
export interface ScaledSides {
  readonly x?: boolean;
  readonly y?: boolean;
}

/** Examples to learn from, and examples held out. */
export interface TrainTest {
  readonly train: ArrayDataset;
  readonly test: ArrayDataset;
}

/** What `arrayDataset` takes; `size` follows from the arrays. */
export type ArrayDatasetInit = Omit<ArrayDataset, 'size' | 'yShape'> & { readonly yShape?: readonly number[] };

/** `size` follows from the arrays; a set that is made of another one may still have it. */
const INIT_KEYS = ['name', 'x', 'xShape', 'y', 'yShape', 'classNames', 'scaleBytes', 'size'];

/**
 * A checked data set over the given arrays (kept, not copied). `yShape` defaults to [], a class id per example.
 * @throws DownhillError('data') for an empty set, different counts or class ids that do not fit;
 *   DownhillError('shape') for a shape that does not divide its array.
 */
export function arrayDataset(init: ArrayDatasetInit, ...surplus: Surplus): ArrayDataset {
  refuseSurplus('arrayDataset', surplus);
  checkKnownOptions('arrayDataset', init, INIT_KEYS);
  const { name, x, xShape, y, yShape = [], classNames, scaleBytes } = init;
  const size = countRows(name, 'x', x, xShape);
  const set: ArrayDataset = {
    ...{ name, x, xShape, y, yShape, size },
    ...(classNames && { classNames }),
    ...(scaleBytes !== undefined && { scaleBytes }),
  };
  checkDataset(set);
  return set;
}

/** Checks all that `arrayDataset` promises, for a data set built by hand; throws the same errors. */
export function checkDataset(set: ArrayDataset, ...surplus: Surplus): void {
  refuseSurplus('checkDataset', surplus);
  const { name, x, xShape, y, yShape, size, classNames } = set;
  const examples = countRows(name, 'x', x, xShape);
  const targets = countRows(name, 'y', y, yShape);
  if (examples !== targets) {
    throw new DownhillError(
      'data',
      `data set "${name}": ${examples} examples but ${targets} targets; expected as many`,
    );
  }
  if (examples === 0) throw new DownhillError('data', `data set "${name}" is empty: expected at least one example`);
  if (size !== examples) {
    throw new DownhillError('data', `data set "${name}": size says ${size}, but its arrays hold ${examples} examples`);
  }
  if (classNames) checkClassIds(set, classNames.length);
}

/**
 * Checks that every target is a class id: a whole number from 0 to `classes` - 1.
 * @throws DownhillError('data') that names the first value that does not fit and its position.
 */
export function checkClassIds(set: Pick<ArrayDataset, 'name' | 'y' | 'yShape'>, classes: number): void {
  const { name, y, yShape } = set;
  if (yShape.length > 0) {
    throw new DownhillError('data', `data set "${name}": expected one class id per target, found shape [${yShape}]`);
  }
  for (let i = 0; i < y.length; i++) {
    const id = y[i]!;
    if (Number.isInteger(id) && id >= 0 && id < classes) continue;
    const problem = Number.isInteger(id) ? 'out of range' : 'not a whole number';
    throw new DownhillError(
      'data',
      `data set "${name}": label ${id} of example ${i} is ${problem}; ` +
        `expected 0 to ${classes - 1} (${classes} classes)`,
    );
  }
}

/**
 * The first `n` examples, as views on the same arrays; all of them when the set has no more than `n`.
 * @throws DownhillError('argument') when `n` is not a whole number of at least 1.
 */
export function take(set: ArrayDataset, n: number, ...surplus: Surplus): ArrayDataset {
  refuseSurplus('take', surplus);
  if (!Number.isInteger(n) || n < 1) {
    throw new DownhillError('argument', `take from "${set.name}": expected a whole number of at least 1, found ${n}`);
  }
  if (n >= set.size) return set;
  const x = set.x.subarray(0, n * volume(set.xShape));
  const y = set.y.subarray(0, n * volume(set.yShape));
  return { ...set, x, y, size: n };
}

/**
 * The examples at `indices`, copied in that order; an index may come more than once.
 * @throws DownhillError('argument') when there is no index or one is out of range.
 */
export function select(
  set: ArrayDataset,
  indices: ArrayLike<number>,
  name = set.name,
  ...surplus: Surplus
): ArrayDataset {
  refuseSurplus('select', surplus);
  if (indices.length === 0) throw new DownhillError('argument', `select from "${set.name}": no index given`);
  for (let row = 0; row < indices.length; row++) {
    const index = indices[row]!;
    if (Number.isInteger(index) && index >= 0 && index < set.size) continue;
    const range = `0 to ${set.size - 1}`;
    throw new DownhillError('argument', `select from "${set.name}": index ${index} at ${row}; expected ${range}`);
  }
  const x = gatherRows(set.x, volume(set.xShape), indices);
  const y = gatherRows(set.y, volume(set.yShape), indices);
  return { ...set, name, x, y, size: indices.length };
}

/** Values of one row of `shape`. */
export function volume(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function countRows(name: string, side: 'x' | 'y', values: DataArray, shape: readonly number[]): number {
  for (const extent of shape) {
    if (Number.isInteger(extent) && extent >= 1) continue;
    const found = `${side}Shape [${shape}] has extent ${extent}`;
    throw new DownhillError('shape', `data set "${name}": ${found}; expected whole numbers of at least 1`);
  }
  const rows = values.length / volume(shape);
  if (!Number.isInteger(rows)) {
    const found = `${values.length} values in ${side} are not a whole number of [${shape}] rows`;
    throw new DownhillError('shape', `data set "${name}": ${found} (${volume(shape)} values each)`);
  }
  return rows;
}

function gatherRows(values: DataArray, width: number, indices: ArrayLike<number>): DataArray {
  const Kind = values.constructor as new (length: number) => DataArray;
  const rows = new Kind(indices.length * width);
  for (let row = 0; row < indices.length; row++) {
    const from = indices[row]! * width;
    rows.set(values.subarray(from, from + width), row * width);
  }
  return rows;
}
