/** Names of a kernel in JavaScript: each declaration gets its own, so that one that hides another does not meet it. */

import { invariant } from '../../util/errors.ts';

export class Names {
  readonly #own = new Map<string, string>();
  readonly #counter: { next: number };

  constructor(readonly outer: Names | null) {
    this.#counter = outer === null ? { next: 0 } : outer.#counter;
  }

  declare(name: string): string {
    const text = `${name}_${this.#counter.next++}`;
    this.#own.set(name, text);
    return text;
  }

  has(name: string): boolean {
    return this.#own.has(name) || this.outer?.has(name) === true;
  }

  find(name: string): string {
    const text = this.#own.get(name) ?? this.outer?.find(name);
    invariant(text !== undefined, `a checked tree has no ${name}`);
    return text;
  }
}
