/** Declarations under other names, for a module that takes in those of several. */

import { rewriteDeclaration } from './rewrite.ts';
import type { Declaration, Expression, TypeName } from './tree.ts';
import { U32 } from './types.ts';
import { localsOf } from './walk.ts';

export interface Renaming {
  /** New names of what a module declares. A local name that hides one of them is another thing and stays. */
  readonly names: ReadonlyMap<string, string>;
  /** The uniform block, an array of vectors that is read by literal positions, and how far these move. */
  readonly uniforms: string;
  readonly firstVector: number;
}

export function renameDeclaration(tree: Declaration, { names, uniforms, firstVector }: Renaming): Declaration {
  const locals = tree.kind === 'function' ? localsOf(tree) : new Set<string>();
  const renamed = rewriteDeclaration(tree, {
    expression(part: Expression): Expression {
      switch (part.kind) {
        case 'name': {
          const name = names.get(part.name);
          return name === undefined || locals.has(part.name) ? part : { ...part, name };
        }
        case 'call': {
          const callee = names.get(part.callee);
          return callee === undefined ? part : { ...part, callee };
        }
        case 'index': {
          const { base, index } = part;
          if (base.kind !== 'name' || base.name !== uniforms || index.kind !== 'literal') return part;
          return { ...part, index: { ...index, value: Number(index.value) + firstVector, type: U32 } };
        }
        default:
          return part;
      }
    },
    typeName(part: TypeName): TypeName {
      const name = names.get(part.name);
      return name === undefined ? part : { ...part, name };
    },
  });
  return { ...renamed, name: names.get(renamed.name) ?? renamed.name };
}
