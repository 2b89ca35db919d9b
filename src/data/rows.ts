/**
 * Helpers that make one data set from others: the rest after some examples, several concatenated, each example changed,
 * one-hot targets, batches; and the scaler, whose statistics come from the training set and are applied to every other.
 *
 * Invariant: nothing here changes its argument.
 */
import { checkOptions, refuseSurplus, type Surplus } from '../util/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { Prng } from '../util/prng.ts';
import { type ArrayDataset, checkClassIds, type DataArray, select, volume } from './dataset.ts';

/**
 * All but the first `n` examples, as views on the same arrays.
 * @throws DownhillError('argument') unless `n` is a whole number from 0 to below the size.
 */
export function skip(set: ArrayDataset, n: number, ...surplus: Surplus): ArrayDataset {
  refuseSurplus('skip', surplus);
  if (!Number.isInteger(n) || n < 0 || n >= set.size) {
    const message = `skip of "${set.name}": expected a whole number from 0 to ${set.size - 1}, found ${n}`;
    throw new DownhillError('argument', message);
  }
  const x = set.x.subarray(n * volume(set.xShape));
  const y = set.y.subarray(n * volume(set.yShape));
  return { ...set, x, y, size: set.size - n };
}

/**
 * The examples of all `sets`, one set after the other, copied; class names are those of the first.
 * @throws DownhillError('argument') for no set at all; DownhillError('data') for shapes, array kinds or class names
 *   that differ from the first set's.
 */
export function concatenate(sets: readonly ArrayDataset[], name?: string, ...surplus: Surplus): ArrayDataset {
  refuseSurplus('concatenate', surplus);
  const [first] = sets;
  if (first === undefined) throw new DownhillError('argument', 'concatenate: expected at least one data set');
  for (const set of sets) {
    const expected = describe(first);
    const found = describe(set);
    if (found !== expected) {
      const message = `concatenate: "${set.name}" has ${found}; "${first.name}" has ${expected}`;
      throw new DownhillError('data', message);
    }
  }
  const x = joined(sets.map((set) => set.x));
  const y = joined(sets.map((set) => set.y));
  return { ...first, name: name ?? first.name, x, y, size: sets.reduce((sum, set) => sum + set.size, 0) };
}

/**
 * A set with every example replaced by `change(example, index)`, f32 of `xShape` (that of `set` unless given). The
 * example is a view on the values as they are stored: bytes of images are 0…255.
 * @throws DownhillError('shape') when `change` gives another number of values.
 */
export function mapExamples(
  set: ArrayDataset,
  change: (example: DataArray, index: number) => ArrayLike<number>,
  xShape: readonly number[] = set.xShape,
  ...surplus: Surplus
): ArrayDataset {
  refuseSurplus('mapExamples', surplus);
  const from = volume(set.xShape);
  const to = volume(xShape);
  const x = new Float32Array(set.size * to);
  for (let row = 0; row < set.size; row++) {
    const values = change(set.x.subarray(row * from, (row + 1) * from), row);
    if (values.length !== to) {
      const found = `${values.length} values for example ${row}`;
      throw new DownhillError('shape', `mapExamples of "${set.name}": found ${found}; expected ${to} for [${xShape}]`);
    }
    x.set(values, row * to);
  }
  return { ...set, x, xShape };
}

/**
 * The set with one-hot rows for its class ids: y f32 [size, classes], for losses such as categoricalCrossentropy.
 * @param classes the number of class names unless given.
 * @throws DownhillError('data') for targets that are not class ids below `classes`, or when the count is unknown.
 */
export function oneHotTargets(set: ArrayDataset, classes = set.classNames?.length, ...surplus: Surplus): ArrayDataset {
  refuseSurplus('oneHotTargets', surplus);
  if (classes === undefined) {
    throw new DownhillError(
      'data',
      `oneHotTargets of "${set.name}": it has no class names; expected a number of classes`,
    );
  }
  checkClassIds(set, classes);
  const y = new Float32Array(set.size * classes);
  for (let row = 0; row < set.size; row++) y[row * classes + set.y[row]!] = 1;
  const { classNames: _, ...rest } = set;
  return { ...rest, y, yShape: [classes] };
}

export interface BatchesOptions {
  /** Shuffles by this seed; in order unless given. */
  readonly seed?: number;
  /** Leaves out a last batch that is not full; false unless given. */
  readonly dropRemainder?: boolean;
}

/**
 * The examples in batches of `size`, each a data set of its own; a view when not shuffled.
 * @throws DownhillError('argument') when `size` is not a whole number of at least 1.
 */
export function* batches(
  set: ArrayDataset,
  size: number,
  options: BatchesOptions = {},
  ...surplus: Surplus
): Generator<ArrayDataset, void> {
  refuseSurplus('batches', surplus);
  const owner = `batches of "${set.name}"`;
  const { seed, dropRemainder = false } = checkOptions(owner, options, ['seed', 'dropRemainder']);
  if (!Number.isInteger(size) || size < 1) {
    throw new DownhillError('argument', `${owner}: expected a whole number of at least 1, found ${size}`);
  }
  const order =
    seed === undefined ? undefined : new Prng(seed).shuffle(Uint32Array.from({ length: set.size }, (_, i) => i));
  for (let from = 0; from < set.size; from += size) {
    const to = Math.min(set.size, from + size);
    if (to - from < size && dropRemainder) return;
    if (order) yield select(set, order.subarray(from, to));
    else {
      const x = set.x.subarray(from * volume(set.xShape), to * volume(set.xShape));
      const y = set.y.subarray(from * volume(set.yShape), to * volume(set.yShape));
      yield { ...set, x, y, size: to - from };
    }
  }
}

/** How values are scaled: to mean 0 and deviation 1, or from 0 to 1, over the training examples. */
export type ScaleMethod = 'standard' | 'minMax';

/** A scaling learnt from one set: x becomes (x − offset) / scale, feature by feature of the last axis. */
export interface Scaler {
  readonly method: ScaleMethod;
  /** One value per feature: the mean, or the least value. */
  readonly offset: Float64Array;
  /** One value per feature: the standard deviation (over n), or greatest minus least value; 1 where that is 0. */
  readonly scale: Float64Array;
  /** The set with x scaled, as f32. @throws DownhillError('shape') for another number of features. */
  apply(set: ArrayDataset): ArrayDataset;
}

/**
 * Learns a scaling of x from the training set; the last axis (features, channels) is scaled feature by feature, as
 * Keras' Normalization does. Constant features are only shifted to 0.
 */
export function fitScaler(train: ArrayDataset, method: ScaleMethod = 'standard', ...surplus: Surplus): Scaler {
  refuseSurplus('fitScaler', surplus);
  if (method !== 'standard' && method !== 'minMax') {
    throw new DownhillError('argument', `fitScaler: expected the method standard or minMax, found ${String(method)}`);
  }
  const features = train.xShape.at(-1) ?? 1;
  const { offset, scale } = columnScale(train.x, features, method);
  return {
    method,
    offset,
    scale,
    apply(set) {
      if ((set.xShape.at(-1) ?? 1) !== features) {
        const found = `examples of shape [${set.xShape}]`;
        throw new DownhillError(
          'shape',
          `scaler of "${train.name}": "${set.name}" has ${found}; expected ${features} features`,
        );
      }
      const x = Float32Array.from(set.x, (value, k) => (value - offset[k % features]!) / scale[k % features]!);
      return { ...set, x };
    },
  };
}

/** Offset and scale of each of `features` interleaved columns; NaN marks a missing value and is skipped. */
export function columnScale(
  values: ArrayLike<number>,
  features: number,
  method: ScaleMethod,
): Pick<Scaler, 'offset' | 'scale'> {
  const offset = new Float64Array(features);
  const scale = new Float64Array(features).fill(1);
  for (let f = 0; f < features; f++) {
    let [count, sum, low, high] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let k = f; k < values.length; k += features) {
      const value = values[k]!;
      if (Number.isNaN(value)) continue;
      count++;
      sum += value;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (count === 0) continue;
    const mean = sum / count;
    let squares = 0;
    for (let k = f; k < values.length; k += features) {
      if (!Number.isNaN(values[k]!)) squares += (values[k]! - mean) ** 2;
    }
    offset[f] = method === 'standard' ? mean : low;
    // A constant column has a deviation of rounding errors at most.
    const spread = high === low ? 0 : method === 'standard' ? Math.sqrt(squares / count) : high - low;
    if (spread > 0) scale[f] = spread;
  }
  return { offset, scale };
}

function describe(set: ArrayDataset): string {
  const classes = set.classNames ? ` and classes ${set.classNames.join(', ')}` : '';
  const kind = (values: DataArray) => values.constructor.name;
  return `x ${kind(set.x)} [${set.xShape}], y ${kind(set.y)} [${set.yShape}]${classes}`;
}

function joined(arrays: readonly DataArray[]): DataArray {
  const Kind = arrays[0]!.constructor as new (length: number) => DataArray;
  const all = new Kind(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}
