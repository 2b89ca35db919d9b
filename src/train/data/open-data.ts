/** Data on its way to the device: tables are uploaded, a stream is asked for its first batch. */

import type { Backend } from '../../backend/backend.ts';
import type { BatchData } from './batch-data.ts';
import type { OpenData } from './batches.ts';
import { createFeed } from './feed.ts';
import { TableBatches } from './table-batches.ts';

/** @param shuffled true for another order in each epoch; streams come as they are. */
export async function openData(backend: Backend, data: BatchData, shuffled: boolean): Promise<OpenData> {
  if (data.kind === 'stream') {
    const { openStream } = await import('./stream-batches.ts');
    return openStream(backend, data);
  }
  const feed = createFeed(backend, data.tables, data.batchSize, shuffled);
  return { load: (plan) => TableBatches.load(backend, feed, data.batchSize, plan), dispose: () => feed.dispose() };
}
