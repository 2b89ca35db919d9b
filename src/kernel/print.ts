/**
 * A tree as WGSL text. What is printed, parsed and checked again is the same tree (but for lines and folded constants).
 *
 * Parentheses go where WGSL demands them, which is more often than C does: bitwise operators and shifts never stand
 * beside others.
 */

import { invariant } from '../util/errors.ts';
import { LEVEL } from './parse-expression.ts';
import type { Binary, Declaration, Expression, Literal, Module, Statement, TypeName } from './tree.ts';

const texts = new WeakMap<Module, string>();
const declarationTexts = new WeakMap<Declaration, string>();

/** The text of a module, made once. */
export function printModule(module: Module): string {
  let text = texts.get(module);
  if (text === undefined) {
    text = [...module.directives, ...module.declarations.map(printDeclaration)].join('\n');
    texts.set(module, text);
  }
  return text;
}

/** The text of a declaration, made once: modules share those of libraries. */
export function printDeclaration(tree: Declaration): string {
  let text = declarationTexts.get(tree);
  if (text === undefined) {
    text = declarationText(tree);
    declarationTexts.set(tree, text);
  }
  return text;
}

export function printTypeName({ name, element, count }: TypeName): string {
  if (element === null) return name;
  return `${name}<${printTypeName(element)}${count === null ? '' : `, ${printExpression(count)}`}>`;
}

const LOGIC = new Set(['&&', '||']);
const level = (operator: Binary['operator']): number => LEVEL.get(operator) as number;
/** From here on operators are sums and products, which may nest as in C. */
const ARITHMETIC = level('+');
const COMPARISON = [level('=='), level('<')];

/** An operand of `parent`; @param right is it the right one. */
function printOperand(tree: Expression, parent: Binary, right: boolean): string {
  const text = printExpression(tree);
  if (tree.kind !== 'binary') return tree.kind === 'unary' && right ? `(${text})` : text;
  const [inner, outer] = [level(tree.operator), level(parent.operator)];
  const arithmetic = inner >= ARITHMETIC;
  if (arithmetic && outer >= ARITHMETIC && (inner > outer || (inner === outer && !right))) return text;
  if (arithmetic && COMPARISON.includes(outer)) return text;
  if (LOGIC.has(parent.operator) && COMPARISON.includes(inner)) return text;
  if (LOGIC.has(parent.operator) && tree.operator === parent.operator && !right) return text;
  return `(${text})`;
}

export function printExpression(tree: Expression): string {
  switch (tree.kind) {
    case 'literal':
      return printLiteral(tree);
    case 'name':
      return tree.name;
    case 'unary': {
      const text = printExpression(tree.operand);
      const simple = tree.operand.kind !== 'binary' && tree.operand.kind !== 'unary' && !text.startsWith('-');
      return simple ? `${tree.operator}${text}` : `${tree.operator}(${text})`;
    }
    case 'binary':
      return `${printOperand(tree.left, tree, false)} ${tree.operator} ${printOperand(tree.right, tree, true)}`;
    case 'call':
      return `${tree.callee}${printArguments(tree.args)}`;
    case 'construct': {
      const name = printTypeName(tree.typeName);
      return `${tree.bits ? `bitcast<${name}>` : name}${printArguments(tree.args)}`;
    }
    case 'index':
      return `${printBase(tree.base)}[${printExpression(tree.index)}]`;
    case 'member':
      return `${printBase(tree.base)}.${tree.name}`;
    default:
      return tree satisfies never;
  }
}

/** `f(a < b, c > d)` would be read as a call with the template arguments b and c. */
function printArguments(args: readonly Expression[]): string {
  const texts = args.map((tree) => {
    const text = printExpression(tree);
    return args.length > 1 && tree.kind === 'binary' && level(tree.operator) === COMPARISON[1] ? `(${text})` : text;
  });
  return `(${texts.join(', ')})`;
}

function printBase(tree: Expression): string {
  const text = printExpression(tree);
  return tree.kind === 'binary' || tree.kind === 'unary' ? `(${text})` : text;
}

function printLiteral({ value, type }: Literal): string {
  if (typeof value === 'boolean') return String(value);
  invariant(Number.isFinite(value), `WGSL has no way to write ${value}: it must come from the uniform block`);
  const name = type.kind === 'scalar' ? type.name : '';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const digits = String(Math.abs(value));
  if (name === 'u32') return `${digits}u`;
  const float = name === 'f32' || name === 'abstract-float';
  return `${sign}${float && /^\d+$/.test(digits) ? `${digits}.0` : digits}`;
}

export function printStatements(body: readonly Statement[], indent = ''): string {
  return body.map((statement) => `${indent}${printStatement(statement, indent)}`).join('\n');
}

function block(body: readonly Statement[], indent: string): string {
  return body.length === 0 ? '{}' : `{\n${printStatements(body, `${indent}  `)}\n${indent}}`;
}

function printStatement(tree: Statement, indent: string): string {
  switch (tree.kind) {
    case 'declare':
    case 'assign':
    case 'call statement':
      return `${printSimple(tree)};`;
    case 'if': {
      const [only, ...others] = tree.otherwise ?? [];
      const chained = only?.kind === 'if' && others.length === 0 ? printStatement(only, indent) : undefined;
      const otherwise = tree.otherwise === null ? '' : ` else ${chained ?? block(tree.otherwise, indent)}`;
      return `if (${printExpression(tree.condition)}) ${block(tree.body, indent)}${otherwise}`;
    }
    case 'loop': {
      const { init, condition, update, body } = tree;
      if (init === null && condition === null && update === null) return `loop ${block(body, indent)}`;
      const head = [init, update].map((each) => (each === null ? '' : printSimple(each)));
      const test = condition === null ? '' : ` ${printExpression(condition)}`;
      return `for (${head[0]};${test};${head[1] === '' ? '' : ` ${head[1]}`}) ${block(body, indent)}`;
    }
    case 'block':
      return block(tree.body, indent);
    case 'slot':
      return printStatements(tree.content, indent);
    case 'break':
    case 'continue':
      return `${tree.kind};`;
    case 'return':
      return tree.value === null ? 'return;' : `return ${printExpression(tree.value)};`;
    default:
      return tree satisfies never;
  }
}

function printSimple(tree: Statement): string {
  if (tree.kind === 'call statement') return printExpression(tree.call);
  if (tree.kind === 'assign') {
    return `${printExpression(tree.target)} ${tree.operator ?? ''}= ${printExpression(tree.value)}`;
  }
  invariant(tree.kind === 'declare', `a ${tree.kind} cannot be part of a loop's head`);
  const type = tree.form === 'const' ? constantType(tree) : typeOf(tree);
  return `${tree.form} ${tree.name}${type}${tree.value === null ? '' : ` = ${printExpression(tree.value)}`}`;
}

function typeOf({ typeName }: { readonly typeName: TypeName | null }): string {
  return typeName === null ? '' : `: ${printTypeName(typeName)}`;
}

/** Numbers are printed without the suffixes f and i, and a constant would become one of no type in particular. */
function constantType(tree: { readonly typeName: TypeName | null; readonly value: Expression | null }): string {
  const type = tree.value?.type;
  const lost = tree.typeName === null && type?.kind === 'scalar' && (type.name === 'f32' || type.name === 'i32');
  return lost ? `: ${type.name}` : typeOf(tree);
}

function declarationText(tree: Declaration): string {
  switch (tree.kind) {
    case 'constant':
      return `const ${tree.name}${constantType(tree)} = ${printExpression(tree.value)};`;
    case 'variable': {
      const binding = tree.binding === null ? '' : `@group(0) @binding(${tree.binding}) `;
      const space = tree.access === null ? tree.space : `${tree.space}, ${tree.access}`;
      const value = tree.value === null ? '' : ` = ${printExpression(tree.value)}`;
      return `${binding}var<${space}> ${tree.name}: ${printTypeName(tree.typeName)}${value};`;
    }
    case 'struct':
      return `struct ${tree.name} { ${tree.fields.map(({ name, typeName }) => `${name}: ${printTypeName(typeName)}`).join(', ')} }`;
    case 'function': {
      const stage =
        tree.workgroupSize === null ? '' : `@compute @workgroup_size(${printExpression(tree.workgroupSize)})\n`;
      const parameters = tree.parameters.map(({ name, typeName, builtin }) => {
        return `${builtin === null ? '' : `@builtin(${builtin}) `}${name}: ${printTypeName(typeName)}`;
      });
      const result = tree.resultName === null ? '' : ` -> ${printTypeName(tree.resultName)}`;
      return `${stage}fn ${tree.name}(${parameters.join(', ')})${result} ${block(tree.body, '')}`;
    }
    case 'slot':
      return tree.content.map(printDeclaration).join('\n');
    default:
      return tree satisfies never;
  }
}
