/**
 * What a device may compute for a whole graph (src/self-test/arithmetic-samples.ts), and how its results differ.
 */

import { firstDivergence } from '../../src/backend/validate/bounds.ts';
import type { CpuTensor } from '../../src/core/op.ts';
import { describeDivergence } from '../../src/self-test/check-op.ts';

export { evaluateArithmeticSamples } from '../../src/self-test/arithmetic-samples.ts';
export { describeDivergence };

/** The first value that no sample explains, in words; undefined when all pass. */
export function divergenceOf(
  found: readonly ArrayLike<number>[],
  samples: readonly (readonly CpuTensor[])[],
): string | undefined {
  for (const [k, values] of samples.entries()) {
    const divergence = firstDivergence(found[k], values);
    if (divergence !== undefined) return describeDivergence(`output ${k}`, divergence);
  }
  return undefined;
}
