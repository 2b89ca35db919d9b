/**
 * Skeletons: a file of `shaders/` is valid WGSL by itself; two rewrites make a kernel out of it. `const X = …; // @param`
 * takes another value, and the lines between `// @slot name` and `// @end` (the default) take another text; slots may lie in
 * slots. After that a
 * loop `for (var i = 0u; i < TM; i++) { // @unroll` is written out, with literals for `i`.
 */

import { invariant } from '../../util/errors.ts';

/** A slot that no other slot lies in. */
const SLOT = /^[ \t]*\/\/ @slot (\w+)[^\n]*\n((?:(?!\/\/ @slot )[\s\S])*?)^[ \t]*\/\/ @end[^\n]*$/m;
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
  let filled = text.replace(PARAM, (whole, head: string, name: string, tail: string) => {
    unused.delete(`param ${name}`);
    return Object.hasOwn(params, name) ? `${head}${params[name]}${tail}` : whole;
  });
  for (let slot = SLOT.exec(filled); slot !== null; slot = SLOT.exec(filled)) {
    const [whole, name, fallback] = slot;
    unused.delete(`slot ${name}`);
    const own = Object.hasOwn(slots, name) ? slots[name] : fallback;
    filled = filled.slice(0, slot.index) + own + filled.slice(slot.index + whole.length);
  }
  invariant(unused.size === 0, `the skeleton has no ${[...unused].join(', ')}`);
  return unroll(filled);
}

const LOOP = /^[ \t]*for \(var (\w+) = 0u; \1 < (\w+); \1\+\+\) \{[ \t]*\/\/ @unroll[^\n]*\n/gm;

/** `text` with its marked loops written out, inner ones first. A body that declares a name keeps its braces. */
function unroll(text: string): string {
  for (let result = text; ; ) {
    const loop = [...result.matchAll(LOOP)].at(-1);
    if (loop === undefined) return result;
    const [head, index, bound] = loop;
    const from = loop.index + head.length;
    const to = closingBrace(result, from);
    const count = new RegExp(`^const ${bound} = (\\d+)u`, 'm').exec(result);
    invariant(to >= 0 && count !== null, `a loop over ${index} < ${bound} cannot be unrolled`);
    const body = result.slice(from, to).trimEnd();
    const name = new RegExp(`\\b${index}\\b`, 'g');
    const turns = Array.from({ length: Number(count[1]) }, (_, k) => {
      const turn = body.replace(name, `${k}u`);
      return /\b(let|var)\b/.test(turn) ? `{\n${turn}\n}\n` : `${turn}\n`;
    });
    result = result.slice(0, loop.index) + turns.join('') + result.slice(to + 1);
  }
}

/** Position of the brace that closes the block which `from` lies in; −1 when there is none. Comments do not count. */
function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (const { 0: found, index } of text.slice(from).matchAll(/\/\/[^\n]*|[{}]/g)) {
    if (found === '{') depth++;
    if (found === '}' && --depth === 0) return from + index;
  }
  return -1;
}
