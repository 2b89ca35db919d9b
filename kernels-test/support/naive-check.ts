/**
 * The test that every op with an address function of its own gets: its lowering, run naively on a device, gives what
 * its reference gives, on all its samples; and its text does not grow with the batch.
 */

import { describe, expect, test } from 'vitest';
import { cpuArray } from '../../src/core/dtype.ts';
import type { CpuTensor, Op, Sample } from '../../src/core/op.ts';
import type { Aval } from '../../src/core/tensor.ts';
import { Prng } from '../../src/util/prng.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { openDevice, runNaive } from './naive-kernels.ts';

const device = await openDevice();

/** Values that f32 holds exactly, so that device and reference start from the same numbers. */
export function drawInput(shape: readonly number[], ...key: readonly number[]): Float32Array {
  const random = new Prng(...key);
  return Float32Array.from({ length: sizeOf(shape) }, () => random.bell());
}

/** The reference in f64. */
export function reference<A>(
  op: Op<A>,
  inputs: readonly Aval[],
  values: readonly ArrayLike<number>[],
  attrs: A,
): CpuTensor {
  const aval = op.infer(inputs, attrs);
  const output = { ...aval, data: cpuArray(aval.dtype, sizeOf(aval.shape), 'f64') };
  const tensors = inputs.map((input, k) => ({ ...input, data: Float64Array.from(values[k]) }));
  op.cpu(tensors, output, attrs);
  return output;
}

/** Largest |found − expected| / max(1, |expected|); infinite where one of the two is NaN and the other is not. */
export function worstError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = found.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(found[i], expected[i]) || (Number.isNaN(found[i]) && Number.isNaN(expected[i]))) continue;
    const error = Math.abs(found[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  }
  return worst;
}

/** Declares one test for each op: all its samples at once, so that their pipelines are built side by side. */
export function describeNaive(ops: readonly Op[], extraSamples: ReadonlyMap<Op, readonly Sample[]> = new Map()): void {
  describe.skipIf(device === null)('lowering = reference, one thread per element', () => {
    test.each(ops.map((op) => [op.name, op] as const))('%s', { timeout: 60_000 }, async (_name, op) => {
      const samples: readonly Sample[] = [...op.samples, ...(extraSamples.get(op) ?? [])];
      const errors = await Promise.all(samples.map((sample, k) => naiveError(op, sample, k)));
      const wrong = samples.flatMap(({ title }, k) => (errors[k] <= op.tolerance.relative ? [] : [[title, errors[k]]]));
      expect(wrong).toEqual([]);
    });
  });
}

async function naiveError(op: Op, { inputs, attrs }: Sample, k: number): Promise<number> {
  const avals = inputs.map(({ shape }): Aval => ({ shape, dtype: 'f32' }));
  const values = inputs.map(({ shape, values }, j) =>
    Array.isArray(values) ? Float32Array.from(values) : drawInput(shape, k, j),
  );
  const found = await runNaive(device!, op, avals, values, attrs);
  return worstError(found, reference(op, avals, values, attrs).data);
}
