/**
 * WGSL as a list of tokens. Comments are dropped, except for the marks of our shaders: `// @param`, `// @unroll` and
 * `// @loop name` belong to their line; `// @slot name` and `// @end` are tokens of a template. Source: WGSL, section 3.
 */

import { kernelError } from './error.ts';

export interface Token {
  readonly kind: 'name' | 'number' | 'symbol' | 'slot' | 'slot end' | 'end';
  readonly text: string;
  readonly line: number;
}

export interface Tokens {
  readonly tokens: readonly Token[];
  /** Marks by line: `param`, `unroll`, `loop elements`. */
  readonly marks: ReadonlyMap<number, string>;
}

/** A mark, without the remark behind it. */
const MARK = /^\/\/\s*@(param|unroll|loop \w+|slot \w+|end)\b/;

/** White space, comment, name, number, symbol: the longest of each kind. */
const TOKEN = new RegExp(
  [
    String.raw`(?<space>\s+)`,
    String.raw`(?<comment>//[^\n]*)`,
    String.raw`(?<name>[A-Za-z_]\w*)`,
    String.raw`(?<number>0[xX](?:[\da-fA-F]+\.?[\da-fA-F]*|\.[\da-fA-F]+)(?:[pP][+-]?\d+)?[fiu]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fiu]?)`,
    String.raw`(?<symbol><<=|>>=|->|\+\+|--|&&|\|\||<<|>>|[-+*/%&|^=!<>]=|[-+*/%&|^=!<>~@(){}\[\],;:.])`,
  ].join('|'),
  'y',
);

/**
 * @param where names the text in messages. @param template whether slots are tokens; otherwise their marks are comments.
 * @throws DownhillError `internal` at a character that WGSL does not have.
 */
export function tokenize(text: string, where: string, template: boolean): Tokens {
  const tokens: Token[] = [];
  const marks = new Map<number, string>();
  let line = 1;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw kernelError(where, line, `unexpected ${JSON.stringify(text[at])}`);
    const { space, comment, name, number, symbol } = match.groups as Record<string, string | undefined>;
    if (space !== undefined) {
      for (const character of space) if (character === '\n') line++;
    } else if (comment !== undefined) {
      const mark = MARK.exec(comment)?.[1];
      if (mark === undefined) continue;
      if (mark === 'end' || mark.startsWith('slot ')) {
        if (template) tokens.push({ kind: mark === 'end' ? 'slot end' : 'slot', text: mark.slice(5), line });
      } else marks.set(line, mark);
    } else if (name !== undefined) {
      tokens.push({ kind: 'name', text: name, line });
    } else if (number !== undefined) {
      tokens.push({ kind: 'number', text: number, line });
    } else if (symbol !== undefined) {
      tokens.push({ kind: 'symbol', text: symbol, line });
    }
  }
  tokens.push({ kind: 'end', text: 'the end of the text', line });
  return { tokens, marks };
}
