/**
 * Words of the uniform block `params`, an array of vectors, as kernels name them.
 *
 * llvmpipe loads a uniform anew in every branch that mentions it, lane by lane (LLVM IR of our kernels: a hundred
 * instructions a time). So kernels for software adapters read the private variables `params_0`, `params_1`, …, which
 * `main` fills where it begins: there all invocations are active, each vector is one scalar load, and every branch
 * behind can use it. GPUs read uniforms for nothing and name the block itself.
 */

import { statements } from '../../kernel/quote.ts';
import { type Rewriter, rewriteDeclaration } from '../../kernel/rewrite.ts';
import type { Declaration, Module, Variable } from '../../kernel/tree.ts';
import type { Target } from '../target.ts';

export const BLOCK = 'params';

export function uniformCopy(vector: number): string {
  return `${BLOCK}_${vector}`;
}

/** u32 expression for word `k` of the block. */
export function uniformWord(k: number, target: Target): string {
  const vector = k >> 2;
  return `${target.copiesUniforms ? uniformCopy(vector) : `${BLOCK}[${vector}u]`}.${'xyzw'[k & 3]}`;
}

/** A module that names the block, with the names of the copies instead. */
export function namingCopies(module: Module): Module {
  return { ...module, declarations: module.declarations.map((tree) => rewriteDeclaration(tree, NAMING)) };
}

const NAMING: Rewriter = {
  expression(tree) {
    if (tree.kind !== 'index' || tree.base.kind !== 'name' || tree.base.name !== BLOCK) return tree;
    if (tree.index.kind !== 'literal') return tree;
    return { ...tree.base, name: uniformCopy(Number(tree.index.value)) };
  },
};

/** `module`, which names copies, with these declared and filled. */
export function withUniformCopies(module: Module): Module {
  const declarations = module.declarations.flatMap((tree): Declaration[] => {
    if (tree.kind === 'variable' && tree.space === 'uniform') return [tree, ...copiesOf(tree)];
    if (tree.kind !== 'function' || tree.workgroupSize === null) return [tree];
    const filled = vectorsOf(module).map((k) => `${uniformCopy(k)} = ${BLOCK}[${k}];`);
    return [{ ...tree, body: [...statements('uniforms')`${filled.join('\n')}`, ...tree.body] }];
  });
  return { ...module, declarations };
}

/** The vectors of the block of a module, by number. */
function vectorsOf({ declarations }: Module): number[] {
  const block = declarations.find((tree): tree is Variable => tree.kind === 'variable' && tree.space === 'uniform');
  const count = block?.typeName.count;
  return Array.from({ length: count?.kind === 'literal' ? Number(count.value) : 0 }, (_, k) => k);
}

function copiesOf(block: Variable): Variable[] {
  const typeName = block.typeName.element ?? block.typeName;
  return vectorsOf({ directives: [], declarations: [block] }).map((k) => {
    return { ...block, name: uniformCopy(k), space: 'private', access: null, binding: null, typeName };
  });
}
