/**
 * How a step gets its batch: a table's rows as a graph reads them. The data is on the device as it was uploaded
 * (images as bytes, four to a u32 word); a step gathers its rows, and only then turns bytes into f32.
 *
 * Invariant: a shuffled epoch is a permutation that depends on (seed, epoch) alone, so every row is seen once an epoch
 * and the same seed gives the same order on every device.
 */

import type { Aval, Tensor } from '../../core/tensor.ts';
import { iota } from '../../ops/create.ts';
import { add } from '../../ops/elementwise/binary.ts';
import { gather } from '../../ops/layout/gather.ts';
import { shuffleIndices } from '../../ops/layout/permute.ts';
import { reshape } from '../../ops/layout/shape.ts';
import { slice } from '../../ops/layout/slice.ts';
import { unpackBytes } from '../../ops/layout/unpack-bytes.ts';
import { type Shape, sizeOf } from '../../util/shape.ts';
import type { Table } from './table.ts';

/** How a step finds its rows in the tables. */
export type RowAccess =
  /** A shuffled epoch's rows from scalar `offset` on. */
  | 'shuffled'
  /** The rows from scalar `offset` on, in order. */
  | 'sequential'
  /** The tables are the batch. */
  | 'whole';

/** A table as a graph sees it: everything but the values. */
export type TableSpec = Pick<Table, 'rows' | 'shape' | 'encoding'>;

/** Words of one row of bytes; the last one may be filled up. */
export function wordsOfRow(shape: Shape): number {
  return Math.ceil(sizeOf(shape) / 4);
}

function isPacked(encoding: TableSpec['encoding']): encoding is 'u8' | 'bytes' {
  return encoding === 'u8' || encoding === 'bytes';
}

/** The buffer's contents: u32 [rows, words] for bytes, f32 or i32 [rows, …shape] otherwise. */
export function tableAval({ rows, shape, encoding }: TableSpec): Aval {
  if (isPacked(encoding)) return { shape: [rows, wordsOfRow(shape)], dtype: 'u32' };
  return { shape: [rows, ...shape], dtype: encoding };
}

/** The rows at `indices` (all of them when undefined) as f32 or i32 [B, …shape]; `u8` becomes value / 255. */
export function batchOf(spec: TableSpec, table: Tensor, indices: Tensor | undefined): Tensor {
  const rows = indices === undefined ? table : gather(table, indices);
  if (!isPacked(spec.encoding)) return rows;
  const [count, words] = rows.shape;
  const bytes = unpackBytes(rows, spec.encoding === 'u8' ? {} : { scale: 1 });
  const width = sizeOf(spec.shape);
  const whole = 4 * words === width ? bytes : slice(bytes, [0, 0], [count, width]);
  return reshape(whole, [count, ...spec.shape]);
}

/** u32 [count]: rows `offset` … of the epoch's permutation of `rows` rows; `key` is u32 [2], [seed, epoch]. */
export function shuffledRows(key: Tensor, offset: Tensor, count: number, rows: number): Tensor {
  return shuffleIndices(key, offset, { count, n: rows });
}

/** u32 [count]: rows `offset`, `offset` + 1 … in order. */
export function sequentialRows(offset: Tensor, count: number): Tensor {
  return add(iota(count, 'u32'), offset);
}
