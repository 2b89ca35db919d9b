/**
 * Table: examples or targets as the training loop wants them, one typed array with the example as its first axis,
 * whatever the caller gave (a tensor, nested arrays, a typed array with its shape, a data set).
 *
 * Invariants: a table has at least one row, and `data` holds exactly rows × size(shape) values. Values are copied
 * before `toTable` returns its promise, so whoever gave them may change them at once; only a tensor on the device is
 * waited for. What bytes mean is said in util/bytes.ts and decided when they become examples or targets; until then
 * they are `bytes`.
 */

import { Tensor } from '../../core/tensor.ts';
import type { ArrayDataset } from '../../data/dataset.ts';
import type { DatasetStream } from '../../data/stream.ts';
import { show, trueOrFalse } from '../../nn/check-options.ts';
import { BYTE_RANGE, bytesAreImages, isBytes } from '../../util/bytes.ts';
import { DownhillError } from '../../util/errors.ts';
import { checkShape, formatShape, type Shape, sizeOf } from '../../util/shape.ts';

/** Numbers in arrays of arrays of one shape. */
export type NestedNumbers = readonly number[] | readonly NestedNumbers[];

/** Any typed array whose values are numbers. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/**
 * Values in row-major order with their shape, examples first. Bytes of images [N, height, width, channels] mean value /
 * 255.
 */
export interface ShapedData {
  readonly data: NumericArray;
  readonly shape: Shape;
  /** Of bytes: true where each means value / 255, false for plain numbers; left out, their shape decides. */
  readonly scaleBytes?: boolean;
}

/** What `fit`, `evaluate` and `predict` take for x and y. */
export type DataInput = Tensor | NestedNumbers | NumericArray | ShapedData;

export interface Table {
  /** What errors call it: `x`, `validation y`, `digits/train x`. */
  readonly name: string;
  readonly rows: number;
  /** Shape of one row. */
  readonly shape: Shape;
  /** `u8`: bytes that mean value / 255; `bytes`: bytes as plain numbers. */
  readonly encoding: 'f32' | 'i32' | 'u8' | 'bytes';
  readonly data: Float32Array | Int32Array | Uint8Array;
  /** Of bytes: what the caller said that they mean. */
  readonly scaleBytes?: boolean;
}

/** True for a data set that comes batch by batch. */
export function isStream(value: unknown): value is DatasetStream {
  return typeof value === 'object' && value !== null && 'batches' in value && typeof value.batches === 'function';
}

/** True for a data set with its two sides. */
export function isDataset(value: unknown): value is ArrayDataset {
  return typeof value === 'object' && value !== null && 'xShape' in value && 'yShape' in value;
}

/**
 * `input` as a table; numbers are kept as they are, in f32, i32 or bytes, and copied before the promise is returned.
 * @param owned true when nobody else changes the values: they are not copied.
 * @throws DownhillError `data` for an empty set, `shape` for ragged arrays or values that do not fill the shape,
 *   `argument` for anything that is not data.
 */
export async function toTable(name: string, input: unknown, owned = false): Promise<Table> {
  // Nothing may be awaited before the copy, but what only the device holds.
  if (input instanceof Tensor && input.leaf?.kind !== 'host') {
    return tableOf(name, { data: tensorValues(input, await input.data()), shape: input.shape }, true);
  }
  return tableOf(name, shapedData(name, input), owned);
}

function tableOf(name: string, { data, shape, scaleBytes }: ShapedData, owned: boolean): Table {
  if (shape.length === 0) {
    throw new DownhillError('shape', `${name}: found a single number; expected one row an example`);
  }
  checkShape(name, shape);
  const [rows, ...rowShape] = shape;
  if (rows === 0)
    throw new DownhillError('data', `${name} is empty, of shape ${formatShape(shape)}: expected at least one example`);
  if (rowShape.includes(0))
    throw new DownhillError('data', `${name}: examples of shape ${formatShape(rowShape)} are empty`);
  if (data.length !== sizeOf(shape)) {
    const needed = `shape ${formatShape(shape)} takes ${sizeOf(shape)}`;
    throw new DownhillError('shape', `${name}: found ${data.length} values; ${needed}`);
  }
  if (scaleBytes !== undefined) trueOrFalse(name, 'scaleBytes', scaleBytes);
  return { name, rows, shape: rowShape, ...encode(data, owned), ...(scaleBytes !== undefined && { scaleBytes }) };
}

/** One side of a data set. @param owned as of `toTable`. */
export function datasetTable(set: ArrayDataset, side: 'x' | 'y', owned = false): Promise<Table> {
  const [data, shape] = side === 'x' ? [set.x, set.xShape] : [set.y, set.yShape];
  const scaleBytes = set.scaleBytes?.[side];
  const shaped = { data, shape: [set.size, ...shape], ...(scaleBytes !== undefined && { scaleBytes }) };
  return toTable(`${side} of "${set.name}"`, shaped, owned);
}

/** Rows `from` to `to` (excluded) of `table`, as a view. */
export function tableRows(table: Table, from: number, to: number): Table {
  const width = sizeOf(table.shape);
  return { ...table, rows: to - from, data: table.data.subarray(from * width, to * width) };
}

/** The values of a table as f32; bytes as plain numbers. */
export function floatTable(table: Table): Table {
  if (table.encoding === 'f32') return table;
  return { ...table, encoding: 'f32', data: Float32Array.from(table.data) };
}

/** A table of examples as programs take it: bytes stay bytes, everything else becomes f32. */
export function exampleTable(table: Table): Table {
  if (table.encoding !== 'bytes') return table.encoding === 'u8' ? table : floatTable(table);
  return bytesAreImages(table.name, table.data, table.shape, table.scaleBytes) ? { ...table, encoding: 'u8' } : table;
}

/** A table of numbers to predict, f32: bytes by the rule of examples, so that an image may be its own target. */
export function valueTable(table: Table): Table {
  const floats = floatTable(table);
  if (exampleTable(table).encoding !== 'u8') return floats;
  return { ...floats, data: (floats.data as Float32Array).map((value) => value / BYTE_RANGE) };
}

function shapedData(name: string, input: unknown): ShapedData {
  if (input instanceof Tensor && input.leaf?.kind === 'host') {
    return { data: tensorValues(input, input.leaf.data), shape: input.shape };
  }
  if (Array.isArray(input)) return nestedData(name, input as NestedNumbers);
  if (isNumericArray(input)) return { data: input, shape: [input.length] };
  if (typeof input === 'object' && input !== null && 'data' in input && 'shape' in input) {
    const { data, shape, scaleBytes } = input as { data: unknown; shape: unknown; scaleBytes?: boolean };
    if (isNumericArray(data) && Array.isArray(shape))
      return { data, shape, ...(scaleBytes !== undefined && { scaleBytes }) };
  }
  throw new DownhillError(
    'argument',
    `${name}: expected a tensor, nested arrays of numbers, or { data: typed array, shape }, found ${show(input)}`,
  );
}

/** A bool tensor reads as bytes, which must not be taken for an image. */
function tensorValues({ dtype }: Tensor, data: NumericArray): NumericArray {
  return dtype === 'bool' ? Float32Array.from(data) : data;
}

function isNumericArray(value: unknown): value is NumericArray {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView) &&
    !(value instanceof BigInt64Array || value instanceof BigUint64Array)
  );
}

function nestedData(name: string, nested: NestedNumbers): { data: Float32Array; shape: Shape } {
  const shape: number[] = [];
  for (let level: unknown = nested; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const data = new Float32Array(sizeOf(shape));
  let end = 0;
  const fill = (value: unknown, axis: number, path: string): void => {
    if (axis === shape.length) {
      if (typeof value !== 'number') {
        throw new DownhillError('argument', `${name}${path}: expected a number, found ${show(value)}`);
      }
      data[end++] = value;
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[axis]) {
      const found = Array.isArray(value) ? `${value.length} entries` : show(value);
      throw new DownhillError(
        'shape',
        `${name}${path}: expected ${shape[axis]} entries as in the first row, found ${found}`,
      );
    }
    // By index: forEach passes over the holes of an array.
    for (let k = 0; k < value.length; k++) fill(value[k], axis + 1, `${path}[${k}]`);
  };
  fill(nested, 0, '');
  return { data, shape };
}

/** `data` in one of the kinds that tables hold, copied unless it is `owned`. */
function encode(data: NumericArray, owned: boolean): Pick<Table, 'encoding' | 'data'> {
  if (data instanceof Float32Array) return { encoding: 'f32', data: owned ? data : data.slice() };
  if (isBytes(data)) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
    return { encoding: 'bytes', data: owned ? bytes : bytes.slice() };
  }
  if (data instanceof Int32Array) return { encoding: 'i32', data: owned ? data : data.slice() };
  if (data instanceof Float64Array || data instanceof Uint32Array) {
    return { encoding: 'f32', data: Float32Array.from(data) };
  }
  return { encoding: 'i32', data: Int32Array.from(data) };
}
