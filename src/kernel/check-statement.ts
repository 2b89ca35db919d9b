/** Types of statements, and the names they declare. */

import { checkAs, checkExpression, resolveType } from './check-expression.ts';
import { type Context, concrete, constantValue } from './conversions.ts';
import { kernelError } from './error.ts';
import { Scope } from './scope.ts';
import type { Assign, Binary, Call, Declare, Expression, Loop, Statement } from './tree.ts';
import { BOOL, NONE, sameType, type Type, typeText } from './types.ts';

/** What statements know beside their names: what the function returns, and whether a loop is around. */
export interface StatementContext extends Context {
  readonly result: Type;
  readonly inLoop: boolean;
}

/** Statements in a scope of their own. */
export function checkBlock(body: readonly Statement[], context: StatementContext): Statement[] {
  const inner = { ...context, scope: new Scope(context.scope) };
  return body.map((statement) => checkStatement(statement, inner));
}

function checkStatement(tree: Statement, context: StatementContext): Statement {
  const { where } = context;
  switch (tree.kind) {
    case 'declare':
      return checkDeclare(tree, context);
    case 'assign':
      return checkAssign(tree, context);
    case 'if':
      return {
        ...tree,
        condition: checkAs(tree.condition, BOOL, 'the condition', context),
        body: checkBlock(tree.body, context),
        otherwise: tree.otherwise === null ? null : checkBlock(tree.otherwise, context),
      };
    case 'loop':
      return checkLoop(tree, context);
    case 'block':
      return { ...tree, body: checkBlock(tree.body, context) };
    case 'break':
    case 'continue':
      if (!context.inLoop) throw kernelError(where, tree.line, `${tree.kind} outside of a loop`);
      return tree;
    case 'return':
      if ((tree.value === null) !== sameType(context.result, NONE)) {
        throw kernelError(where, tree.line, `the function returns ${typeText(context.result)}`);
      }
      return tree.value === null
        ? tree
        : { ...tree, value: checkAs(tree.value, context.result, 'the result', context) };
    case 'call statement':
      return { ...tree, call: checkExpression(tree.call, context) as Call };
    case 'slot':
      throw kernelError(where, tree.line, `slot ${tree.name} is not filled`);
    default:
      return tree satisfies never;
  }
}

function checkDeclare(tree: Declare, context: StatementContext): Declare {
  const { form, name, line } = tree;
  const wanted = tree.typeName === null ? null : resolveType(tree.typeName, context);
  let value: Expression | null = null;
  if (tree.value !== null) {
    value = wanted === null ? checkExpression(tree.value, context) : checkAs(tree.value, wanted, name, context);
    if (form !== 'const') value = concrete(value, context);
    if (sameType(value.type, NONE)) throw kernelError(context.where, line, `${name} would have no value`);
  }
  const type = wanted ?? (value as Expression).type;
  const known = form === 'const' && value !== null ? constantValue(value, context) : undefined;
  if (form === 'const' && known === undefined && type.kind === 'scalar') {
    throw kernelError(context.where, line, `the value of const ${name} is not known`);
  }
  if (!context.scope.declare(name, { type, writable: form === 'var', value: known })) {
    throw kernelError(context.where, line, `"${name}" is declared twice`);
  }
  return { ...tree, value, type };
}

function checkAssign(tree: Assign, context: StatementContext): Assign {
  const { line, operator } = tree;
  const target = checkExpression(tree.target, context);
  const root = rootName(target);
  if (root === undefined || context.scope.find(root)?.writable !== true) {
    throw kernelError(context.where, line, `${root === undefined ? 'this' : `"${root}"`} cannot be assigned to`);
  }
  if (operator === null) {
    return { ...tree, target, value: checkAs(tree.value, target.type, 'the value', context) };
  }
  const sum: Binary = { kind: 'binary', operator, left: tree.target, right: tree.value, line, type: NONE };
  const checked = checkExpression(sum, context) as Binary;
  if (!sameType(checked.type, target.type)) {
    throw kernelError(context.where, line, `${typeText(checked.type)} cannot be assigned to ${typeText(target.type)}`);
  }
  return { ...tree, target, value: checked.right };
}

/** The variable that an assignment changes. */
function rootName(target: Expression): string | undefined {
  if (target.kind === 'name') return target.name;
  if (target.kind !== 'index' && target.kind !== 'member') return undefined;
  // Several components at once are values, not places.
  if (target.kind === 'member' && target.base.type.kind === 'vector' && target.name.length > 1) return undefined;
  return rootName(target.base);
}

function checkLoop(tree: Loop, context: StatementContext): Loop {
  const inner = { ...context, scope: new Scope(context.scope), inLoop: true };
  return {
    ...tree,
    init: tree.init === null ? null : checkStatement(tree.init, inner),
    condition: tree.condition === null ? null : checkAs(tree.condition, BOOL, 'the condition', inner),
    update: tree.update === null ? null : checkStatement(tree.update, inner),
    body: checkBlock(tree.body, inner),
  };
}
