/**
 * DeviceTable: a table's values in a buffer of the backend, uploaded once for a whole training.
 *
 * Invariant: bytes are packed four to a word, little end first, and each row starts at a word of its own; so a gathered
 * row is a run of whole words. The table owns its buffer.
 */

import type { Backend, BackendBuffer } from '../../backend/backend.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, sizeOf } from '../../util/shape.ts';
import { formatBytes } from '../../util/text.ts';
import { type TableSpec, tableAval, wordsOfRow } from './batch.ts';
import type { Table } from './table.ts';

export interface DeviceTable {
  readonly spec: TableSpec;
  readonly buffer: BackendBuffer;
  dispose(): void;
}

/** True when a kernel on `backend` can bind the whole table. */
export function fitsDevice(backend: Backend, table: TableSpec): boolean {
  const { maxStorageBufferBindingSize, maxBufferSize } = backend.target;
  return 4 * sizeOf(tableAval(table).shape) <= Math.min(maxStorageBufferBindingSize, maxBufferSize);
}

/**
 * A buffer for `spec`, with the values of `table` when it is given. @throws DownhillError `device` when it is too
 * large.
 */
export function deviceTable(backend: Backend, name: string, spec: TableSpec, table?: Table): DeviceTable {
  const { shape, dtype } = tableAval(spec);
  if (!fitsDevice(backend, spec)) {
    const found = `${spec.rows} rows of ${formatShape(spec.shape)} take ${formatBytes(4 * sizeOf(shape))} on the device`;
    const limit = formatBytes(backend.target.maxStorageBufferBindingSize);
    throw new DownhillError('device', `${name}: ${found}; ${backend.description} binds at most ${limit}`);
  }
  const buffer = backend.createBuffer(sizeOf(shape), dtype, name);
  const uploaded: DeviceTable = { spec, buffer, dispose: () => buffer.dispose() };
  if (table !== undefined) writeTable(backend, uploaded, table);
  return uploaded;
}

/** Replaces the values; `table` has the spec that `target` was made for. */
export function writeTable(backend: Backend, target: DeviceTable, table: Table): void {
  backend.write(target.buffer, table.data instanceof Uint8Array ? packRows(table) : table.data);
}

function packRows({ data, rows, shape }: Table): Uint32Array {
  const width = sizeOf(shape);
  const bytes = 4 * wordsOfRow(shape);
  const source = data as Uint8Array;
  if (bytes === width && source.byteOffset % 4 === 0) {
    return new Uint32Array(source.buffer, source.byteOffset, source.length / 4);
  }
  const packed = new Uint8Array(rows * bytes);
  if (bytes === width) packed.set(source);
  else for (let row = 0; row < rows; row++) packed.set(source.subarray(row * width, (row + 1) * width), row * bytes);
  return new Uint32Array(packed.buffer);
}
