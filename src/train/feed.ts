/**
 * Feed: where a program's batches come from. A data set that fits is uploaded once and gathered on the device
 * (resident); a larger one stays on the host, and each step's rows are written before its submit (streamed).
 *
 * Invariant: both kinds give the same rows in the same order for the same (seed, epoch).
 */

import type { Backend, BackendBuffer } from '../backend/backend.ts';
import { shuffleIndices } from '../ops/permute.ts';
import { sizeOf } from '../util/shape.ts';
import type { TableSpec } from './batch.ts';
import { type DeviceTable, deviceTable, fitsDevice, writeTable } from './device-table.ts';
import type { RowAccess } from './step-graph.ts';
import type { Table } from './table.ts';

/** Examples and, in training and evaluation, their targets. */
export interface Tables {
  readonly x: Table;
  readonly y?: Table;
}

/** What the graph of a step with `count` rows reads. */
export interface FeedSpec {
  readonly count: number;
  readonly access: RowAccess;
  readonly x: TableSpec;
  readonly y?: TableSpec;
}

export interface Feed {
  readonly rows: number;
  /** Buffers by input name, `x` and `y`. */
  readonly buffers: ReadonlyMap<string, BackendBuffer>;
  spec(count: number): FeedSpec;
  /** Chooses the epoch's order; `key` is [seed, epoch]. */
  startEpoch(key: readonly [number, number]): void;
  /** Makes rows `offset` … of the epoch the next step's batch. */
  prepare(offset: number, count: number): void;
  dispose(): void;
}

/** A feed of `tables` for batches of at most `batchSize` rows, shuffled in each epoch or in order. */
export function createFeed(backend: Backend, { x, y }: Tables, batchSize: number, shuffled: boolean): Feed {
  const tables: Tables = { x, ...(y && { y }) };
  const sides = Object.entries(tables) as ['x' | 'y', Table][];
  const resident = sides.every(([, table]) => fitsDevice(backend, table));
  const device = new Map<'x' | 'y', DeviceTable>();
  try {
    for (const [side, table] of sides) {
      const spec = resident ? table : { ...table, rows: Math.min(batchSize, table.rows) };
      device.set(side, deviceTable(backend, table.name, spec, resident ? table : undefined));
    }
  } catch (error) {
    for (const table of device.values()) table.dispose();
    throw error;
  }
  const common = {
    rows: tables.x.rows,
    buffers: new Map([...device].map(([side, { buffer }]) => [side, buffer])),
    dispose: () => {
      for (const table of device.values()) table.dispose();
    },
  };
  if (!resident) return { ...common, ...streamed(backend, tables, device, shuffled) };
  return {
    ...common,
    spec: (count) => ({ count, access: shuffled ? 'shuffled' : 'sequential', ...tables }),
    startEpoch: () => {},
    prepare: () => {},
  };
}

function streamed(
  backend: Backend,
  tables: Tables,
  device: ReadonlyMap<'x' | 'y', DeviceTable>,
  shuffled: boolean,
): Pick<Feed, 'spec' | 'startEpoch' | 'prepare'> {
  const { rows } = tables.x;
  let order: Uint32Array | undefined;
  return {
    spec: (count) => ({
      count,
      access: 'whole',
      x: { ...tables.x, rows: count },
      ...(tables.y && { y: { ...tables.y, rows: count } }),
    }),
    startEpoch: (key) => {
      if (shuffled) order = epochOrder(key, rows);
    },
    prepare: (offset, count) => {
      for (const [side, target] of device) writeTable(backend, target, rowsOf(tables[side]!, order, offset, count));
    },
  };
}

/** The permutation of an epoch, by the reference of the op that resident feeds run on the device. */
export function epochOrder(key: readonly [number, number], rows: number): Uint32Array {
  const order = new Uint32Array(rows);
  shuffleIndices.cpu(
    [
      { shape: [2], dtype: 'u32', data: Uint32Array.from(key) },
      { shape: [], dtype: 'u32', data: new Uint32Array(1) },
    ],
    { shape: [rows], dtype: 'u32', data: order },
    { count: rows, n: rows },
  );
  return order;
}

function rowsOf(table: Table, order: Uint32Array | undefined, offset: number, count: number): Table {
  const width = sizeOf(table.shape);
  if (order === undefined) {
    return { ...table, rows: count, data: table.data.subarray(offset * width, (offset + count) * width) };
  }
  const data = table.data.slice(0, count * width);
  for (let row = 0; row < count; row++) {
    const from = order[offset + row] * width;
    data.set(table.data.subarray(from, from + width), row * width);
  }
  return { ...table, rows: count, data };
}
