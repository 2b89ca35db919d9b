/**
 * How long tensors that were read keep their history: through the latest readings, and as long as what only older ones
 * hold takes little memory. Counted by what was read, not by what was collected, so that a program behaves the same in
 * every run. Reasons: docs/adr/0020-history-of-read-tensors.md.
 */

import { deviceBytes } from '../core/dtype.ts';
import type { Tensor } from '../core/tensor.ts';
import { historyOf } from '../core/tensor.ts';

/** Readings whose tensors keep their history. */
export const READINGS = 1024;
/** Bytes that readings before the latest may hold. */
export const READING_BYTES = 2 ** 28;

interface Reading {
  readonly tensors: readonly WeakRef<Tensor>[];
  /** Ids of all whose memory the histories hold. */
  readonly held: readonly number[];
}

/** By id of a tensor: its bytes, and how many readings hold it. */
const holds = new Map<number, { readonly bytes: number; readings: number }>();
const readings: Reading[] = [];
let total = 0;

/** Notes that `results` were computed from `leaves`, and lets the histories go that are over the limits. */
export function noteReading(results: readonly Tensor[], leaves: readonly Tensor[]): void {
  const tensors = results.filter((tensor) => {
    if (historyOf(tensor) !== null) return true;
    tensor.letHistoryGo();
    return false;
  });
  if (tensors.length === 0) return;
  const held = [...new Set([...tensors, ...leaves])];
  let latest = 0;
  for (const { id, dtype, size } of held) {
    const known = holds.get(id);
    const bytes = deviceBytes(dtype, size);
    if (known === undefined) total += bytes;
    holds.set(id, { bytes, readings: (known?.readings ?? 0) + 1 });
    latest += bytes;
  }
  readings.push({ tensors: tensors.map((tensor) => new WeakRef(tensor)), held: held.map(({ id }) => id) });
  while (readings.length > READINGS || (readings.length > 1 && total - latest > READING_BYTES)) letGo(readings.shift());
}

function letGo(reading: Reading | undefined): void {
  for (const reference of reading?.tensors ?? []) reference.deref()?.letHistoryGo();
  for (const id of reading?.held ?? []) {
    const hold = holds.get(id);
    if (hold === undefined || --hold.readings > 0) continue;
    holds.delete(id);
    total -= hold.bytes;
  }
}
