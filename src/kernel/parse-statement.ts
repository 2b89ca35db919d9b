/** Statements of function bodies. */

import type { Cursor } from './cursor.ts';
import { parseExpression, parseTypeName } from './parse-expression.ts';
import type { BinaryOperator, Declare, Expression, If, Statement } from './tree.ts';
import { ABSTRACT_INT, NONE } from './types.ts';

const COMPOUND = ['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>'] as const satisfies readonly BinaryOperator[];

/** `{ … }`. */
export function parseBlock(cursor: Cursor): Statement[] {
  cursor.expect('{');
  const body = parseStatements(cursor);
  cursor.expect('}');
  return body;
}

/** Statements up to a `}`, or to the end of the text or of a slot. */
export function parseStatements(cursor: Cursor): Statement[] {
  const body: Statement[] = [];
  while (!cursor.is('}') && !cursor.done && !cursor.at('slot end')) {
    const filling = cursor.hole();
    const slot = filling === null ? cursor.slot(() => parseStatements(cursor)) : null;
    if (filling !== null) body.push(...filling);
    else if (slot !== null) body.push({ kind: 'slot', ...slot });
    else if (!cursor.accept(';')) body.push(parseStatement(cursor));
  }
  return body;
}

function parseStatement(cursor: Cursor): Statement {
  const { line } = cursor;
  switch (cursor.token.text) {
    case '{':
      return { kind: 'block', body: parseBlock(cursor), line };
    case 'if':
      return parseIf(cursor);
    case 'for':
      return parseFor(cursor);
    case 'while':
      cursor.next();
      return { ...unbounded(line), condition: parseExpression(cursor), body: parseBlock(cursor) };
    case 'loop':
      cursor.next();
      return { ...unbounded(line), body: parseBlock(cursor) };
    case 'break':
    case 'continue': {
      const kind = cursor.next().text as 'break' | 'continue';
      cursor.expect(';');
      return { kind, line };
    }
    case 'return': {
      cursor.next();
      const value = cursor.is(';') ? null : parseExpression(cursor);
      cursor.expect(';');
      return { kind: 'return', value, line };
    }
    default: {
      const statement = parseSimple(cursor);
      cursor.expect(';');
      return statement;
    }
  }
}

const unbounded = (line: number) =>
  ({ kind: 'loop', init: null, condition: null, update: null, unroll: false, name: null, line }) as const;

function parseIf(cursor: Cursor): If {
  const { line } = cursor;
  cursor.expect('if');
  const condition = parseExpression(cursor);
  const body = parseBlock(cursor);
  let otherwise: Statement[] | null = null;
  if (cursor.accept('else')) otherwise = cursor.is('if') ? [parseIf(cursor)] : parseBlock(cursor);
  return { kind: 'if', condition, body, otherwise, line };
}

function parseFor(cursor: Cursor): Statement {
  const { line } = cursor;
  cursor.expect('for');
  cursor.expect('(');
  const init = cursor.is(';') ? null : parseSimple(cursor);
  cursor.expect(';');
  const condition = cursor.is(';') ? null : parseExpression(cursor);
  cursor.expect(';');
  const update = cursor.is(')') ? null : parseSimple(cursor);
  cursor.expect(')');
  const unroll = cursor.marked(cursor.line, 'unroll');
  const name = cursor.loopName(cursor.line);
  return { kind: 'loop', init, condition, update, body: parseBlock(cursor), unroll, name, line };
}

/** A declaration, an assignment or a call, without its semicolon. */
function parseSimple(cursor: Cursor): Statement {
  const { line } = cursor;
  if (cursor.is('let') || cursor.is('var') || cursor.is('const')) return parseDeclare(cursor);
  const target = parseExpression(cursor);
  if (cursor.accept('++')) return step(target, '+', line);
  if (cursor.accept('--')) return step(target, '-', line);
  if (cursor.accept('=')) return { kind: 'assign', target, operator: null, value: parseExpression(cursor), line };
  for (const operator of COMPOUND) {
    if (cursor.accept(`${operator}=`)) {
      return { kind: 'assign', target, operator, value: parseExpression(cursor), line };
    }
  }
  if (target.kind !== 'call') throw cursor.error(`expected an assignment or a call before "${cursor.token.text}"`);
  return { kind: 'call statement', call: target, line };
}

function step(target: Expression, operator: '+' | '-', line: number): Statement {
  return { kind: 'assign', target, operator, value: { kind: 'literal', value: 1, type: ABSTRACT_INT, line }, line };
}

function parseDeclare(cursor: Cursor): Declare {
  const { line } = cursor;
  const form = cursor.next().text as Declare['form'];
  const name = cursor.name();
  const typeName = cursor.accept(':') ? parseTypeName(cursor) : null;
  const value = cursor.accept('=') ? parseExpression(cursor) : null;
  if (value === null && (form !== 'var' || typeName === null)) throw cursor.error(`${form} ${name} needs a value`);
  return { kind: 'declare', form, name, typeName, value, line, type: NONE };
}
