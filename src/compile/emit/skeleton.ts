/**
 * Skeletons: a file of `shaders/` is valid WGSL by itself; two rewrites make a kernel out of it. `const X = …; // @param`
 * takes another value, and the lines between `// @slot name` and `// @end` (the default) take another text.
 */

import { invariant } from '../../util/errors.ts';

const SLOT = /^[ \t]*\/\/ @slot (\w+)[^\n]*\n([\s\S]*?)^[ \t]*\/\/ @end[^\n]*$/gm;
const PARAM = /^(const (\w+)(?:\s*:\s*\w+)?\s*=\s*)[^;]+(;[^\n]*\/\/ @param)/gm;

export interface Fill {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly slots?: Readonly<Record<string, string>>;
}

/** `text` with params and slots filled; a name that the text does not have is an error. */
export function fillSkeleton(text: string, { params = {}, slots = {} }: Fill): string {
  const unused = new Set([
    ...Object.keys(params).map((name) => `param ${name}`),
    ...Object.keys(slots).map((name) => `slot ${name}`),
  ]);
  const filled = text
    .replace(PARAM, (whole, head: string, name: string, tail: string) => {
      unused.delete(`param ${name}`);
      return Object.hasOwn(params, name) ? `${head}${params[name]}${tail}` : whole;
    })
    .replace(SLOT, (whole, name: string, fallback: string) => {
      unused.delete(`slot ${name}`);
      return Object.hasOwn(slots, name) ? slots[name] : (fallback ?? whole);
    });
  invariant(unused.size === 0, `the skeleton has no ${[...unused].join(', ')}`);
  return filled;
}
