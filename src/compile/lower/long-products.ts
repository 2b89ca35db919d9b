/**
 * Long products: what the gemm template adds so that no chain of additions is long. Blocks of the contraction are summed in
 * `acc`, blocks in `total`, and totals, of contractions longer than that covers, in `grand`. The error of a product then grows
 * with BLOCK and the number of blocks, not with the length.
 * Source: Higham, "Accuracy and Stability of Numerical Algorithms" (2002), section 4.2, on blocked summation.
 */

import type { Contraction } from '../../core/lowering.ts';
import { statements } from '../../kernel/quote.ts';
import { ranged } from '../../kernel/template.ts';
import type { Loop, Statement } from '../../kernel/tree.ts';
import { NONE } from '../../kernel/types.ts';
import type { Tile } from '../tile.ts';

/** Products that are added in a row, about; a chunk of up to LONG has no totals, unless another batch may be longer. */
const BLOCK = 512;
const LONG = 2048;

export interface LongParts {
  /** Contents of slots of the template. */
  readonly slots: Readonly<Record<string, readonly Statement[]>>;
  /** What becomes of the loop over the elements of a run, for a variant that has it. */
  readonly elements?: (loop: Loop) => readonly Statement[];
  /** For a variant of its own loops: what follows the elements up to `end` (i32) of a run, `depth` more than before. */
  afterSlab(end: string, depth: number): readonly Statement[];
}

const code = statements('long products');

/** The parts that `tile` needs for the contraction `spec`; undefined where its chunks are short. */
export function longParts(
  { rowsPerInvocation, columnsPerInvocation, chunks }: Tile,
  spec: Contraction,
): LongParts | undefined {
  const length = Math.ceil(spec.segments / chunks) * spec.inner;
  if (length <= LONG && spec.growing !== true) return undefined;
  const each = (statement: (at: string) => string): string => {
    const lines = Array.from({ length: rowsPerInvocation }, (_, i) =>
      Array.from({ length: columnsPerInvocation }, (_, j) => statement(`[${i}][${j}]`)).join(' '),
    );
    return lines.join('\n');
  };
  const grand = length > BLOCK * BLOCK;
  const total = code`${each((at) => `total${at} += acc${at}; acc${at} = 0.0;`)}`;
  const flush = grand
    ? code`
        ${total}
        blocks++;
        if (blocks % ${BLOCK}u == 0u) { ${each((at) => `grand${at} += total${at}; total${at} = 0.0;`)} }`
    : total;
  const declared = code`var total: array<array<f32, TN>, TM>;`;
  const totals = grand ? [...declared, ...code`var grand: array<array<f32, TN>, TM>; var blocks = 0u;`] : declared;
  const finish = code`${each((at) => `acc${at} += total${at}${grand ? ` + grand${at}` : ''};`)}`;
  // Short runs are counted: a block is as many as fill it.
  if (spec.inner <= BLOCK) {
    return {
      slots: {
        totals: [...totals, ...code`let turns = max(1u, ${BLOCK}u / max(1u, d.inner));`],
        after_segment: code`if ((s - first) % turns == turns - 1u) { ${flush} }`,
        finish,
      },
      afterSlab: () => [],
    };
  }
  return {
    slots: { totals, finish },
    elements: (loop) => inBlocks(loop, flush),
    afterSlab: (end, depth) => code`if ((${end} % ${BLOCK} < ${depth}) | (${end} >= inner)) { ${flush} }`,
  };
}

/** The loop over the elements of a run, in blocks, each with `flush` behind it. */
function inBlocks(loop: Loop, flush: readonly Statement[]): Statement[] {
  const name = (name: string) => ({ kind: 'name', name, line: loop.line, type: NONE }) as const;
  return code`
    for (var block = start; block < stop; block += ${BLOCK}) {
      let until = min(block + ${BLOCK}, stop);
      ${[ranged(loop, name('block'), name('until'))]}
      ${flush}
    }`;
}
