/** Ways through trees: every expression of a statement, children anew, who calls whom. */

import type { Expression, Statement } from './tree.ts';

/** The expressions directly inside. */
export function partsOf(tree: Expression): readonly Expression[] {
  switch (tree.kind) {
    case 'literal':
    case 'name':
      return [];
    case 'unary':
      return [tree.operand];
    case 'binary':
      return [tree.left, tree.right];
    case 'call':
    case 'construct':
      return tree.args;
    case 'index':
      return [tree.base, tree.index];
    case 'member':
      return [tree.base];
    default:
      return tree satisfies never;
  }
}

/** `tree` with `change` of each part. */
export function mapParts(tree: Expression, change: (part: Expression) => Expression): Expression {
  switch (tree.kind) {
    case 'literal':
    case 'name':
      return tree;
    case 'unary':
      return { ...tree, operand: change(tree.operand) };
    case 'binary':
      return { ...tree, left: change(tree.left), right: change(tree.right) };
    case 'call':
    case 'construct':
      return { ...tree, args: tree.args.map(change) };
    case 'index':
      return { ...tree, base: change(tree.base), index: change(tree.index) };
    case 'member':
      return { ...tree, base: change(tree.base) };
    default:
      return tree satisfies never;
  }
}

/** Calls `visit` with every expression of `body`, the inner ones after those around them. */
export function eachExpression(body: readonly Statement[], visit: (tree: Expression) => void): void {
  const expression = (tree: Expression | null): void => {
    if (tree === null) return;
    visit(tree);
    for (const part of partsOf(tree)) expression(part);
  };
  const statements = (list: readonly Statement[] | null): void => {
    for (const each of list ?? []) statement(each);
  };
  const statement = (tree: Statement | null): void => {
    switch (tree?.kind) {
      case 'declare':
      case 'return':
        expression(tree.value);
        break;
      case 'assign':
        expression(tree.target);
        expression(tree.value);
        break;
      case 'if':
        expression(tree.condition);
        statements(tree.body);
        statements(tree.otherwise);
        break;
      case 'loop':
        statement(tree.init);
        expression(tree.condition);
        statement(tree.update);
        statements(tree.body);
        break;
      case 'block':
        statements(tree.body);
        break;
      case 'call statement':
        expression(tree.call);
        break;
    }
  };
  statements(body);
}

/** Names of the functions that `body` calls, WGSL's own among them. */
export function calledBy(body: readonly Statement[]): Set<string> {
  const called = new Set<string>();
  eachExpression(body, (tree) => {
    if (tree.kind === 'call') called.add(tree.callee);
  });
  return called;
}
