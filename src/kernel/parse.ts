/**
 * From WGSL to its tree: modules, function bodies, expressions. The tree is not yet typed; `check` does that.
 *
 * @throws DownhillError `internal` for a text that is not WGSL, or not of the subset that kernels are written in, with
 *   its line.
 */

import { Cursor } from './cursor.ts';
import { parseExpression, parseTypeName } from './parse-expression.ts';
import { parseBlock, parseStatements } from './parse-statement.ts';
import type {
  Constant,
  Declaration,
  Expression,
  FunctionTree,
  Module,
  Parameter,
  Statement,
  Struct,
  Variable,
} from './tree.ts';
import { NONE } from './types.ts';

type Holes = readonly (readonly Statement[])[];
const NO_HOLES: Holes = [];

/** @param where names the text in messages: a file, a kernel's label, an op. @param holes see quote.ts. */
export function parseModule(text: string, where: string, holes = NO_HOLES): Module {
  return moduleAt(new Cursor(text, where, false, holes));
}

/** A module with slots, loops by name and parameters, for `instantiate`. */
export function parseTemplate(text: string, where: string): Module {
  return moduleAt(new Cursor(text, where, true, NO_HOLES));
}

function moduleAt(cursor: Cursor): Module {
  const directives: string[] = [];
  const declarations = parseDeclarations(cursor, directives);
  if (!cursor.done) throw cursor.error(`unexpected "${cursor.token.text}"`);
  return { directives, declarations };
}

/** Declarations up to the end of the text, or of a slot. */
function parseDeclarations(cursor: Cursor, directives: string[]): Declaration[] {
  const declarations: Declaration[] = [];
  while (!cursor.done && !cursor.at('slot end')) {
    const slot = cursor.slot(() => parseDeclarations(cursor, directives));
    if (slot !== null) declarations.push({ kind: 'slot', ...slot });
    else if (cursor.is('enable') || cursor.is('diagnostic') || cursor.is('requires'))
      directives.push(cursor.until(';'));
    else if (!cursor.accept(';')) declarations.push(parseDeclaration(cursor));
  }
  return declarations;
}

/** Statements alone: the body of a function. @param holes see quote.ts. */
export function parseBody(text: string, where: string, holes = NO_HOLES): Statement[] {
  const cursor = new Cursor(text, where, false, holes);
  const body = parseStatements(cursor);
  if (!cursor.done) throw cursor.error(`unexpected "${cursor.token.text}"`);
  return body;
}

/** One expression and nothing behind it. */
export function parseSnippet(text: string, where: string): Expression {
  const cursor = new Cursor(text, where, false, NO_HOLES);
  const expression = parseExpression(cursor);
  if (!cursor.done) throw cursor.error(`unexpected "${cursor.token.text}"`);
  return expression;
}

interface Attributes {
  readonly binding: number | null;
  readonly workgroupSize: Expression | null;
  readonly builtin: string | null;
}

function parseDeclaration(cursor: Cursor): Declaration {
  const attributes = parseAttributes(cursor);
  switch (cursor.token.text) {
    case 'const':
      return parseConstant(cursor);
    case 'var':
      return parseVariable(cursor, attributes);
    case 'struct':
      return parseStruct(cursor);
    case 'fn':
      return parseFunction(cursor, attributes);
    default:
      throw cursor.error(`expected a declaration, found "${cursor.token.text}"`);
  }
}

function parseAttributes(cursor: Cursor): Attributes {
  let binding: number | null = null;
  let workgroupSize: Expression | null = null;
  let builtin: string | null = null;
  while (cursor.accept('@')) {
    const name = cursor.name();
    if (name === 'compute') continue;
    cursor.expect('(');
    if (name === 'workgroup_size') {
      workgroupSize = parseExpression(cursor);
    } else if (name === 'builtin') {
      builtin = cursor.name();
    } else if (name === 'binding') {
      binding = Number(cursor.next().text);
    } else if (name !== 'group' || cursor.next().text !== '0') {
      throw cursor.error(`@${name} is not of the subset of WGSL that kernels use`);
    }
    cursor.accept(',');
    cursor.expect(')');
  }
  return { binding, workgroupSize, builtin };
}

function parseConstant(cursor: Cursor): Constant {
  const { line } = cursor;
  cursor.expect('const');
  const name = cursor.name();
  const typeName = cursor.accept(':') ? parseTypeName(cursor) : null;
  cursor.expect('=');
  const value = parseExpression(cursor);
  cursor.expect(';');
  return { kind: 'constant', name, typeName, value, param: cursor.marked(line, 'param'), line, type: NONE };
}

const SPACES = ['uniform', 'storage', 'private', 'workgroup'] as const;

function parseVariable(cursor: Cursor, { binding }: Attributes): Variable {
  const { line } = cursor;
  cursor.expect('var');
  cursor.expect('<');
  const word = cursor.name();
  const space = SPACES.find((candidate) => candidate === word);
  if (space === undefined) throw cursor.error(`"${word}" is not an address space that kernels use`);
  let access: Variable['access'] = space === 'storage' ? 'read' : null;
  if (cursor.accept(',')) access = cursor.name() as 'read' | 'read_write';
  cursor.expect('>');
  const name = cursor.name();
  cursor.expect(':');
  const typeName = parseTypeName(cursor);
  const value = space === 'private' && cursor.accept('=') ? parseExpression(cursor) : null;
  cursor.expect(';');
  return { kind: 'variable', name, space, access, binding, typeName, value, line, type: NONE };
}

function parseStruct(cursor: Cursor): Struct {
  const { line } = cursor;
  cursor.expect('struct');
  const name = cursor.name();
  const fields: Struct['fields'][number][] = [];
  cursor.expect('{');
  while (!cursor.accept('}')) {
    const field = cursor.name();
    cursor.expect(':');
    fields.push({ name: field, typeName: parseTypeName(cursor) });
    if (!cursor.is('}')) cursor.expect(',');
  }
  return { kind: 'struct', name, fields, line };
}

function parseFunction(cursor: Cursor, { workgroupSize }: Attributes): FunctionTree {
  const { line } = cursor;
  cursor.expect('fn');
  const name = cursor.name();
  const parameters: Parameter[] = [];
  cursor.expect('(');
  while (!cursor.accept(')')) {
    const { builtin } = parseAttributes(cursor);
    const parameter = cursor.name();
    cursor.expect(':');
    parameters.push({ name: parameter, typeName: parseTypeName(cursor), builtin, type: NONE });
    if (!cursor.is(')')) cursor.expect(',');
  }
  const resultName = cursor.accept('->') ? parseTypeName(cursor) : null;
  const body = parseBlock(cursor);
  return { kind: 'function', name, parameters, resultName, result: NONE, body, workgroupSize, line };
}
