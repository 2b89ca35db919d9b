/**
 * The two sets of test files: what `npm test` runs, and what `npm run test:all` runs as well because it takes long. A
 * file's name says where it is: `x.long.test.ts` is long, every other `x.test.ts` short.
 */

export const TEST_SETS = ['short', 'long', 'all'] as const;
export type TestSet = (typeof TEST_SETS)[number];

/** The variable by which scripts/test.ts tells vitest.config.ts; without it Vitest finds every file. */
export const TEST_SET_VARIABLE = 'DOWNHILL_TEST_SET';

const EVERY = 'kernels-test/**/*.test.ts';
const LONG = 'kernels-test/**/*.long.test.ts';

/** Patterns of Vitest's configuration. @throws Error for a set that there is not. */
export function patternsOf(set = 'all'): { readonly include: string[]; readonly exclude: string[] } {
  switch (set as TestSet) {
    case 'all':
      return { include: [EVERY], exclude: [] };
    case 'short':
      return { include: [EVERY], exclude: [LONG] };
    case 'long':
      return { include: [LONG], exclude: [] };
    default:
      throw new Error(`${TEST_SET_VARIABLE}=${set}: there are ${TEST_SETS.join(', ')}`);
  }
}
