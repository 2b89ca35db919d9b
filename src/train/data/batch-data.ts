/**
 * Checked data for a loop of steps: tables in memory, or a stream whose batches are checked as they come.
 */

import type { Tables } from './feed.ts';
import { rowsOfTables } from './feed.ts';

export interface TableData {
  readonly kind: 'tables';
  /** By input name. */
  readonly tables: Tables;
  readonly batchSize: number;
}

export interface StreamData {
  readonly kind: 'stream';
  /** Of the data set. */
  readonly name: string;
  /** Examples of a pass, where they are known. */
  readonly size: number | undefined;
  readonly batchSize: number;
  /** Steps of an epoch; a pass of the stream when undefined. */
  readonly steps: number | undefined;
  /** What says how many steps there are, for warnings: `stepsPerEpoch`. */
  readonly stepsOption: string;
  /** True when an epoch goes on where the last one ended, false when each begins a new pass. */
  readonly flows: boolean;
  /** One pass: batches of `batchSize` rows, the last one perhaps smaller, checked, by input name. */
  open(): AsyncGenerator<Tables, void>;
}

export type BatchData = TableData | StreamData;

/** What is known of the data before the first batch; undefined for what a stream does not say. */
export function dataFacts(data: BatchData): {
  readonly samples: number | undefined;
  readonly batchSize: number;
  readonly steps: number | undefined;
} {
  const samples = data.kind === 'tables' ? rowsOfTables(data.tables) : data.size;
  const batchSize = samples === undefined ? data.batchSize : Math.min(data.batchSize, samples);
  const given = data.kind === 'stream' ? data.steps : undefined;
  return { samples, batchSize, steps: given ?? (samples === undefined ? undefined : Math.ceil(samples / batchSize)) };
}
