/**
 * A test file whose tests take long has two parts: `x.test.ts` holds all of the code and, collected by itself, gives
 * the tests that `npm test` runs; `x.long.test.ts` imports it and gets the others, which `npm run test:all` runs as
 * well.
 *
 * Invariant: each test of such a file goes through one of these functions, so that it is in one of the two parts.
 */

import { describe, expect, test } from 'vitest';

/** The file that Vitest collects is the part that takes long. */
export const LONG = /\.long\.test\.ts$/.test(expect.getState().testPath ?? '');

/** `short` in the part that `npm test` runs, `long` in the other. */
export function byPart<T>(short: T, long: T): T {
  return LONG ? long : short;
}

/** True while the body of a `describe` of one part is collected. */
let inside = false;

/**
 * Takes a test in, and leaves it to the other part.
 * @throws Error where that part leaves its `describe` away as well.
 */
function leave(): void {
  if (inside) throw new Error('this test is in neither part: its describe is of one, the test itself of the other');
}
const left = Object.assign(leave, { each: () => leave });

type Body = (...words: unknown[]) => void;

/** `describe`, which minds what is in it. */
const minded = Object.assign((name: string, body: Body) => describe(name, minding(body)), {
  each: (cases: readonly unknown[]) => (name: string, body: Body) => describe.each(cases)(name, minding(body)),
});

function minding(body: Body): Body {
  return (...words) => {
    inside = true;
    try {
      body(...words);
    } finally {
      inside = false;
    }
  };
}

export const shortTest = (LONG ? left : test) as typeof test;
export const longTest = (LONG ? test : left) as typeof test;
/** For what holds tests of one part alone: Vitest takes an empty `describe` for a mistake. */
export const shortDescribe = (LONG ? left : minded) as unknown as typeof describe;
export const longDescribe = (LONG ? minded : left) as unknown as typeof describe;
