/**
 * Trees written as WGSL with holes: a text in a hole is part of the text, statements in a hole are put in as they are.
 *
 *   const loop = statements('sum')`for (var i = 0u; i < ${extent}; i++) { ${body} }`;
 */

import { parseBody, parseModule } from './parse.ts';
import { HOLE } from './tokens.ts';
import type { Declaration, Statement } from './tree.ts';

export type Hole = string | number | readonly Statement[];
type Quote<T> = (strings: TemplateStringsArray, ...holes: readonly Hole[]) => T[];

/** @param where names the text in errors. The tag throws DownhillError `internal` for what is not WGSL. */
export function statements(where: string): Quote<Statement> {
  return (strings, ...holes) => parseBody(textOf(strings, holes), where, holes.filter(isTree));
}

/** Declarations of a module; see `statements`. */
export function declarations(where: string): Quote<Declaration> {
  return (strings, ...holes) => [...parseModule(textOf(strings, holes), where, holes.filter(isTree)).declarations];
}

function isTree(hole: Hole): hole is readonly Statement[] {
  return typeof hole === 'object';
}

/** The text with a mark in place of each hole that holds statements, in their order. */
function textOf(strings: TemplateStringsArray, holes: readonly Hole[]): string {
  let text = strings[0];
  for (let k = 0; k < holes.length; k++) {
    const hole = holes[k];
    text += (isTree(hole) ? HOLE : hole) + strings[k + 1];
  }
  return text;
}
