/** What names mean while a tree is checked: nested scopes, each of which may hide the names outside. */

import type { ConstantValue } from './constants.ts';
import type { FunctionTree } from './tree.ts';
import type { StructType, Type } from './types.ts';

export interface Variable {
  readonly type: Type;
  /** False for `let`, `const` and parameters, and for buffers that are only read. */
  readonly writable: boolean;
  /** Of a constant whose value is known. */
  readonly value?: ConstantValue | undefined;
}

export class Scope {
  readonly #variables = new Map<string, Variable>();

  constructor(readonly outer: Scope | null) {}

  find(name: string): Variable | undefined {
    return this.#variables.get(name) ?? this.outer?.find(name);
  }

  /** False when the name is taken in this very scope. */
  declare(name: string, variable: Variable): boolean {
    if (this.#variables.has(name)) return false;
    this.#variables.set(name, variable);
    return true;
  }

  names(): string[] {
    return [...this.#variables.keys(), ...(this.outer?.names() ?? [])];
  }
}

/** Structs and functions of a module. */
export interface ModuleNames {
  readonly structs: Map<string, StructType>;
  readonly functions: Map<
    string,
    { readonly parameters: readonly Type[]; readonly result: Type; readonly tree: FunctionTree }
  >;
}
