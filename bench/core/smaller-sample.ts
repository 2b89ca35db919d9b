/**
 * A bench sample at half its size, for adapters on which the record's own takes too long: the first axis of the first
 * input is halved, and so is every equal extent among the inputs and in the options. The op's own shape rule decides
 * whether the result is a call.
 */

import type { Op, Sample } from '../../src/core/op.ts';

/** `sample` halved; undefined where that is not a valid call of `op`. */
export function smallerSample(op: Op, sample: Sample): Sample | undefined {
  const extent = sample.inputs[0]?.shape.find((size) => size >= 2 && size % 2 === 0);
  if (extent === undefined) return undefined;
  const half = (value: unknown): unknown => {
    if (value === extent) return extent / 2;
    if (Array.isArray(value)) return value.map(half);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, half(entry)]));
  };
  const smaller: Sample = {
    inputs: sample.inputs.map((input) => ({ ...input, shape: half(input.shape) as number[] })),
    attrs: half(sample.attrs),
  };
  try {
    const avals = smaller.inputs.map(({ shape, dtype = 'f32' }) => ({ shape, dtype }));
    op.infer(avals, smaller.attrs);
    return smaller;
  } catch {
    return undefined;
  }
}
