/**
 * Table: examples or targets as the training loop wants them, one typed array with the example as its first axis,
 * whatever the caller gave (a tensor, nested arrays, a typed array with its shape, a data set).
 *
 * Invariant: a table has at least one row, and `data` holds exactly rows × size(shape) values. Bytes (u8) stand for
 * images and mean value / 255; every other kind of x is f32.
 */

import { Tensor } from '../core/tensor.ts';
import type { ArrayDataset } from '../data/dataset.ts';
import type { DatasetStream } from '../data/stream.ts';
import { show } from '../nn/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { checkShape, formatShape, type Shape, sizeOf } from '../util/shape.ts';

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

/** Values in row-major order with their shape, examples first. As x, a Uint8Array is an image: 0…255 become 0…1. */
export interface ShapedData {
  readonly data: NumericArray;
  readonly shape: Shape;
}

/** What `fit`, `evaluate` and `predict` take for x and y. */
export type DataInput = Tensor | NestedNumbers | ShapedData;

export interface Table {
  /** What errors call it: `x`, `validation y`, `digits/train x`. */
  readonly name: string;
  readonly rows: number;
  /** Shape of one row. */
  readonly shape: Shape;
  readonly encoding: 'f32' | 'i32' | 'u8';
  readonly data: Float32Array | Int32Array | Uint8Array;
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
 * `input` as a table; numbers are kept as they are, in f32, i32 or u8.
 * @throws DownhillError `data` for an empty set, `shape` for ragged arrays or values that do not fill the shape,
 *   `argument` for anything that is no data.
 */
export async function toTable(name: string, input: unknown): Promise<Table> {
  const { data, shape } = await shapedData(name, input);
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
  return { name, rows, shape: rowShape, ...encode(data) };
}

/** One side of a data set. */
export function datasetTable(set: ArrayDataset, side: 'x' | 'y'): Promise<Table> {
  const [data, shape] = side === 'x' ? [set.x, set.xShape] : [set.y, set.yShape];
  return toTable(`${side} of "${set.name}"`, { data, shape: [set.size, ...shape] });
}

/** Rows `from` to `to` (excluded) of `table`, as a view. */
export function tableRows(table: Table, from: number, to: number): Table {
  const width = sizeOf(table.shape);
  return { ...table, rows: to - from, data: table.data.subarray(from * width, to * width) };
}

/** The values of a table as f32. */
export function floatTable(table: Table): Table {
  if (table.encoding === 'f32') return table;
  return { ...table, encoding: 'f32', data: Float32Array.from(table.data) };
}

/** A table of examples as programs take it: bytes stay bytes (images), everything else becomes f32. */
export function exampleTable(table: Table): Table {
  return table.encoding === 'u8' ? table : floatTable(table);
}

async function shapedData(name: string, input: unknown): Promise<{ data: NumericArray; shape: Shape }> {
  if (input instanceof Tensor) {
    const data = input.leaf?.kind === 'host' ? input.leaf.data : await input.data();
    // A bool tensor reads as bytes, which must not be taken for an image.
    return { data: input.dtype === 'bool' ? Float32Array.from(data) : data, shape: input.shape };
  }
  if (Array.isArray(input)) return nestedData(name, input as NestedNumbers);
  if (isNumericArray(input)) return { data: input, shape: [input.length] };
  if (typeof input === 'object' && input !== null && 'data' in input && 'shape' in input) {
    const { data, shape } = input as { data: unknown; shape: unknown };
    if (isNumericArray(data) && Array.isArray(shape)) return { data, shape };
  }
  throw new DownhillError(
    'argument',
    `${name}: expected a tensor, nested arrays of numbers, or { data: typed array, shape }, found ${show(input)}`,
  );
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

function encode(data: NumericArray): Pick<Table, 'encoding' | 'data'> {
  if (data instanceof Float32Array) return { encoding: 'f32', data };
  if (data instanceof Uint8Array) return { encoding: 'u8', data };
  if (data instanceof Uint8ClampedArray) {
    return { encoding: 'u8', data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  }
  if (data instanceof Int32Array) return { encoding: 'i32', data };
  if (data instanceof Float64Array || data instanceof Uint32Array) {
    return { encoding: 'f32', data: Float32Array.from(data) };
  }
  return { encoding: 'i32', data: Int32Array.from(data) };
}
