/**
 * NumPy's archives (.npz, a zip of .npy files), and data sets from NumPy arrays.
 *
 * Invariant: an array keeps its name without `.npy`, as numpy.load shows it.
 */
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';
import { type ArrayDataset, arrayDataset, type DataArray } from '../dataset.ts';
import { type NpyArray, readNpy, writeNpy } from './npy.ts';
import { readZip, writeZip } from './zip.ts';

/**
 * The arrays of a .npz file (numpy.savez or savez_compressed) by name.
 * @throws DownhillError('file') for a broken archive or array, naming the entry.
 */
export async function readNpz(bytes: Uint8Array, name = 'npz'): Promise<Map<string, NpyArray>> {
  const arrays = new Map<string, NpyArray>();
  for (const [entry, content] of await readZip(bytes, name)) {
    const key = entry.replace(/\.npy$/, '');
    if (arrays.has(key)) throw new DownhillError('file', `${name}: two entries are named "${key}"; expected one`);
    arrays.set(key, readNpy(content, `${name}: ${entry}`));
  }
  return arrays;
}

/** The bytes of a .npz file with these arrays, compressed unless `compress` is false; throws as `writeNpy`. */
export async function writeNpz(
  arrays: Readonly<Record<string, Parameters<typeof writeNpy>[0]>>,
  options: { readonly compress?: boolean } = {},
): Promise<Uint8Array> {
  const { compress = true } = checkOptions('writeNpz', options, ['compress']);
  const entries = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, writeNpy(array)] as const);
  return writeZip(new Map(entries), compress);
}

export interface NpyDatasetOptions {
  readonly name?: string;
  /** For class ids: the name of each class. */
  readonly classNames?: readonly string[];
  /** Whether whole numbers of x that f32 does not hold (most beyond 2²⁴) are rounded; false unless given. */
  readonly round?: boolean;
}

/**
 * A data set of two arrays, the example as the first axis of both. u8 examples stay bytes (images), other numbers
 * become f32: those of f64 are rounded to its 24 bits, whole numbers must be among those that it holds. Whole-number
 * targets must fit 32 bits.
 * @throws DownhillError('data') for numbers that do not fit or counts that differ; ('shape') for a single number.
 */
export function npyDataset(x: NpyArray, y: NpyArray, options: NpyDatasetOptions = {}): ArrayDataset {
  const known = ['name', 'classNames', 'round'] as const;
  const { name = 'npy', classNames, round = false } = checkOptions('npyDataset', options, known);
  for (const [side, { shape }] of [
    ['x', x],
    ['y', y],
  ] as const) {
    if (shape.length > 0) continue;
    throw new DownhillError('shape', `data set "${name}": ${side} is a single number; expected one row per example`);
  }
  const examples = x.dtype === 'u8' ? x.values : inF32(name, 'x', x.values, round);
  return arrayDataset({
    name,
    x: examples as DataArray,
    xShape: x.shape.slice(1),
    y: targets(name, y),
    yShape: y.shape.slice(1),
    ...(classNames && { classNames }),
  });
}

/** The array `name`. @throws DownhillError('argument') with the nearest name when there is none. */
export function arrayOf(arrays: ReadonlyMap<string, NpyArray>, name: string, file: string): NpyArray {
  const array = arrays.get(name);
  if (array) return array;
  throw unknownName(`array of ${file}:`, name, [...arrays.keys()]);
}

function targets(name: string, { values }: NpyArray): DataArray {
  if (values instanceof Uint8Array || values instanceof Int32Array || values instanceof Float32Array) return values;
  if (values instanceof Float64Array) return inF32(name, 'y', values, false);
  return Int32Array.from(values, (value: number | bigint) => {
    const number = Number(value);
    if (number >= -0x80000000 && number <= 0x7fffffff) return number;
    throw new DownhillError('data', `data set "${name}": target ${value} does not fit 32 bits`);
  });
}

/** Up to here f32 holds every whole number. */
const MOST_WHOLE = 2 ** 24;

/**
 * @throws DownhillError('data') for a value beyond f32's range and, unless `round`, a whole number that it does not
 *   hold.
 */
function inF32(name: string, side: 'x' | 'y', values: NpyArray['values'], round: boolean): Float32Array {
  if (values instanceof Float32Array) return values;
  const isFloat = values instanceof Float64Array;
  const out = new Float32Array(values.length);
  for (let k = 0; k < out.length; k++) {
    const value = values[k]!;
    const number = Number(value);
    out[k] = number;
    const held = out[k]!;
    const where = `data set "${name}": value ${k} of ${side} is ${value}`;
    if (Number.isFinite(number) && !Number.isFinite(held)) {
      throw new DownhillError('data', `${where}; expected at most 3.4e38, the range of f32: scale the values`);
    }
    // Floats are rounded to 24 bits; whole ones between 2²⁴ and 2⁵³ are counts or ids, which that would change.
    if (isFloat && !(Number.isSafeInteger(number) && Math.abs(number) > MOST_WHOLE)) continue;
    // As BigInt, since Number(value) may have been rounded itself.
    if (round || (typeof value === 'bigint' ? BigInt(held) === value : held === value)) continue;
    const hint = `subtract a common offset${side === 'x' ? ', divide them, or give round: true' : ' or divide them'}`;
    throw new DownhillError('data', `${where}, which f32 rounds to ${held}; ${hint}`);
  }
  return out;
}
