/**
 * Trees written as WGSL with holes: a text in a hole is part of the text, statements in a hole are put in as they are.
 *
 *   const loop = statements('sum')`for (var i = 0u; i < ${extent}; i++) { ${body} }`;
 */

import { parseBody, parseTemplate } from './parse.ts';
import { rewriteBody, rewriteDeclaration } from './rewrite.ts';
import type { Declaration, Statement } from './tree.ts';

export type Hole = string | number | readonly Statement[];
type Quote<T> = (strings: TemplateStringsArray, ...holes: readonly Hole[]) => T[];

/** @param where names the text in errors. The tag throws DownhillError `internal` for what is not WGSL. */
export function statements(where: string): Quote<Statement> {
  return (strings, ...holes) => {
    const body = parseBody(textOf(strings, holes), where, true);
    return holes.some(isTree) ? rewriteBody(body, filling(holes)) : body;
  };
}

/** Declarations of a module; see `statements`. */
export function declarations(where: string): Quote<Declaration> {
  return (strings, ...holes) => {
    const found = parseTemplate(textOf(strings, holes), where).declarations;
    return holes.some(isTree) ? found.map((tree) => rewriteDeclaration(tree, filling(holes))) : [...found];
  };
}

const isTree = (hole: Hole): hole is readonly Statement[] => typeof hole === 'object';

/** The text with a slot in place of each hole that holds statements. */
function textOf(strings: TemplateStringsArray, holes: readonly Hole[]): string {
  return strings.reduce((text, part, k) => {
    const hole = holes[k - 1];
    return `${text}${isTree(hole) ? `\n// @slot ${k - 1}\n// @end\n` : hole}${part}`;
  });
}

function filling(holes: readonly Hole[]) {
  return {
    statement: (tree: Statement) => (tree.kind === 'slot' ? (holes[Number(tree.name)] as readonly Statement[]) : [tree]),
  };
}
