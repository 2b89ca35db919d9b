/**
 * Trees with parts replaced. A tree is never changed: what differs is made anew, from the inside out.
 */

import { invariant } from '../util/errors.ts';
import type { Declaration, Expression, Loop, Statement, TypeName } from './tree.ts';
import { mapParts } from './walk.ts';

/** What takes the place of each part; what is left out stays. Parts arrive with their own parts replaced. */
export interface Rewriter {
  expression?(tree: Expression): Expression;
  statement?(tree: Statement): readonly Statement[];
  typeName?(tree: TypeName): TypeName;
}

export function rewriteExpression(tree: Expression, rewriter: Rewriter): Expression {
  const inner = mapParts(tree, (part) => rewriteExpression(part, rewriter));
  const typed = inner.kind === 'construct' ? { ...inner, typeName: rewriteTypeName(inner.typeName, rewriter) } : inner;
  return rewriter.expression?.(typed) ?? typed;
}

export function rewriteBody(body: readonly Statement[], rewriter: Rewriter): Statement[] {
  return body.flatMap((statement) => rewriteStatement(statement, rewriter));
}

export function rewriteDeclaration(tree: Declaration, rewriter: Rewriter): Declaration {
  switch (tree.kind) {
    case 'constant':
      return {
        ...tree,
        typeName: optional(tree.typeName, (name) => rewriteTypeName(name, rewriter)),
        value: rewriteExpression(tree.value, rewriter),
      };
    case 'variable':
      return {
        ...tree,
        typeName: rewriteTypeName(tree.typeName, rewriter),
        value: optional(tree.value, (value) => rewriteExpression(value, rewriter)),
      };
    case 'struct':
      return {
        ...tree,
        fields: tree.fields.map((field) => ({ ...field, typeName: rewriteTypeName(field.typeName, rewriter) })),
      };
    case 'function':
      return {
        ...tree,
        parameters: tree.parameters.map((each) => ({ ...each, typeName: rewriteTypeName(each.typeName, rewriter) })),
        resultName: optional(tree.resultName, (name) => rewriteTypeName(name, rewriter)),
        body: rewriteBody(tree.body, rewriter),
        workgroupSize: optional(tree.workgroupSize, (size) => rewriteExpression(size, rewriter)),
      };
    case 'slot':
      return { ...tree, content: tree.content.map((each) => rewriteDeclaration(each, rewriter)) };
    default:
      return tree satisfies never;
  }
}

function rewriteTypeName(tree: TypeName, rewriter: Rewriter): TypeName {
  const inner = {
    ...tree,
    element: optional(tree.element, (element) => rewriteTypeName(element, rewriter)),
    count: optional(tree.count, (count) => rewriteExpression(count, rewriter)),
  };
  return rewriter.typeName?.(inner) ?? inner;
}

function rewriteStatement(tree: Statement, rewriter: Rewriter): readonly Statement[] {
  const inner = withParts(tree, rewriter);
  return rewriter.statement?.(inner) ?? [inner];
}

function withParts(tree: Statement, rewriter: Rewriter): Statement {
  const expression = (part: Expression): Expression => rewriteExpression(part, rewriter);
  switch (tree.kind) {
    case 'declare':
      return {
        ...tree,
        typeName: optional(tree.typeName, (name) => rewriteTypeName(name, rewriter)),
        value: optional(tree.value, expression),
      };
    case 'assign':
      return { ...tree, target: expression(tree.target), value: expression(tree.value) };
    case 'if':
      return {
        ...tree,
        condition: expression(tree.condition),
        body: rewriteBody(tree.body, rewriter),
        otherwise: optional(tree.otherwise, (body) => rewriteBody(body, rewriter)),
      };
    case 'loop':
      return {
        ...tree,
        init: optional(tree.init, (init) => headOf(init, rewriter)),
        condition: optional(tree.condition, expression),
        update: optional(tree.update, (update) => headOf(update, rewriter)),
        body: rewriteBody(tree.body, rewriter),
      } satisfies Loop;
    case 'block':
      return { ...tree, body: rewriteBody(tree.body, rewriter) };
    case 'slot':
      return { ...tree, content: rewriteBody(tree.content, rewriter) };
    case 'return':
      return { ...tree, value: optional(tree.value, expression) };
    case 'call statement': {
      const call = expression(tree.call);
      invariant(call.kind === 'call', 'a call for its effect became a value');
      return { ...tree, call };
    }
    default:
      return tree;
  }
}

/** A statement in the head of a loop, which stays one statement. */
function headOf(tree: Statement, rewriter: Rewriter): Statement {
  const [head, ...more] = rewriteStatement(tree, rewriter);
  invariant(head !== undefined && more.length === 0, 'the head of a loop holds one statement');
  return head;
}

function optional<T, R>(value: T | null, change: (value: T) => R): R | null {
  return value === null ? null : change(value);
}
