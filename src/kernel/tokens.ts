/**
 * WGSL as a list of tokens. Comments are dropped, except for the marks of our shaders: `// @param`, `// @unroll` and
 * `// @loop name` belong to their line; `// @slot name` and `// @end` are tokens of a template. Source: WGSL, section
 * 3.
 */

import { kernelError } from './error.ts';

/** `hole`: statements from outside come here (quote.ts). */
export type TokenKind = 'name' | 'number' | 'symbol' | 'slot' | 'slot end' | 'hole' | 'end';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly line: number;
}

export interface Tokens {
  readonly tokens: readonly Token[];
  /** Marks by line: `param`, `unroll`, `loop elements`. */
  readonly marks: ReadonlyMap<number, string>;
}

/** Stands for statements that come from outside. WGSL does not have the character. */
export const HOLE = '\u25a1';

/** A mark, without the remark behind it. */
const MARK = /^\/\/\s*@(param|unroll|loop \w+|slot \w+|end)\b/;

const NUMBER =
  /0[xX](?:[\da-fA-F]+\.?[\da-fA-F]*|\.[\da-fA-F]+)(?:[pP][+-]?\d+)?[fiu]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fiu]?/y;

const SYMBOLS = '-+*/%&|^=!<>~@(){}[],;:.';
/** Symbols of several characters begin with one of these; longer ones come first. */
const LONG_SYMBOLS = ['<<=', '>>=', '->', '++', '--', '&&', '||', '<<', '>>'];
for (const operator of '-+*/%&|^=!<>') LONG_SYMBOLS.push(`${operator}=`);

/**
 * @param where names the text in messages. @param template whether slots are tokens; otherwise their marks are
 *   comments.
 * @throws DownhillError `internal` at a character that WGSL does not have.
 */
export function tokenize(text: string, where: string, template: boolean): Tokens {
  const tokens: Token[] = [];
  const marks = new Map<number, string>();
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code <= SPACE) {
      if (code === NEWLINE) line++;
      at++;
    } else if (isNameStart(code)) {
      const from = at++;
      while (at < text.length && isNamePart(text.charCodeAt(at))) at++;
      tokens.push({ kind: 'name', text: text.slice(from, at), line });
    } else if (isDigit(code) || (text[at] === '.' && isDigit(text.charCodeAt(at + 1)))) {
      NUMBER.lastIndex = at;
      const [number] = NUMBER.exec(text) as RegExpExecArray;
      at += number.length;
      tokens.push({ kind: 'number', text: number, line });
    } else if (text.startsWith('//', at)) {
      const end = text.indexOf('\n', at);
      const comment = text.slice(at, end < 0 ? text.length : end);
      at += comment.length;
      const mark = MARK.exec(comment)?.[1];
      if (mark === undefined) continue;
      if (mark === 'end' || mark.startsWith('slot ')) {
        if (template) tokens.push({ kind: mark === 'end' ? 'slot end' : 'slot', text: mark.slice(5), line });
      } else marks.set(line, mark);
    } else if (text[at] === HOLE) {
      tokens.push({ kind: 'hole', text: HOLE, line });
      at++;
    } else {
      const symbol = symbolAt(text, at);
      if (symbol === undefined) throw kernelError(where, line, `unexpected ${JSON.stringify(text[at])}`);
      tokens.push({ kind: 'symbol', text: symbol, line });
      at += symbol.length;
    }
  }
  tokens.push({ kind: 'end', text: 'the end of the text', line });
  return { tokens, marks };
}

const SPACE = 32;
const NEWLINE = 10;

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isNameStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

function isNamePart(code: number): boolean {
  return isNameStart(code) || isDigit(code);
}

/** The longest symbol that begins here. */
function symbolAt(text: string, at: number): string | undefined {
  const next = text[at + 1];
  if (next !== undefined && '=<>&|+-'.includes(next)) {
    for (const symbol of LONG_SYMBOLS) if (text.startsWith(symbol, at)) return symbol;
  }
  return SYMBOLS.includes(text[at]) ? text[at] : undefined;
}
