/**
 * The graphs that `fit` and `evaluate` run, for the tuner: what they compute depends on shapes alone, so nothing is
 * uploaded.
 */

import type { GraphSpec } from '../../core/graph.ts';
import type { BatchData } from '../data/batch-data.ts';
import { fitsDevice } from '../data/device-table.ts';
import { rowsOfTables, type Tables } from '../data/feed.ts';
import { type BatchSpec, evaluateGraph, trainGraph } from '../step/step-graph.ts';
import type { Compiled, Context } from '../step/training-context.ts';

export interface TuningGraphs {
  /** The step of a full batch, and the evaluation of one. */
  readonly full: readonly GraphSpec[];
  /** The same of the last, smaller batch of an epoch, where there is one. */
  readonly last: readonly GraphSpec[];
}

/** The graphs for `data`; of a stream, whose last batch is not known, the first batch is taken. */
export async function tuningGraphs(context: Context, compiled: Compiled, data: BatchData): Promise<TuningGraphs> {
  const tables = data.kind === 'tables' ? data.tables : await firstBatch(data.open());
  const rows = rowsOfTables(tables);
  const count = Math.min(data.batchSize, rows);
  const resident = data.kind === 'tables' && [...tables.values()].every((table) => fitsDevice(context.backend, table));
  const batch = (size: number, access: 'shuffled' | 'sequential'): BatchSpec =>
    resident
      ? { count: size, access, tables }
      : {
          ...{ count: size, access: 'whole' },
          tables: new Map([...tables].map(([name, table]) => [name, { ...table, rows: size }])),
        };
  const { parts } = context;
  const both = (size: number): GraphSpec[] => [
    trainGraph(parts, compiled.losses, compiled.optimizer, batch(size, 'shuffled')),
    evaluateGraph(parts, compiled.losses, batch(size, 'sequential')),
  ];
  const rest = rows % count;
  return { full: both(count), last: rest === 0 || data.kind === 'stream' ? [] : both(rest) };
}

async function firstBatch(batches: AsyncGenerator<Tables, void>): Promise<Tables> {
  const { value } = await batches.next();
  await batches.return();
  // A stream that is empty has been refused by its own check.
  return value as Tables;
}
