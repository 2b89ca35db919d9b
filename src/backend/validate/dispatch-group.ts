/**
 * One checkable piece of a plan: the dispatches of a kernel (two when it has two stages) as a plan of their own, and the
 * comparison of what they left in memory with their reference steps, started from the memory that they found.
 *
 * Invariant: every element of a buffer that holds a result is looked at. Outside of the results nothing may change, so a
 * kernel that stores at a wrong index is found at once and not by whoever reads that element.
 */

import type { Dispatch, PlacedValue, Plan } from '../../compile/plan.ts';
import { isFloat } from '../../core/dtype.ts';
import { type CpuTensor, opOfKey } from '../../core/op.ts';
import { sizeOf } from '../../util/shape.ts';
import { wordsIn } from '../bookkeeping.ts';
import { arithmeticSamples, type Divergence, firstDivergence } from './bounds.ts';

/** Samples with errors: the reference of a training step is slow, and each costs as much again. */
const VALIDATION_SAMPLES = 3;

/** Memory of the device by plan buffer: the bits. */
export type Contents = ReadonlyMap<number, Uint32Array>;

export interface DispatchGroup {
  /** The last dispatch, with its reference steps, and its place in the plan. */
  readonly dispatch: Dispatch;
  readonly at: number;
  /** The dispatches alone; its k-th buffer is `buffers[k]` of the whole plan, and all are bound. */
  readonly plan: Plan;
  readonly buffers: readonly number[];
  /** Plan buffers to look at before and after. */
  readonly read: readonly number[];
  readonly written: readonly number[];
}

/** What a group got wrong. */
export interface Finding extends Divergence {
  /** `step 2 (relu)`, or the buffer where nothing should have changed. */
  readonly what: string;
}

/** The groups of `plan`, in order. */
export function dispatchGroups(plan: Plan): DispatchGroup[] {
  const groups: DispatchGroup[] = [];
  let first = 0;
  plan.dispatches.forEach((dispatch, at) => {
    // The first stage of a kernel has no reference: its result is complete after the second.
    if (dispatch.reference.length === 0 && at + 1 < plan.dispatches.length) return;
    groups.push(groupOf(plan, first, at));
    first = at + 1;
  });
  return groups;
}

function groupOf(plan: Plan, first: number, at: number): DispatchGroup {
  const dispatches = plan.dispatches.slice(first, at + 1);
  const buffers = [...new Set(dispatches.flatMap((dispatch) => dispatch.buffers))];
  const kernels = [...new Set(dispatches.map(({ kernel }) => kernel))];
  const stored = new Set(
    dispatches.flatMap(({ kernel, buffers: ids }) =>
      ids.filter((_, k) => plan.kernels[kernel].access[k] === 'read_write'),
    ),
  );
  const dispatch = plan.dispatches[at];
  const inputs = dispatch.reference.flatMap((step) => step.inputs.flatMap((input) => ('step' in input ? [] : [input])));
  const outputs = dispatch.reference.flatMap(({ output }) => (output === undefined ? [] : [output]));
  const written = [...new Set(outputs.map(({ buffer }) => buffer))];
  return {
    dispatch,
    at,
    buffers,
    read: [...new Set([...inputs.map(({ buffer }) => buffer), ...written])],
    written,
    plan: {
      name: `${plan.name}, dispatch ${at}`,
      buffers: buffers.map((id, k) => {
        const { bytes, label } = plan.buffers[id];
        return { id: k, role: 'bound', bytes, label };
      }),
      inputs: buffers.map((id, k) => {
        const whole = { buffer: k, offset: 0, shape: [wordsIn(plan.buffers[id])], dtype: 'u32' } as const;
        return { name: plan.buffers[id].label, kind: 'bound', updated: stored.has(id), ...whole };
      }),
      outputs: [],
      kernels: kernels.map((id, k) => ({ ...plan.kernels[id], id: k })),
      dispatches: dispatches.map((part) => ({
        ...part,
        kernel: kernels.indexOf(part.kernel),
        buffers: part.buffers.map((id) => buffers.indexOf(id)),
        reference: [],
      })),
      planBytes: 0,
      boundBytes: buffers.reduce((bytes, id) => bytes + plan.buffers[id].bytes, 0),
    },
  };
}

/** Compares what a group left with its reference on what it found. */
export function checkGroup(
  { dispatch, written }: DispatchGroup,
  plan: Plan,
  before: Contents,
  after: Contents,
): Finding | undefined {
  const samples = arithmeticSamples(VALIDATION_SAMPLES);
  const results: CpuTensor[][] = [];
  const unexpected = new Map(written.map((id) => [id, new Uint8Array(wordsIn(plan.buffers[id])).fill(1)]));
  for (const [k, step] of dispatch.reference.entries()) {
    const placed = step.inputs.map((input) => ('step' in input ? input : tensorAt(input, before)));
    const op = opOfKey(step.op);
    const result = samples.map((sample, w) => {
      const inputs = placed.map((input) => ('step' in input ? results[input.step][w] : input));
      return sample.apply(op, inputs, step, step.attrs);
    });
    results.push(result);
    if (step.output === undefined) continue;
    const { buffer, offset } = step.output;
    unexpected.get(buffer)?.fill(0, offset, offset + sizeOf(step.shape));
    const divergence = firstDivergence(tensorAt(step.output, after).data, result);
    if (divergence !== undefined) return { what: `step ${k} (${step.op})`, ...divergence };
  }
  for (const [id, mask] of unexpected) {
    const [old, now] = [before.get(id) as Uint32Array, after.get(id) as Uint32Array];
    const element = mask.findIndex((outside, i) => outside === 1 && old[i] !== now[i]);
    if (element < 0) continue;
    const what = `buffer "${plan.buffers[id].label}" outside of the results (bits)`;
    return { what, element, found: now[element], expected: old[element], accepted: 0 };
  }
  return undefined;
}

/** A placed value in device memory, floats widened to f64. */
function tensorAt({ buffer, offset, shape, dtype }: PlacedValue, contents: Contents): CpuTensor {
  const words = contents.get(buffer) as Uint32Array;
  const bits = words.subarray(offset, offset + sizeOf(shape));
  const at = bits.byteOffset;
  if (dtype === 'i32') return { shape, dtype, data: new Int32Array(bits.buffer, at, bits.length) };
  if (!isFloat(dtype)) return { shape, dtype, data: bits };
  return { shape, dtype, data: Float64Array.from(new Float32Array(bits.buffer, at, bits.length)) };
}
