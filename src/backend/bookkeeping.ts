/**
 * What every backend does in the same way: counting buffers, and refusing a load or a run that does not fit its plan.
 */

import type { Plan, PlanBuffer } from '../compile/plan.ts';
import { type DType, deviceBytes } from '../core/dtype.ts';
import { DownhillError } from '../util/errors.ts';
import type { BackendBuffer, BackendCounters } from './backend.ts';

/** All counts at zero. */
export function newCounters(): BackendCounters {
  return {
    liveBuffers: 0,
    liveBytes: 0,
    peakBytes: 0,
    buffersCreated: 0,
    bindGroupsCreated: 0,
    pipelinesCreated: 0,
    submits: 0,
    passes: 0,
    dispatches: 0,
  };
}

/** Counts a buffer that came to life with `bytes` bytes. */
export function countCreated(counters: BackendCounters, bytes: number): void {
  counters.buffersCreated++;
  counters.liveBuffers++;
  counters.liveBytes += bytes;
  counters.peakBytes = Math.max(counters.peakBytes, counters.liveBytes);
}

/** Counts a buffer of `bytes` bytes that is gone. */
export function countFreed(counters: BackendCounters, bytes: number): void {
  counters.liveBuffers--;
  counters.liveBytes -= bytes;
}

/** Words of four bytes in a plan buffer. */
export function wordsIn({ bytes }: PlanBuffer): number {
  return elementsIn(bytes, undefined);
}

/** Elements of `dtype` in `bytes`; words of four bytes where values of several dtypes share the memory. */
export function elementsIn(bytes: number, dtype: DType = 'u32'): number {
  return bytes / deviceBytes(dtype, 1);
}

/** The scalar block of a plan, when it has one. */
export function scalarBlock(plan: Plan): PlanBuffer | undefined {
  return plan.buffers.find((buffer) => buffer.role === 'scalars');
}

/**
 * Each plan buffer of role `bound` with the buffer that the caller supplies for it.
 * @throws DownhillError `argument` when the count differs, a buffer is too small, or one buffer that the plan writes
 *   is supplied twice.
 */
export function pairBound<B extends BackendBuffer>(plan: Plan, bound: readonly B[]): Map<number, B> {
  const wanted = plan.buffers.filter((buffer) => buffer.role === 'bound');
  if (wanted.length !== bound.length) {
    throw new DownhillError(
      'argument',
      `load "${plan.name}": the plan binds ${wanted.length} buffers (${wanted.map((b) => b.label).join(', ')}), got ${bound.length}`,
    );
  }
  const written = new Set<number>();
  for (const dispatch of plan.dispatches) {
    const { access } = plan.kernels[dispatch.kernel];
    dispatch.buffers.forEach((id, k) => {
      if (access[k] === 'read_write') written.add(id);
    });
  }
  const pairs = new Map<number, B>();
  const owners = new Map<B, PlanBuffer>();
  wanted.forEach((buffer, k) => {
    const given = bound[k];
    if (given.bytes < buffer.bytes) {
      throw new DownhillError(
        'argument',
        `load "${plan.name}": "${buffer.label}" takes ${buffer.bytes} bytes; buffer "${given.label}" has ${given.bytes}`,
      );
    }
    const other = owners.get(given);
    if (other !== undefined && (written.has(buffer.id) || written.has(other.id))) {
      throw new DownhillError(
        'argument',
        `load "${plan.name}": buffer "${given.label}" is bound as "${other.label}" and as "${buffer.label}", and the plan writes it; give each its own`,
      );
    }
    owners.set(given, buffer);
    pairs.set(buffer.id, given);
  });
  return pairs;
}

/** Refuses a scalar block of the wrong length. @throws DownhillError `argument`. */
export function checkScalars(plan: Plan, block: PlanBuffer | undefined, scalars: Uint32Array | undefined): void {
  const expected = block === undefined ? 0 : wordsIn(block);
  const found = scalars?.length ?? 0;
  if (found !== expected) {
    throw new DownhillError(
      'argument',
      `run "${plan.name}": the scalar block takes ${expected} words, got ${found === 0 ? 'none' : found}`,
    );
  }
}

/** Refuses a run whose bound buffers are gone. @throws DownhillError `state` naming the buffer. */
export function checkBoundAlive(
  plan: Plan,
  bound: readonly { readonly label: string; readonly disposed: boolean }[],
): void {
  const gone = bound.find((buffer) => buffer.disposed);
  if (gone !== undefined) {
    throw new DownhillError('state', `run "${plan.name}": its bound buffer "${gone.label}" was disposed`);
  }
}
