/**
 * WGSL of a sum in a kernel that finds its terms one by one: pooling, scatters written as gathers. Few terms are added
 * in a row; many in runs, as reductions are (shaders/sum.wgsl), so that the rounding error does not grow with their
 * number.
 */

export interface TermSum {
  /** Statements before the first term. */
  readonly begin: string;
  /** Statements that add a term, an f32 expression. */
  add(term: string): string;
  /** The sum, an f32 expression. */
  readonly value: string;
}

const FEW = 128;
const RUN = 64;

/** @param most how many terms there may be; @param use the kernel's, for the library. */
export function termSum(most: number, use: (library: string) => void): TermSum {
  if (most <= FEW) return { begin: 'var sum = 0.0;', add: (term) => `sum += ${term};`, value: 'sum' };
  use('sum');
  return {
    begin: `var sum = Sum(0.0, 0.0, 0.0);
          var run = 0.0;
          var taken = 0u;`,
    add: (term) => `run += ${term};
              taken++;
              if (taken % ${RUN}u == 0u) {
                sum = sum_add(sum, run, taken / ${RUN}u - 1u);
                run = 0.0;
              }`,
    value: 'sum_of(sum) + run',
  };
}
