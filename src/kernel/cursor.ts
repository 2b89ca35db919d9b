/** A place in a list of tokens, which moves forward. */

import type { DownhillError } from '../util/errors.ts';
import { kernelError } from './error.ts';
import { type Token, type TokenKind, type Tokens, tokenize } from './tokens.ts';
import type { Statement } from './tree.ts';

export class Cursor {
  readonly where: string;
  readonly #tokens: Token[];
  readonly #marks: Tokens['marks'];
  #at = 0;

  readonly #holes: readonly (readonly Statement[])[];
  #filled = 0;

  /**
   * @param template whether slots are read as such; otherwise what is in them is read in their place.
   * @param holes statements for the holes of the text, in order.
   */
  constructor(text: string, where: string, template: boolean, holes: readonly (readonly Statement[])[]) {
    this.where = where;
    this.#holes = holes;
    const { tokens, marks } = tokenize(text, where, template);
    this.#tokens = [...tokens];
    this.#marks = marks;
  }

  get token(): Token {
    return this.#tokens[this.#at];
  }

  get line(): number {
    return this.token.line;
  }

  get done(): boolean {
    return this.token.kind === 'end';
  }

  /** The text of the token `ahead` places on. */
  peek(ahead = 1): string {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)].text;
  }

  /** The statements of a hole, if one is here. */
  hole(): readonly Statement[] | null {
    if (!this.at('hole')) return null;
    this.next();
    return this.#holes[this.#filled++];
  }

  at(kind: TokenKind): boolean {
    return this.token.kind === kind;
  }

  /** True when the next token is `text`; names and numbers never look like symbols. */
  is(text: string): boolean {
    return this.token.text === text && (this.token.kind === 'symbol' || this.token.kind === 'name');
  }

  next(): Token {
    const { token } = this;
    if (!this.done) this.#at++;
    return token;
  }

  /** Steps over `text` when it comes next. */
  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.#at++;
    return true;
  }

  expect(text: string): void {
    // `>>` closes two templates at once.
    if (text === '>' && this.is('>>')) {
      this.#tokens[this.#at] = { ...this.token, text: '>' };
      return;
    }
    if (!this.accept(text)) throw this.error(`expected "${text}", found "${this.token.text}"`);
  }

  name(): string {
    if (this.token.kind !== 'name') throw this.error(`expected a name, found "${this.token.text}"`);
    return this.next().text;
  }

  /** Everything up to and with `text`, as tokens joined by nothing but needed spaces. */
  until(text: string): string {
    let joined = '';
    while (!this.is(text)) {
      if (this.done) throw this.error(`expected "${text}"`);
      const { kind, text: word } = this.next();
      joined += (kind === 'name' && /\w$/.test(joined) ? ' ' : '') + word;
    }
    this.next();
    return joined + text;
  }

  marked(line: number, mark: string): boolean {
    return this.#marks.get(line) === mark;
  }

  /** The name that `// @loop name` gives the loop on `line`. */
  loopName(line: number): string | null {
    const mark = this.#marks.get(line);
    return mark?.startsWith('loop ') === true ? mark.slice(5) : null;
  }

  /** Reads a slot, if one begins here: its name, and what `parse` reads up to its end. */
  slot<T>(
    parse: () => readonly T[],
  ): { readonly name: string; readonly content: readonly T[]; readonly line: number } | null {
    const { line } = this;
    if (!this.at('slot')) return null;
    const name = this.next().text;
    const content = parse();
    if (!this.at('slot end')) throw this.error(`expected the end of slot ${name}, found "${this.token.text}"`);
    this.next();
    return { name, content, line };
  }

  error(message: string): DownhillError {
    return kernelError(this.where, this.line, message);
  }
}
