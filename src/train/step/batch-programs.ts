/**
 * BatchPrograms: programs for single batches that a caller hands in (`predict`, `trainOnBatch`, `gradientsOnBatch`),
 * kept from call to call, so that a call costs an upload, a run and a read.
 *
 * Invariant: at most CAPACITY programs are alive, the least recently used goes first; each owns the buffers of its
 * batch.
 */

import type { Backend } from '../../backend/backend.ts';
import type { GraphSpec } from '../../core/graph.ts';
import { type DeviceTable, deviceTable, writeTable } from '../data/device-table.ts';
import { type FeedSpec, rowsOfTables, type Tables } from '../data/feed.ts';
import type { Table } from '../data/table.ts';
import type { DeviceGroup } from '../weights/weight-store.ts';
import { StepProgram } from './step-program.ts';
import { stepBuffers } from './training-context.ts';

const CAPACITY = 4;

/** A loaded program with the buffers of its batch. */
export interface BatchProgram {
  readonly program: StepProgram;
  /** Replaces the batch; takes effect for the runs that follow. */
  write(batch: Tables): void;
}

interface Entry extends BatchProgram {
  readonly groups: readonly DeviceGroup[];
  dispose(): void;
}

export class BatchPrograms {
  private readonly entries = new Map<string, Entry>();

  /** The program of `kind` for batches like `batch`, made by `graph` when there is none yet. */
  async get(
    kind: string,
    backend: Backend,
    groups: readonly DeviceGroup[],
    batch: Tables,
    graph: (spec: FeedSpec) => GraphSpec,
  ): Promise<BatchProgram> {
    const key = [kind, ...[...batch].map(([name, table]) => `${name}: ${describeTable(table)}`)].join(' ');
    let entry = this.entries.get(key);
    // Bound to buffers that the weights have left.
    if (entry !== undefined && entry.groups !== groups) {
      entry.dispose();
      entry = undefined;
    }
    this.entries.delete(key);
    entry ??= await makeEntry(backend, groups, batch, graph);
    this.entries.set(key, entry);
    for (const [oldest, { dispose }] of this.entries) {
      if (this.entries.size <= CAPACITY) break;
      dispose();
      this.entries.delete(oldest);
    }
    return entry;
  }

  /** Frees all programs; the next call makes them anew. */
  clear(): void {
    for (const { dispose } of this.entries.values()) dispose();
    this.entries.clear();
  }
}

async function makeEntry(
  backend: Backend,
  groups: readonly DeviceGroup[],
  batch: Tables,
  graph: (spec: FeedSpec) => GraphSpec,
): Promise<Entry> {
  const tables = new Map<string, DeviceTable>();
  const disposeTables = () => {
    for (const table of tables.values()) table.dispose();
  };
  try {
    for (const [name, table] of batch) tables.set(name, deviceTable(backend, table.name, table));
    const buffers = new Map([...tables].map(([name, { buffer }]) => [name, buffer]));
    const spec: FeedSpec = { count: rowsOfTables(batch), access: 'whole', tables: batch };
    const program = await StepProgram.load(backend, graph(spec), stepBuffers(groups, { buffers }));
    return {
      groups,
      program,
      write: (next) => {
        for (const [name, target] of tables) writeTable(backend, target, next.get(name)!);
      },
      dispose: () => {
        program.dispose();
        disposeTables();
      },
    };
  } catch (error) {
    disposeTables();
    throw error;
  }
}

function describeTable({ rows, shape, encoding }: Table): string {
  return `${encoding}[${[rows, ...shape]}]`;
}
