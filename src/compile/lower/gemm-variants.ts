/**
 * The variants of the gemm template, one record each. Another variant is another record here, a member of `Tile`, and
 * tiles that use it in `tiles.ts` (by default) or `tune/candidates.ts` (for the tuner).
 */

import type { Contraction } from '../../core/lowering.ts';
import { statements } from '../../kernel/quote.ts';
import type { Target } from '../target.ts';
import type { BroadcastTile, DirectTile, Tile } from '../tile.ts';
import { staged } from './gemm-staged.ts';
import type { GemmVariant, VariantParts } from './gemm-variant.ts';
import type { LongParts } from './long-products.ts';

const code = statements('product');

/** Each invocation loads the rows of its own block. */
const direct: GemmVariant<DirectTile> = {
  problem: () => undefined,
  parts: ({ rowsPerInvocation, invocationsM, invocationsN }, _spec, long) => ({
    ...{ loads: rowsPerInvocation, loadSharers: invocationsN, loadStep: invocationsM },
    loops: inBlocks(long),
  }),
};

/**
 * The bounds of the loops are the same in all invocations of the workgroup, which is one subgroup, but the uniformity
 * analysis of WGSL does not see it.
 */
const DIRECTIVES = ['enable subgroups;', 'diagnostic(off, subgroup_uniformity);'];
const BROADCAST = { value: code`let x = subgroupBroadcast(av[i / INVOCATIONS_N], i % INVOCATIONS_N);` };
const SAME_SPAN = { span: code`start = subgroupMin(start); stop = subgroupMax(stop);` };

/** The invocations of a subgroup load the rows of its block in shares. */
const broadcast: GemmVariant<BroadcastTile> = {
  problem({ invocationsM, invocationsN }, { subgroupSize }) {
    if (invocationsM === 1 && invocationsN === subgroupSize) return undefined;
    const found = `a broadcast tile of ${invocationsM} × ${invocationsN} invocations`;
    return `${found}; the subgroups of the device have ${subgroupSize ?? 'no one size'}`;
  },
  parts: ({ rowsPerInvocation, invocationsN }, { clipped }, long) => ({
    ...{ loads: Math.ceil(rowsPerInvocation / invocationsN), loadSharers: 1, loadStep: invocationsN },
    directives: DIRECTIVES,
    statements: { ...BROADCAST, ...(clipped && SAME_SPAN) },
    loops: inBlocks(long),
  }),
};

function inBlocks(long: LongParts | undefined): VariantParts['loops'] & object {
  return long?.elements === undefined ? {} : { elements: long.elements };
}

/** Why devices of `target` cannot run `tile`; undefined when they can. */
export function variantProblem(tile: Tile, target: Target): string | undefined {
  switch (tile.variant) {
    case 'direct':
      return direct.problem(tile, target);
    case 'broadcast':
      return broadcast.problem(tile, target);
    case 'staged':
      return staged.problem(tile, target);
    default:
      return tile satisfies never;
  }
}

export function variantParts(tile: Tile, spec: Contraction, long: LongParts | undefined): VariantParts {
  switch (tile.variant) {
    case 'direct':
      return direct.parts(tile, spec, long);
    case 'broadcast':
      return broadcast.parts(tile, spec, long);
    case 'staged':
      return staged.parts(tile, spec, long);
    default:
      return tile satisfies never;
  }
}
