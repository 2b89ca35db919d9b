/**
 * The test for ops with an address function of their own: the lowering, run naively on a device, gives what the
 * reference gives on all samples.
 */

import { describe, expect, test } from 'vitest';
import type { Op, Sample } from '../../src/core/op.ts';
import { runReference } from './evaluate.ts';
import { openDevice, runNaive } from './naive-kernels.ts';
import { drawSample } from './sample-values.ts';

const device = await openDevice();

/** Declares one test for each op: all its samples at once, so that their pipelines are built side by side. */
export function describeNaive(ops: readonly Op[]): void {
  describe('lowering = reference, one thread per element', () => {
    test.each(ops.map((op) => [op.name, op] as const))('%s', async (_name, op) => {
      // These kernels add in a row, whose rounding grows with the length: long samples are for those of the compiler.
      const samples = op.samples.filter(({ inputs }) => inputs.every(({ shape }) => Math.max(0, ...shape) <= 600));
      const errors = await Promise.all(samples.map((sample) => naiveError(op, sample)));
      const wrong = samples.flatMap(({ title }, k) => (errors[k] <= op.tolerance.relative ? [] : [[title, errors[k]]]));
      expect(wrong).toEqual([]);
    });
  });
}

async function naiveError(op: Op, sample: Sample): Promise<number> {
  const inputs = drawSample(sample);
  const values = inputs.map(({ data }) => Float32Array.from(data));
  const found = await runNaive(device, op, inputs, values, sample.attrs);
  return worstError(found, runReference(op, inputs, sample.attrs).data);
}

/** Largest |found − expected| / max(1, |expected|); infinite where only one of the two is NaN, or infinities differ. */
function worstError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = found.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(found[i], expected[i])) continue;
    const error = Math.abs(found[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  }
  return worst;
}
