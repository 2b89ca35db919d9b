/**
 * Uniforms read once: a kernel in which the uniform block is copied to private variables where `main` begins.
 *
 * For software adapters. llvmpipe loads a uniform anew in every branch that mentions it, lane by lane (LLVM IR of our
 * kernels: a hundred instructions a time); loaded where all invocations are active it is one scalar load, and every
 * branch behind can use it. GPUs read uniforms for nothing and keep the kernel as it is.
 */

import { statements } from '../../kernel/quote.ts';
import { rewriteBody } from '../../kernel/rewrite.ts';
import type { Declaration, Expression, Module, Variable } from '../../kernel/tree.ts';

/** `module` with its uniforms in private variables; as it is when it has none. */
export function readUniformsOnce(module: Module): Module {
  const block = module.declarations.find(
    (tree): tree is Variable => tree.kind === 'variable' && tree.space === 'uniform',
  );
  if (block === undefined) return module;
  const { typeName, name } = block;
  const words = typeName.count?.kind === 'literal' ? Number(typeName.count.value) : 0;
  const copy = (k: number) => `${name}_${k}`;
  const reads = {
    expression: (tree: Expression): Expression => {
      const k = uniformVector(tree, name);
      return k === undefined ? tree : { kind: 'name', name: copy(k), line: tree.line, type: tree.type };
    },
  };
  const text = Array.from({ length: words }, (_, k) => `${copy(k)} = ${name}[${k}];`).join('\n');
  const copies = statements('uniforms')`${text}`;
  const declarations = module.declarations.flatMap((tree): Declaration[] => {
    if (tree === block) return [tree, ...Array.from({ length: words }, (_, k) => copyOf(block, copy(k)))];
    if (tree.kind !== 'function') return [tree];
    const body = rewriteBody(tree.body, reads);
    return [{ ...tree, body: tree.workgroupSize === null ? body : [...copies, ...body] }];
  });
  return { ...module, declarations };
}

/** The k of `params[k]`. */
export function uniformVector(tree: Expression, block: string): number | undefined {
  if (tree.kind !== 'index' || tree.base.kind !== 'name' || tree.base.name !== block) return undefined;
  return tree.index.kind === 'literal' ? Number(tree.index.value) : undefined;
}

/** The private variable that holds one vector of `block`. */
function copyOf(block: Variable, name: string): Variable {
  const { element } = block.typeName;
  return { ...block, name, space: 'private', access: null, binding: null, typeName: element ?? block.typeName };
}
