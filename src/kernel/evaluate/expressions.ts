/**
 * A checked expression as JavaScript. Numbers are numbers, bools are booleans, vectors and arrays are arrays, structs
 * are objects.
 *
 * Every operation gives a value of its type: i32 and u32 wrap, f32 is rounded after each operation in f32 and never in
 * f64.
 */

import { invariant } from '../../util/errors.ts';
import { builtin } from '../builtins.ts';
import type { Binary, Call, Construct, Expression } from '../tree.ts';
import { elementOf, type ScalarType, type Type } from '../types.ts';
import { EXACT } from './exact.ts';
import type { Names } from './names.ts';

/** How a kernel is evaluated, and what its names are in JavaScript. */
export interface Writing {
  readonly precision: 'f32' | 'f64';
  readonly names: Names;
  /** Functions that hand over to the other invocations on their way: generators. */
  readonly pausing: ReadonlySet<string>;
}

export function expressionText(tree: Expression, writing: Writing): string {
  const text = (each: Expression) => expressionText(each, writing);
  switch (tree.kind) {
    case 'literal':
      return typeof tree.value === 'number' ? rounded(numberText(tree.value), tree.type, writing) : String(tree.value);
    case 'name':
      return writing.names.find(tree.name);
    case 'unary': {
      const { operator } = tree;
      const f = (x: string) => (operator === '!' ? `!${x}` : rounded(`${operator}${x}`, tree.type, writing));
      return lifted(tree.type, [tree.operand], ([x]) => f(`(${x})`), writing);
    }
    case 'binary': {
      const { left, right } = tree;
      return lifted(tree.type, [left, right], ([a, b]) => binaryText(tree, a, b, writing), writing, left, right);
    }
    case 'call':
      return callText(tree, writing);
    case 'construct':
      return constructText(tree, writing);
    case 'index':
      return placeText(tree, writing);
    case 'member': {
      const { base, name } = tree;
      if (base.type.kind === 'struct') return `${text(base)}.${name}`;
      const places = [...name].map((letter) => 'xyzw'.indexOf(letter));
      if (places.length === 1) return `${text(base)}[${places[0]}]`;
      return `((v) => [${places.map((place) => `v[${place}]`).join(', ')}])(${text(base)})`;
    }
    default:
      return tree satisfies never;
  }
}

/** Something that can be assigned to, or read. */
export function placeText(tree: Expression, writing: Writing): string {
  if (tree.kind !== 'index') return expressionText(tree, writing);
  const base = placeText(tree.base, writing);
  const index = expressionText(tree.index, writing);
  const { type } = tree.base;
  if (tree.index.kind === 'literal' && (type.kind === 'vector' || (type.kind === 'array' && type.count !== null))) {
    return `${base}[${index}]`;
  }
  return `${base}[within(${index}, ${base}.length)]`;
}

/** `text`, a number made by one operation, as a value of `type`. */
export function rounded(text: string, type: Type, { precision }: Pick<Writing, 'precision'>): string {
  switch (elementOf(type)?.name) {
    case 'i32':
      return `((${text}) | 0)`;
    case 'u32':
      return `((${text}) >>> 0)`;
    case 'f32':
      return precision === 'f32' ? `fround(${text})` : `(${text})`;
    default:
      return `(${text})`;
  }
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** `f` of scalars, or of the components of vectors. */
function lifted(
  type: Type,
  args: readonly Expression[],
  f: (texts: readonly string[]) => string,
  writing: Writing,
  ...operands: readonly Expression[]
): string {
  const texts = args.map((arg) => expressionText(arg, writing));
  if (type.kind !== 'vector' && !operands.some((operand) => operand.type.kind === 'vector')) return f(texts);
  const names = args.map((_, k) => `c${k}`);
  return `r.lift((${names.join(', ')}) => ${f(names)}, ${texts.join(', ')})`;
}

function binaryText({ operator, left, type }: Binary, a: string, b: string, writing: Writing): string {
  const of = (elementOf(left.type) as ScalarType).name;
  const whole = of === 'i32' || of === 'u32';
  const signed = of === 'i32' ? 'Signed' : 'Unsigned';
  switch (operator) {
    case '*':
      return rounded(whole ? `imul(${a}, ${b})` : `${a} * ${b}`, type, writing);
    case '/':
      return whole ? `r.divide${signed}(${a}, ${b})` : rounded(`${a} / ${b}`, type, writing);
    case '%':
      return whole ? `r.rest${signed}(${a}, ${b})` : rounded(`${a} % ${b}`, type, writing);
    case '>>':
      return of === 'u32' ? `(${a} >>> ${b})` : `(${a} >> ${b})`;
    case '&':
    case '|':
      // WGSL evaluates both sides.
      return of === 'bool' ? `((${a} ${operator} ${b}) !== 0)` : rounded(`${a} ${operator} ${b}`, type, writing);
    case '==':
    case '!=':
      return `(${a} ${operator}= ${b})`;
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '&&':
    case '||':
      return `(${a} ${operator} ${b})`;
    default:
      return rounded(`${a} ${operator} ${b}`, type, writing);
  }
}

function callText(tree: Call, writing: Writing): string {
  const { callee, args, type } = tree;
  const texts = args.map((arg) => expressionText(arg, writing));
  if (writing.names.has(callee)) {
    if (writing.precision === 'f64' && Object.hasOwn(EXACT, callee)) return `exact.${callee}(${texts.join(', ')})`;
    const call = `${writing.names.find(callee)}(${texts.join(', ')})`;
    return writing.pausing.has(callee) ? `(yield* ${call})` : call;
  }
  const known = builtin(callee);
  invariant(known !== undefined, `a checked tree calls ${callee}`);
  if (known.collective !== undefined) return `(yield ['${known.collective}', ${texts.join(', ') || 'undefined'}])`;
  if (callee === 'dot') return rounded(`r.dot(${texts.join(', ')})`, type, writing);
  if (callee === 'all' || callee === 'any') return `${texts[0]}.${callee === 'all' ? 'every' : 'some'}(Boolean)`;
  const f = (each: readonly string[]) => {
    const value = `f.${callee}(${each.join(', ')})`;
    return elementOf(type)?.name === 'bool' ? value : rounded(value, type, writing);
  };
  return lifted(type, args, f, writing);
}

function constructText(tree: Construct, writing: Writing): string {
  const { type, args, bits } = tree;
  if (args.length === 0) return zeroText(type);
  const texts = args.map((arg) => expressionText(arg, writing));
  switch (type.kind) {
    case 'scalar':
      return bits ? bitsText(args[0].type, type, texts[0]) : conversionText(args[0].type, type, texts[0], writing);
    case 'vector': {
      const from = args[0].type;
      if (args.length === 1 && from.kind === 'vector') {
        const { element } = type;
        const each = bits ? bitsText(from.element, element, 'c') : conversionText(from.element, element, 'c', writing);
        return `r.lift((c) => ${each}, ${texts[0]})`;
      }
      if (args.length === 1)
        return `((x) => [${Array.from({ length: type.size }, () => 'x').join(', ')}])(${texts[0]})`;
      return `[${args.map((arg, k) => (arg.type.kind === 'vector' ? `...${texts[k]}` : texts[k])).join(', ')}]`;
    }
    case 'array':
      return `[${texts.map((text, k) => copyText(type.element, text, args[k])).join(', ')}]`;
    case 'struct':
      return `{ ${type.fields.map(({ name, type: of }, k) => `${name}: ${copyText(of, texts[k], args[k])}`).join(', ')} }`;
    default:
      throw new Error(`a checked tree constructs ${type.kind}`);
  }
}

function bitsText(from: Type, to: ScalarType, text: string): string {
  const word = elementOf(from)?.name === 'f32' ? `r.bitsOf(${text})` : `(${text} >>> 0)`;
  if (to.name === 'f32') return `r.floatOf(${word})`;
  return to.name === 'i32' ? `(${word} | 0)` : word;
}

function conversionText(from: Type, to: ScalarType, text: string, writing: Writing): string {
  const source = elementOf(from)?.name;
  if (to.name === source) return text;
  if (to.name === 'bool') return `(${text} !== 0)`;
  if (source === 'bool') return `(${text} ? 1 : 0)`;
  if (source === 'f32') return to.name === 'i32' ? `r.toSigned(${text})` : `r.toUnsigned(${text})`;
  return rounded(text, to, writing);
}

/** The zero value of a type. */
export function zeroText(type: Type): string {
  switch (type.kind) {
    case 'scalar':
      return type.name === 'bool' ? 'false' : '0';
    case 'vector':
      return `[${Array.from({ length: type.size }, () => zeroText(type.element)).join(', ')}]`;
    case 'array': {
      const [count, element] = [type.count ?? 0, zeroText(type.element)];
      // Written out, it is made fast where it stands in a loop.
      if (count <= 64) return `[${Array.from({ length: count }, () => element).join(', ')}]`;
      return `Array.from({ length: ${count} }, () => (${element}))`;
    }
    case 'struct':
      return `({ ${type.fields.map((field) => `${field.name}: ${zeroText(field.type)}`).join(', ')} })`;
    default:
      return 'undefined';
  }
}

/** A value of its own: what is changed later is not this one. */
export function copyText(type: Type, text: string, tree: Expression): string {
  const shared = tree.kind === 'name' || tree.kind === 'index' || tree.kind === 'member';
  if (!shared || type.kind === 'scalar') return text;
  const flat = type.kind === 'vector' || (type.kind === 'array' && type.element.kind === 'scalar');
  return flat ? `${text}.slice()` : `structuredClone(${text})`;
}
