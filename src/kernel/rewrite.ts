/**
 * Trees with parts replaced. A tree is never changed: what differs is made anew, from the inside out, and what does not
 * differ stays the same object.
 */

import { invariant } from '../util/errors.ts';
import type { Declaration, Expression, Statement, TypeName } from './tree.ts';

/** What takes the place of each part; what is left out stays. Parts arrive with their own parts replaced. */
export interface Rewriter {
  expression?(tree: Expression): Expression;
  statement?(tree: Statement): readonly Statement[];
  typeName?(tree: TypeName): TypeName;
}

export function rewriteExpression(tree: Expression, rewriter: Rewriter): Expression {
  const inner = withOperands(tree, rewriter);
  return rewriter.expression === undefined ? inner : rewriter.expression(inner);
}

function withOperands(tree: Expression, rewriter: Rewriter): Expression {
  switch (tree.kind) {
    case 'literal':
    case 'name':
      return tree;
    case 'unary': {
      const operand = rewriteExpression(tree.operand, rewriter);
      return operand === tree.operand ? tree : { ...tree, operand };
    }
    case 'binary': {
      const left = rewriteExpression(tree.left, rewriter);
      const right = rewriteExpression(tree.right, rewriter);
      return left === tree.left && right === tree.right ? tree : { ...tree, left, right };
    }
    case 'call': {
      const args = rewriteAll(tree.args, rewriter);
      return args === tree.args ? tree : { ...tree, args };
    }
    case 'construct': {
      const args = rewriteAll(tree.args, rewriter);
      const typeName = rewriteTypeName(tree.typeName, rewriter);
      return args === tree.args && typeName === tree.typeName ? tree : { ...tree, args, typeName };
    }
    case 'index': {
      const base = rewriteExpression(tree.base, rewriter);
      const index = rewriteExpression(tree.index, rewriter);
      return base === tree.base && index === tree.index ? tree : { ...tree, base, index };
    }
    case 'member': {
      const base = rewriteExpression(tree.base, rewriter);
      return base === tree.base ? tree : { ...tree, base };
    }
    default:
      return tree satisfies never;
  }
}

function rewriteAll(trees: readonly Expression[], rewriter: Rewriter): readonly Expression[] {
  let changed: Expression[] | undefined;
  for (let k = 0; k < trees.length; k++) {
    const tree = rewriteExpression(trees[k], rewriter);
    if (tree === trees[k]) continue;
    changed ??= [...trees];
    changed[k] = tree;
  }
  return changed ?? trees;
}

function orNull(tree: Expression | null, rewriter: Rewriter): Expression | null {
  return tree === null ? null : rewriteExpression(tree, rewriter);
}

function typeOrNull(tree: TypeName | null, rewriter: Rewriter): TypeName | null {
  return tree === null ? null : rewriteTypeName(tree, rewriter);
}

function rewriteTypeName(tree: TypeName, rewriter: Rewriter): TypeName {
  const element = typeOrNull(tree.element, rewriter);
  const count = orNull(tree.count, rewriter);
  const inner = element === tree.element && count === tree.count ? tree : { ...tree, element, count };
  return rewriter.typeName === undefined ? inner : rewriter.typeName(inner);
}

export function rewriteBody(body: readonly Statement[], rewriter: Rewriter): readonly Statement[] {
  let changed: Statement[] | undefined;
  for (let k = 0; k < body.length; k++) {
    const tree = body[k];
    const inner = withParts(tree, rewriter);
    const found = rewriter.statement === undefined ? inner : rewriter.statement(inner);
    if (changed === undefined) {
      if (found === tree) continue;
      changed = body.slice(0, k);
    }
    if (Array.isArray(found)) changed.push(...found);
    else changed.push(found as Statement);
  }
  return changed ?? body;
}

/** A statement in the head of a loop, which stays one statement. */
function headOrNull(tree: Statement | null, rewriter: Rewriter): Statement | null {
  if (tree === null) return null;
  const [head, ...more] = rewriteBody([tree], rewriter);
  invariant(head !== undefined && more.length === 0, 'the head of a loop holds one statement');
  return head;
}

function withParts(tree: Statement, rewriter: Rewriter): Statement {
  switch (tree.kind) {
    case 'declare': {
      const typeName = typeOrNull(tree.typeName, rewriter);
      const value = orNull(tree.value, rewriter);
      return typeName === tree.typeName && value === tree.value ? tree : { ...tree, typeName, value };
    }
    case 'assign': {
      const target = rewriteExpression(tree.target, rewriter);
      const value = rewriteExpression(tree.value, rewriter);
      return target === tree.target && value === tree.value ? tree : { ...tree, target, value };
    }
    case 'if': {
      const condition = rewriteExpression(tree.condition, rewriter);
      const body = rewriteBody(tree.body, rewriter);
      const otherwise = tree.otherwise === null ? null : rewriteBody(tree.otherwise, rewriter);
      const same = condition === tree.condition && body === tree.body && otherwise === tree.otherwise;
      return same ? tree : { ...tree, condition, body, otherwise };
    }
    case 'loop': {
      const init = headOrNull(tree.init, rewriter);
      const condition = orNull(tree.condition, rewriter);
      const update = headOrNull(tree.update, rewriter);
      const body = rewriteBody(tree.body, rewriter);
      const same = init === tree.init && condition === tree.condition && update === tree.update && body === tree.body;
      return same ? tree : { ...tree, init, condition, update, body };
    }
    case 'block': {
      const body = rewriteBody(tree.body, rewriter);
      return body === tree.body ? tree : { ...tree, body };
    }
    case 'slot': {
      const content = rewriteBody(tree.content, rewriter);
      return content === tree.content ? tree : { ...tree, content };
    }
    case 'return': {
      const value = orNull(tree.value, rewriter);
      return value === tree.value ? tree : { ...tree, value };
    }
    case 'call statement': {
      const call = rewriteExpression(tree.call, rewriter);
      invariant(call.kind === 'call', 'a call for its effect became a value');
      return call === tree.call ? tree : { ...tree, call };
    }
    default:
      return tree;
  }
}

export function rewriteDeclaration(tree: Declaration, rewriter: Rewriter): Declaration {
  switch (tree.kind) {
    case 'constant':
      return {
        ...tree,
        typeName: typeOrNull(tree.typeName, rewriter),
        value: rewriteExpression(tree.value, rewriter),
      };
    case 'variable':
      return {
        ...tree,
        typeName: rewriteTypeName(tree.typeName, rewriter),
        value: orNull(tree.value, rewriter),
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
        resultName: typeOrNull(tree.resultName, rewriter),
        body: rewriteBody(tree.body, rewriter),
        workgroupSize: orNull(tree.workgroupSize, rewriter),
      };
    case 'slot':
      return { ...tree, content: tree.content.map((each) => rewriteDeclaration(each, rewriter)) };
    default:
      return tree satisfies never;
  }
}
