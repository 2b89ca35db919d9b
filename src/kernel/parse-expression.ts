/**
 * Expressions and type names. WGSL's precedence, but for one leniency: it lets a reader of C mix `&` and `==` without
 * parentheses, where WGSL refuses the text; the printer writes the parentheses.
 */

import type { Cursor } from './cursor.ts';
import type { BinaryOperator, Call, Construct, Expression, TypeName, UnaryOperator } from './tree.ts';
import {
  ABSTRACT_FLOAT,
  ABSTRACT_INT,
  BOOL,
  F32,
  I32,
  NONE,
  scalarType,
  shortVectorType,
  type Type,
  U32,
} from './types.ts';

/** Operators that bind alike, the loosest first. */
const PRECEDENCE: readonly (readonly BinaryOperator[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

/** How tightly each operator binds, from 0. */
export const LEVEL: ReadonlyMap<string, number> = new Map(
  PRECEDENCE.flatMap((operators, level) => operators.map((operator) => [operator, level] as const)),
);

/** Names of types that take arguments in angle brackets. */
const GENERIC = new Set(['array', 'vec2', 'vec3', 'vec4']);

/** @param level the loosest operators that may be part of it. */
export function parseExpression(cursor: Cursor, level = 0): Expression {
  let left = parseUnary(cursor);
  for (;;) {
    const { line, token } = cursor;
    const own = token.kind === 'symbol' ? LEVEL.get(token.text) : undefined;
    if (own === undefined || own < level) return left;
    cursor.next();
    const right = parseExpression(cursor, own + 1);
    left = { kind: 'binary', operator: token.text as BinaryOperator, left, right, line, type: NONE };
  }
}

function parseUnary(cursor: Cursor): Expression {
  const { line, token } = cursor;
  const isOperator = token.kind === 'symbol' && (token.text === '-' || token.text === '!' || token.text === '~');
  if (!isOperator) return parsePostfix(cursor);
  cursor.next();
  const operator = token.text as UnaryOperator;
  return { kind: 'unary', operator, operand: parseUnary(cursor), line, type: NONE };
}

function parsePostfix(cursor: Cursor): Expression {
  let base = parsePrimary(cursor);
  for (;;) {
    const { line } = cursor;
    if (cursor.accept('[')) {
      base = { kind: 'index', base, index: parseExpression(cursor), line, type: NONE };
      cursor.expect(']');
    } else if (cursor.accept('.')) {
      base = { kind: 'member', base, name: cursor.name(), line, type: NONE };
    } else {
      return base;
    }
  }
}

function parsePrimary(cursor: Cursor): Expression {
  const { line, token } = cursor;
  if (cursor.accept('(')) {
    const inside = parseExpression(cursor);
    cursor.expect(')');
    return inside;
  }
  if (token.kind === 'number') {
    cursor.next();
    const { value, type } = numberOf(token.text);
    return { kind: 'literal', value, type, line };
  }
  if (cursor.is('true') || cursor.is('false')) {
    return { kind: 'literal', value: cursor.next().text === 'true', type: BOOL, line };
  }
  if (token.kind !== 'name') throw cursor.error(`expected an expression, found "${token.text}"`);
  const next = cursor.peek();
  if (next !== '(' && next !== '<') {
    cursor.next();
    return { kind: 'name', name: token.text, line, type: NONE };
  }
  if (cursor.accept('bitcast')) {
    cursor.expect('<');
    const typeName = parseTypeName(cursor);
    cursor.expect('>');
    return { kind: 'construct', typeName, bits: true, args: parseArguments(cursor), line, type: NONE };
  }
  if (GENERIC.has(token.text) || scalarType(token.text) !== undefined || shortVectorType(token.text) !== undefined) {
    return parseConstruct(cursor);
  }
  const name = cursor.name();
  // A struct's constructor looks like a call; the checker tells them apart.
  if (cursor.is('('))
    return { kind: 'call', callee: name, args: parseArguments(cursor), line, type: NONE } satisfies Call;
  return { kind: 'name', name, line, type: NONE };
}

function parseConstruct(cursor: Cursor): Construct {
  const { line } = cursor;
  const typeName = parseTypeName(cursor);
  return { kind: 'construct', typeName, bits: false, args: parseArguments(cursor), line, type: NONE };
}

export function parseArguments(cursor: Cursor): Expression[] {
  const args: Expression[] = [];
  cursor.expect('(');
  while (!cursor.accept(')')) {
    args.push(parseExpression(cursor));
    if (!cursor.is(')')) cursor.expect(',');
  }
  return args;
}

export function parseTypeName(cursor: Cursor): TypeName {
  const { line } = cursor;
  const name = cursor.name();
  if (!GENERIC.has(name) || !cursor.accept('<')) return { name, element: null, count: null, line };
  const element = parseTypeName(cursor);
  // A count must not swallow the bracket that closes it: sums and products only.
  const count = cursor.accept(',') && !cursor.is('>') ? parseExpression(cursor, LEVEL.get('+')) : null;
  cursor.expect('>');
  return { name, element, count, line };
}

/** Value and type of a number as it is written. Hexadecimal floats are computed exactly. */
function numberOf(text: string): { value: number; type: Type } {
  const hex = text.startsWith('0x') || text.startsWith('0X');
  const exact = hex && (text.includes('p') || text.includes('P') || text.includes('.'));
  const last = text[text.length - 1];
  const suffix = last === 'u' || last === 'i' || (last === 'f' && (!hex || exact)) ? last : '';
  const digits = suffix === '' ? text : text.slice(0, -1);
  const value = exact ? hexFloat(digits) : Number(digits);
  if (suffix === 'u') return { value, type: U32 };
  if (suffix === 'i') return { value, type: I32 };
  if (suffix === 'f') return { value: Math.fround(value), type: F32 };
  const float = exact || (!hex && (text.includes('.') || text.includes('e') || text.includes('E')));
  return { value, type: float ? ABSTRACT_FLOAT : ABSTRACT_INT };
}

function hexFloat(text: string): number {
  const [, whole, fraction, exponent] = /^0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)[pP]?([+-]?\d*)$/.exec(
    text,
  ) as RegExpExecArray;
  return Number.parseInt(`${whole}${fraction}` || '0', 16) * 2 ** (Number(exponent) - 4 * fraction.length);
}
