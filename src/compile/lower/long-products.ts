/**
 * Long products: what the gemm skeleton adds so that no chain of additions is long. Blocks of the contraction are summed in
 * `acc`, blocks in `total`, and totals, of contractions longer than that covers, in `grand`. The error of a product then grows
 * with BLOCK and the number of blocks, not with the length.
 * Source: Higham, "Accuracy and Stability of Numerical Algorithms" (2002), section 4.2, on blocked summation.
 */

import type { Contraction } from '../../core/lowering.ts';
import type { Tile } from '../tile.ts';

/** Products that are added in a row, about; a chunk of up to LONG has no totals, unless another batch may be longer. */
const BLOCK = 512;
const LONG = 2048;

export interface LongSlots {
  /** Of the skeleton, outside of the slot `run`. */
  readonly around: Readonly<Record<string, string>>;
  /** Within it, where the variant has no `run` of its own. */
  readonly within: Readonly<Record<string, string>>;
  /** For a variant that has one: a statement after the elements up to `end` (i32) of a run, `depth` more than before. */
  afterSlab(end: string, depth: number): string;
}

/** The slots that `tile` needs for the contraction `spec`; undefined where its chunks are short. */
export function longSlots({ rowsPerLane, columnsPerLane, chunks }: Tile, spec: Contraction): LongSlots | undefined {
  const length = Math.ceil(spec.segments / chunks) * spec.inner;
  if (length <= LONG && spec.growing !== true) return undefined;
  const each = (statement: (at: string) => string): string => {
    const lines = Array.from({ length: rowsPerLane }, (_, i) =>
      Array.from({ length: columnsPerLane }, (_, j) => statement(`[${i}][${j}]`)).join(' '),
    );
    return lines.join('\n');
  };
  const block = `array<array<f32, TN>, TM>`;
  const grand = length > BLOCK * BLOCK;
  const flush = [
    each((at) => `total${at} += acc${at}; acc${at} = 0.0;`),
    ...(grand
      ? [
          'blocks++;',
          `if (blocks % ${BLOCK}u == 0u) {`,
          each((at) => `grand${at} += total${at}; total${at} = 0.0;`),
          '}',
        ]
      : []),
  ].join('\n');
  const declarations = [`var total: ${block};`, ...(grand ? [`var grand: ${block};`, 'var blocks = 0u;'] : [])];
  const finish = each((at) => `acc${at} += total${at}${grand ? ` + grand${at}` : ''};`);
  // Short runs are counted: a block is as many as fill it.
  if (spec.inner <= BLOCK) {
    const turns = `let turns = max(1u, ${BLOCK}u / max(1u, d.inner));`;
    return {
      around: {
        totals: [...declarations, turns].join('\n'),
        after_segment: `if ((s - first) % turns == turns - 1u) {\n${flush}\n}`,
        finish,
      },
      within: {},
      afterSlab: () => '',
    };
  }
  return {
    around: { totals: declarations.join('\n'), finish },
    within: {
      elements: [
        `for (var block = start; block < stop; block += ${BLOCK}) {`,
        `let until = min(block + ${BLOCK}, stop);`,
        'for (var kk = block; kk < until; kk++) {',
      ].join('\n'),
      after_elements: `${flush}\n}`,
    },
    afterSlab: (end, depth) => `if ((${end} % ${BLOCK} < ${depth}) | (${end} >= inner)) {\n${flush}\n}`,
  };
}
