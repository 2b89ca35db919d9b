/** Ways through trees: every expression of a statement, what a declaration mentions, who calls whom. */

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
  addNames(tree, names);
  return names;
}

function addNames(tree: Declaration, names: Set<string>): void {
  switch (tree.kind) {
    case 'constant':
    case 'variable':
      addTypeName(tree.typeName, names);
      addExpression(tree.value, names);
      break;
    case 'struct':
      for (const { typeName } of tree.fields) addTypeName(typeName, names);
      break;
    case 'function':
      for (const { typeName } of tree.parameters) addTypeName(typeName, names);
      addTypeName(tree.resultName, names);
      addExpression(tree.workgroupSize, names);
      eachDeclare(tree.body, ({ typeName }) => addTypeName(typeName, names));
      eachExpression(tree.body, (part) => addName(part, names));
      break;
    case 'slot':
      for (const each of tree.content) addNames(each, names);
      break;
  }
}

function addTypeName(tree: TypeName | null, names: Set<string>): void {
  if (tree === null) return;
  names.add(tree.name);
  addTypeName(tree.element, names);
  addExpression(tree.count, names);
}

function addExpression(tree: Expression | null, names: Set<string>): void {
  if (tree === null) return;
  addName(tree, names);
  for (const part of partsOf(tree)) addExpression(part, names);
}

function addName(tree: Expression, names: Set<string>): void {
  if (tree.kind === 'name') names.add(tree.name);
  else if (tree.kind === 'call') names.add(tree.callee);
  else if (tree.kind === 'construct') addTypeName(tree.typeName, names);
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

/** True when two trees mean the same: they differ in the lines they come from at most. */
export function sameTree(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let k = 0; k < a.length; k++) if (!sameTree(a[k], b[k])) return false;
    return true;
  }
  const [left, right] = [a, b] as Readonly<Record<string, unknown>>[];
  for (const key in left) if (key !== 'line' && !sameTree(left[key], right[key])) return false;
  return true;
}
