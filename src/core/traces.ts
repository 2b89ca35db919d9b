/**
 * The traces of a history that was let go. A tensor that was read has its value in memory and keeps its history beside
 * it, for gradients alone; when that history is dropped, `lost` still names the tensors it led to, so that a gradient
 * through it is refused, never 0.
 *
 * Invariant: a tensor is younger than all that it was computed from, so its `id` is larger.
 */

/** Ids in ascending ranges: first, last, first, last, … */
export type Traces = readonly number[];

/**
 * Most ranges that are kept apart. Beyond, the latest are taken as one, so that a loop without end holds nothing: a
 * gradient may then be refused that would be 0, with respect to what the same loop made long ago and did not use.
 */
const RANGES = 256;

/** A tensor, as far as traces go. */
interface Traced {
  readonly id: number;
  readonly lost: Traces | null;
}

/** What `tensor` was computed from; `order` is `differentiableOrder(tensor)`. */
export function tracesOf(tensor: Traced, order: readonly Traced[]): Traces {
  const found: [number, number][] = [];
  for (const each of order) {
    if (each !== tensor) found.push([each.id, each.id]);
    for (let k = 0; each.lost !== null && k < each.lost.length; k += 2) found.push([each.lost[k], each.lost[k + 1]]);
  }
  found.sort(([a], [b]) => a - b);
  const traces: number[] = [];
  for (const [first, last] of found) {
    const end = traces.length - 1;
    const near = end > 0 && (first <= traces[end] + 1 || traces.length === 2 * RANGES);
    if (near) traces[end] = Math.max(traces[end], last);
    else traces.push(first, last);
  }
  return traces;
}

/** True when `tensor` was computed from `source`, by a history that was let go. */
export function ledTo(tensor: Traced, source: Traced): boolean {
  const lost = tensor.lost ?? [];
  for (let k = 0; k < lost.length; k += 2) if (lost[k] <= source.id && source.id <= lost[k + 1]) return true;
  return false;
}
