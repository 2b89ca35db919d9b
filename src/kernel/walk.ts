/** Ways through trees: every expression of a statement, children anew, who calls whom. */

import type { Declaration, Declare, Expression, FunctionTree, Statement, TypeName } from './tree.ts';

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
      case 'slot':
        statements(tree.content);
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

/** What a declaration mentions: variables, functions and types, its own local names among them. */
export function namesIn(tree: Declaration): Set<string> {
  const names = new Set<string>();
  const type = (part: TypeName | null): void => {
    if (part === null) return;
    names.add(part.name);
    type(part.element);
    expression(part.count);
  };
  const expression = (part: Expression | null): void => {
    if (part === null) return;
    if (part.kind === 'name') names.add(part.name);
    if (part.kind === 'call') names.add(part.callee);
    if (part.kind === 'construct') type(part.typeName);
    for (const inner of partsOf(part)) expression(inner);
  };
  switch (tree.kind) {
    case 'constant':
    case 'variable':
      type(tree.typeName);
      expression(tree.value);
      break;
    case 'struct':
      for (const { typeName } of tree.fields) type(typeName);
      break;
    case 'function':
      for (const { typeName } of tree.parameters) type(typeName);
      type(tree.resultName);
      expression(tree.workgroupSize);
      eachDeclare(tree.body, ({ typeName }) => type(typeName));
      eachExpression(tree.body, expression);
      break;
    case 'slot':
      for (const each of tree.content) for (const name of namesIn(each)) names.add(name);
      break;
  }
  return names;
}

/** Names of the parameters and variables of a function. */
export function localsOf({ parameters, body }: FunctionTree): Set<string> {
  const names = new Set(parameters.map(({ name }) => name));
  eachDeclare(body, ({ name }) => names.add(name));
  return names;
}

function eachDeclare(body: readonly Statement[], visit: (tree: Declare) => void): void {
  for (const tree of body) {
    switch (tree.kind) {
      case 'declare':
        visit(tree);
        break;
      case 'if':
        eachDeclare([...tree.body, ...(tree.otherwise ?? [])], visit);
        break;
      case 'loop':
        eachDeclare(tree.init === null ? tree.body : [tree.init, ...tree.body], visit);
        break;
      case 'block':
        eachDeclare(tree.body, visit);
        break;
      case 'slot':
        eachDeclare(tree.content, visit);
        break;
    }
  }
}
