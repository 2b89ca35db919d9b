/**
 * Traffic: what a dispatch must move between memory and its kernel at least, whatever its tiles and the device's caches
 * do. It follows from the reference steps: every value read counts once, however many invocations load it, and every
 * value written once; a value that is overwritten in place counts as both.
 */

import { deviceBytes } from '../../core/dtype.ts';
import { type Op, opOfKey } from '../../core/op.ts';
import { RangeSet } from '../../util/range-set.ts';
import { sizeOf } from '../../util/shape.ts';
import type { PlacedValue, ReferenceStep } from '../plan.ts';

/** Bytes of a buffer. */
export interface Span {
  readonly buffer: number;
  readonly from: number;
  readonly bytes: number;
}

/** What one kernel moves. Spans may overlap. */
export interface Traffic {
  readonly reads: readonly Span[];
  readonly writes: readonly Span[];
}

/** The traffic of a kernel that computes all of `steps`. */
export function wholeTraffic(steps: readonly ReferenceStep[]): Traffic {
  const stored = steps.filter(({ output }) => output !== undefined);
  return { reads: readsFor(steps, stored, []), writes: storesOf(stored) };
}

/**
 * The traffic of two kernels that compute `steps` together: the first leaves partial results of the reductions and
 * contractions in `partials`, the second merges them and does the rest.
 */
export function stagedTraffic(steps: readonly ReferenceStep[], partials: readonly PlacedValue[]): [Traffic, Traffic] {
  const scratch = partials.map((value) => spanOf(value));
  const stored = steps.filter(({ output }) => output !== undefined);
  const reductions = steps.filter(({ op }) => ['reduce', 'contract'].includes(opOfKey(op).lower.kind));
  return [
    { reads: readsFor(steps, reductions, []), writes: scratch },
    { reads: [...scratch, ...readsFor(steps, stored, reductions)], writes: storesOf(stored) },
  ];
}

/** Bytes that kernels with `traffics` move when they run side by side: what several of them read counts once. */
export function bytesMoved(traffics: readonly Traffic[]): number {
  const read = distinctBytes(traffics.flatMap(({ reads }) => reads));
  const written = distinctBytes(traffics.flatMap(({ writes }) => writes));
  return read + written;
}

function storesOf(steps: readonly ReferenceStep[]): Span[] {
  return steps.flatMap(({ output }) => (output === undefined ? [] : [spanOf(output)]));
}

/** Of the first `most` elements of a value. */
function spanOf({ buffer, offset, shape, dtype }: PlacedValue, most = Number.POSITIVE_INFINITY): Span {
  return { buffer, from: deviceBytes(dtype, offset), bytes: deviceBytes(dtype, Math.min(most, sizeOf(shape))) };
}

/**
 * What must be loaded for all elements of `wanted`, if the results of `known` need not be computed. Rows that an index
 * picks count from the value's start: which rows they are, nobody knows before the step runs, only how many.
 */
function readsFor(
  steps: readonly ReferenceStep[],
  wanted: readonly ReferenceStep[],
  known: readonly ReferenceStep[],
): Span[] {
  // Elements of each step's result that are needed; readers come after what they read.
  const needed = steps.map((step) => (wanted.includes(step) ? sizeOf(step.shape) : 0));
  const reads: Span[] = [];
  for (let k = steps.length - 1; k >= 0; k--) {
    const { op, inputs } = steps[k];
    if (needed[k] === 0 || known.includes(steps[k])) continue;
    const most = loadsOncePerElement(opOfKey(op)) ? needed[k] : Number.POSITIVE_INFINITY;
    for (const input of inputs) {
      if ('step' in input) {
        needed[input.step] = Math.max(needed[input.step], Math.min(most, sizeOf(steps[input.step].shape)));
      } else {
        reads.push(spanOf(input, most));
      }
    }
  }
  return reads;
}

/**
 * Whether an element of the result takes at most one element of each input, so that a slice reads no more than a slice.
 */
function loadsOncePerElement({ lower }: Op): boolean {
  if (lower.kind === 'index') return lower.cost === 'inline';
  return lower.kind === 'map' || lower.kind === 'view' || lower.kind === 'concat';
}

function distinctBytes(spans: readonly Span[]): number {
  const byBuffer = new Map<number, RangeSet>();
  for (const { buffer, from, bytes } of spans) {
    let ranges = byBuffer.get(buffer);
    if (ranges === undefined) byBuffer.set(buffer, (ranges = new RangeSet()));
    ranges.add(from, from + bytes);
  }
  return [...byBuffer.values()].reduce((sum, { size }) => sum + size, 0);
}
