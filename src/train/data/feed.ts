/**
 * Feed: where a program's batches come from. A data set that fits is uploaded once and gathered on the device
 * (resident); a larger one stays on the host, and each step's rows are written before its submit (streamed).
 *
 * Invariant: both kinds give the same rows in the same order for the same (seed, epoch).
 */

import type { Backend, BackendBuffer } from '../../backend/backend.ts';
import { permutation } from '../../ops/layout/permute.ts';
import { sizeOf } from '../../util/shape.ts';
import type { RowAccess, TableSpec } from './batch.ts';
import { type DeviceTable, deviceTable, fitsDevice, writeTable } from './device-table.ts';
import type { Table } from './table.ts';

/** Tables with as many rows each, by the names of the inputs that a graph reads them from: `x`, `y`, `weights`. */
export type Tables = ReadonlyMap<string, Table>;

/** What the graph of a step with `count` rows reads. */
export interface FeedSpec {
  readonly count: number;
  readonly access: RowAccess;
  readonly tables: ReadonlyMap<string, TableSpec>;
}

export interface Feed {
  readonly rows: number;
  /** Buffers by input name. */
  readonly buffers: ReadonlyMap<string, BackendBuffer>;
  spec(count: number): FeedSpec;
  /** Chooses the epoch's order; `key` is [seed, epoch]. */
  startEpoch(key: readonly [number, number]): void;
  /** Makes rows `offset` … of the epoch the next step's batch. */
  prepare(offset: number, count: number): void;
  dispose(): void;
}

/** Rows of each of `tables`. */
export function rowsOfTables(tables: ReadonlyMap<string, Pick<Table, 'rows'>>): number {
  const [first] = tables.values();
  return first.rows;
}

/**
 * A feed of `tables` for batches of at most `batchSize` rows, shuffled in each epoch or in order. It takes the values
 * over: of tables that are on the device as a whole, the caller's map keeps the sizes alone.
 */
export function createFeed(backend: Backend, tables: Tables, batchSize: number, shuffled: boolean): Feed {
  const rows = rowsOfTables(tables);
  const resident = [...tables.values()].every((table) => fitsDevice(backend, table));
  const device = new Map<string, DeviceTable>();
  const dispose = () => {
    for (const table of device.values()) table.dispose();
  };
  try {
    for (const [name, table] of tables) {
      const spec = resident ? table : { ...table, rows: Math.min(batchSize, rows) };
      device.set(name, deviceTable(backend, table.name, spec, resident ? table : undefined));
    }
  } catch (error) {
    dispose();
    throw error;
  }
  const buffers = new Map([...device].map(([name, { buffer }]) => [name, buffer]));
  if (!resident) return { rows, buffers, dispose, ...streamed(backend, tables, device, shuffled) };
  releaseValues(tables);
  return {
    rows,
    buffers,
    dispose,
    spec: (count) => ({ count, access: shuffled ? 'shuffled' : 'sequential', tables }),
    startEpoch: () => {},
    prepare: () => {},
  };
}

/** Lets go of the host's copy of values that are on the device: a training must not hold a large data set twice. */
function releaseValues(tables: Tables): void {
  for (const [name, table] of tables)
    (tables as Map<string, Table>).set(name, { ...table, data: table.data.slice(0, 0) });
}

function streamed(
  backend: Backend,
  tables: Tables,
  device: ReadonlyMap<string, DeviceTable>,
  shuffled: boolean,
): Pick<Feed, 'spec' | 'startEpoch' | 'prepare'> {
  let order: Uint32Array | undefined;
  return {
    spec: (count) => ({
      count,
      access: 'whole',
      tables: new Map([...tables].map(([name, table]) => [name, { ...table, rows: count }])),
    }),
    startEpoch: (key) => {
      if (shuffled) order = epochOrder(key, rowsOfTables(tables));
    },
    prepare: (offset, count) => {
      for (const [name, target] of device) {
        writeTable(backend, target, rowsOf(tables.get(name)!, order, offset, count));
      }
    },
  };
}

/** The permutation of an epoch, as `shuffleIndices` gives it, which resident feeds run on the device. */
export function epochOrder(key: readonly [number, number], rows: number): Uint32Array {
  const permuted = permutation(key, rows);
  return Uint32Array.from({ length: rows }, (_, row) => permuted(row));
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
