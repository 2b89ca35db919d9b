/**
 * What a device may make of a whole graph (src/self-test/worlds.ts), and what it made instead, in words.
 */

import { type Divergence, firstDivergence } from '../../src/backend/validate/bounds.ts';
import type { CpuTensor } from '../../src/core/op.ts';

export { evaluateWorlds } from '../../src/self-test/worlds.ts';

/** The first value that no world explains, in words; undefined when all pass. */
export function divergenceOf(
  found: readonly ArrayLike<number>[],
  worlds: readonly (readonly CpuTensor[])[],
): string | undefined {
  for (const [k, values] of worlds.entries()) {
    const divergence = firstDivergence(found[k], values);
    if (divergence !== undefined) return describeDivergence(`output ${k}`, divergence);
  }
  return undefined;
}

export function describeDivergence(where: string, { element, found, expected, accepted }: Divergence): string {
  return `${where}, element ${element}: ${found}, expected ${expected} (accepted difference ${accepted.toPrecision(2)})`;
}
