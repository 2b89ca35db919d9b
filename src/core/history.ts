/**
 * What a tensor was computed from. A tensor that was read has its value in memory and keeps its history beside it, for
 * gradients alone: everything else stops at the value.
 *
 * Invariant: a tensor is younger than all that it was computed from, so its `id` is larger. A history that was let go is
 * not forgotten without a trace: `lost` names what it led to, so that a gradient through it is refused, never 0.
 */

import { isFloat } from './dtype.ts';
import type { Op } from './op.ts';
import type { Tensor } from './tensor.ts';

/** How a tensor was computed. */
export interface History {
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

/** How `tensor` is or was computed; null for a leaf, and where no gradient flows back. */
export function historyOf(tensor: Tensor): History | null {
  const { op, inputs, attrs } = tensor;
  const history = op === null ? tensor.history : { op, inputs, attrs };
  return history === null || history.op.vjp === null || !isFloat(tensor.dtype) ? null : history;
}

/**
 * Everything that gradients of `root` pass through, inputs before users; each tensor once.
 * @param oldest tensors with smaller ids are left out: nothing that a caller wants lies behind them.
 */
export function differentiableOrder(root: Tensor, oldest = 0): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  // An explicit stack: a long chain would overflow the call stack.
  const stack: { readonly tensor: Tensor; readonly inputs: readonly Tensor[]; next: number }[] = [];
  const enter = (tensor: Tensor) => {
    if (seen.has(tensor) || tensor.id < oldest) return;
    seen.add(tensor);
    stack.push({ tensor, inputs: historyOf(tensor)?.inputs ?? [], next: 0 });
  };
  enter(root);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.next < top.inputs.length) enter(top.inputs[top.next++]);
    else order.push((stack.pop() as typeof top).tensor);
  }
  return order;
}

/** Ids in ascending ranges: first, last, first, last, … */
export type Traces = readonly number[];

/**
 * Most ranges that are kept apart. Beyond, the latest are taken as one, so that a loop without end holds nothing: a
 * gradient may then be refused that would be 0, with respect to what the same loop made long ago and did not use.
 */
const RANGES = 256;

/** What `tensor` was computed from. */
export function tracesOf(tensor: Tensor): Traces {
  const found: [number, number][] = [];
  for (const each of differentiableOrder(tensor)) {
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
export function ledTo(tensor: Tensor, source: Tensor): boolean {
  const lost = tensor.lost ?? [];
  for (let k = 0; k < lost.length; k += 2) if (lost[k] <= source.id && source.id <= lost[k + 1]) return true;
  return false;
}
