/**
 * Types of expressions. Gives the tree anew with every type in place; an abstract number that is used as a concrete one
 * becomes a literal of that type, so that no reader of the tree has to know the conversion rules.
 */

import { builtin, builtinNames } from './builtins.ts';
import { type Context, concrete, constantValue, converted, unknownName } from './conversions.ts';
import { kernelError } from './error.ts';
import type { Binary, Call, Construct, Expression, Index, Member, TypeName, Unary } from './tree.ts';
import {
  BOOL,
  commonType,
  concreteType,
  convertsTo,
  elementOf,
  isAbstract,
  isBool,
  isIntegerType,
  isNumeric,
  NONE,
  sameType,
  scalarType,
  shortVectorType,
  type Type,
  typeText,
  U32,
  vectorType,
  withElement,
} from './types.ts';

export function checkExpression(tree: Expression, context: Context): Expression {
  switch (tree.kind) {
    case 'literal':
      return tree;
    case 'name': {
      const variable = context.scope.find(tree.name);
      if (variable === undefined) throw unknownName(tree.name, 'name', context.scope.names(), tree.line, context);
      return { ...tree, type: variable.type };
    }
    case 'unary':
      return checkUnary(tree, context);
    case 'binary':
      return checkBinary(tree, context);
    case 'call':
      return checkCall(tree, context);
    case 'construct':
      return checkConstruct(tree, context);
    case 'index':
      return checkIndex(tree, context);
    case 'member':
      return checkMember(tree, context);
    default:
      return tree satisfies never;
  }
}

/** `tree`, checked, as a value of type `type`. @param what it is, for the message. */
export function checkAs(tree: Expression, type: Type, what: string, context: Context): Expression {
  const checked = checkExpression(tree, context);
  if (!convertsTo(checked.type, type)) {
    throw kernelError(
      context.where,
      tree.line,
      `${what} is ${typeText(checked.type)}, but ${typeText(type)} is wanted`,
    );
  }
  return converted(checked, type, context);
}

/** The type that `name` stands for. */
export function resolveType(name: TypeName, context: Context): Type {
  const known = scalarType(name.name) ?? shortVectorType(name.name) ?? context.names.structs.get(name.name);
  if (known !== undefined) return known;
  const element = name.element === null ? null : resolveType(name.element, context);
  if (name.name === 'array' && element !== null) {
    return { kind: 'array', element, count: name.count === null ? null : countOf(name.count, context) };
  }
  const size = Number(/^vec([234])$/.exec(name.name)?.[1]) as 2 | 3 | 4;
  if (size > 0 && element?.kind === 'scalar') return vectorType(size, element);
  throw unknownName(
    name.name,
    'type',
    ['f32', 'i32', 'u32', 'bool', ...context.names.structs.keys()],
    name.line,
    context,
  );
}

function countOf(tree: Expression, context: Context): number {
  const value = constantValue(checkExpression(tree, context), context);
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw kernelError(context.where, tree.line, 'the length of an array must be a whole number above 0 that is known');
}

function checkUnary(tree: Unary, context: Context): Expression {
  const operand = checkExpression(tree.operand, context);
  const { operator } = tree;
  const unsigned = elementOf(operand.type)?.name === 'u32';
  const fits =
    operator === '!'
      ? isBool(operand.type)
      : operator === '~'
        ? isIntegerType(operand.type)
        : isNumeric(operand.type) && !unsigned;
  if (!fits) throw kernelError(context.where, tree.line, `${operator} does not take ${typeText(operand.type)}`);
  return { ...tree, operand, type: operand.type };
}

const COMPARISONS = new Set(['==', '!=', '<', '<=', '>', '>=']);

function checkBinary(tree: Binary, context: Context): Expression {
  const left = checkExpression(tree.left, context);
  const right = checkExpression(tree.right, context);
  const { operator } = tree;
  const refuse = () =>
    kernelError(context.where, tree.line, `${typeText(left.type)} ${operator} ${typeText(right.type)} is not defined`);
  if (operator === '<<' || operator === '>>') {
    if (!isIntegerType(left.type) || !isIntegerType(right.type) || elementOf(right.type)?.name === 'i32')
      throw refuse();
    const by = isAbstract(right.type) ? converted(right, withElement(right.type, U32), context) : right;
    // The bits of an abstract number that a run-time value shifts are those of a concrete one.
    const shifted = constantValue(right, context) === undefined ? concrete(left, context) : left;
    return { ...tree, left: shifted, right: by, type: shifted.type };
  }
  if (operator === '&&' || operator === '||') {
    if (!sameType(left.type, BOOL) || !sameType(right.type, BOOL)) throw refuse();
    return { ...tree, left, right, type: BOOL };
  }
  // A vector and a scalar: the scalar counts for every component.
  const [a, b] = [elementOf(left.type), elementOf(right.type)];
  const common = a === undefined || b === undefined ? undefined : commonType(a, b);
  if (common === undefined || common.kind !== 'scalar') throw refuse();
  const mixed = left.type.kind !== right.type.kind;
  if (!mixed && left.type.kind === 'vector' && right.type.kind === 'vector' && left.type.size !== right.type.size)
    throw refuse();
  const form = left.type.kind === 'vector' ? left.type : right.type;
  const bits = operator === '&' || operator === '|' || operator === '^';
  const logic = operator === '==' || operator === '!=' || (bits && operator !== '^');
  const fits = isBool(common) ? logic : bits ? isIntegerType(common) : isNumeric(common);
  if (!fits || (mixed && (bits || COMPARISONS.has(operator)))) throw refuse();
  const operands = {
    left: converted(left, withElement(left.type, common), context),
    right: converted(right, withElement(right.type, common), context),
  };
  return { ...tree, ...operands, type: withElement(form, COMPARISONS.has(operator) ? BOOL : common) };
}

function checkCall(tree: Call, context: Context): Expression {
  const { callee, line } = tree;
  const struct = context.names.structs.get(callee);
  if (struct !== undefined) {
    const typeName = { name: callee, element: null, count: null, line };
    return checkConstruct({ kind: 'construct', typeName, bits: false, args: tree.args, line, type: NONE }, context);
  }
  const own = context.names.functions.get(callee);
  if (own !== undefined) {
    const { parameters, result } = own;
    if (parameters.length !== tree.args.length) {
      throw kernelError(context.where, line, `${callee} takes ${parameters.length} arguments, got ${tree.args.length}`);
    }
    const args = tree.args.map((arg, k) => checkAs(arg, parameters[k], `argument ${k + 1} of ${callee}`, context));
    return { ...tree, args, type: result };
  }
  const known = builtin(callee);
  if (known === undefined) {
    throw unknownName(callee, 'function', [...context.names.functions.keys(), ...builtinNames], line, context);
  }
  const args = tree.args.map((arg) => checkExpression(arg, context));
  let signature = known.signature(args.map(({ type }) => type));
  if (signature === undefined) {
    const found = args.map(({ type }) => typeText(type)).join(', ');
    throw kernelError(context.where, line, `${callee}(${found}) is not defined`);
  }
  // Only what is known can stay abstract.
  const given = args.map((arg, k) => converted(arg, (signature as { args: readonly Type[] }).args[k], context));
  const open = given.some((arg) => constantValue(arg, context) === undefined);
  if (open && isAbstract(signature.result))
    signature = known.signature(given.map(({ type }) => concreteType(type))) ?? signature;
  const wanted = signature;
  return { ...tree, args: given.map((arg, k) => converted(arg, wanted.args[k], context)), type: wanted.result };
}

function checkConstruct(tree: Construct, context: Context): Expression {
  const type = resolveType(tree.typeName, context);
  const args = tree.args.map((arg) => checkExpression(arg, context));
  const refuse = () => {
    const form = tree.bits ? `bitcast<${typeText(type)}>` : typeText(type);
    const found = args.map((arg) => typeText(arg.type)).join(', ');
    return kernelError(context.where, tree.line, `${form}(${found}) is not defined`);
  };
  const fitted = (wanted: readonly Type[]): Expression => {
    if (wanted.length !== args.length || args.some((arg, k) => !convertsTo(arg.type, wanted[k]))) throw refuse();
    return { ...tree, type, args: args.map((arg, k) => converted(arg, wanted[k], context)) };
  };
  if (tree.bits) {
    const [arg] = args;
    const element = elementOf(type);
    if (
      args.length !== 1 ||
      element === undefined ||
      isBool(type) ||
      !isNumeric(arg.type) ||
      arg.type.kind !== type.kind
    ) {
      throw refuse();
    }
    return { ...tree, type, args: [concrete(arg, context)] };
  }
  switch (type.kind) {
    case 'scalar':
      if (args.length === 0) return { ...tree, type };
      if (args.length !== 1 || args[0].type.kind !== 'scalar') throw refuse();
      // A conversion: an abstract number becomes the type itself.
      return {
        ...tree,
        type,
        args: [
          isAbstract(args[0].type) && !isBool(type) && convertsTo(args[0].type, type)
            ? converted(args[0], type, context)
            : concrete(args[0], context),
        ],
      };
    case 'vector': {
      if (args.length <= 1 && (args.length === 0 || args[0].type.kind === 'scalar')) {
        return args.length === 0 ? { ...tree, type } : fitted([type.element]);
      }
      if (args.length === 1 && args[0].type.kind === 'vector' && args[0].type.size === type.size) {
        return { ...tree, type, args: [concrete(args[0], context)] };
      }
      const sizes = args.map((arg) => (arg.type.kind === 'vector' ? arg.type.size : 1));
      if (sizes.reduce((sum, size) => sum + size, 0) !== type.size) throw refuse();
      return fitted(args.map((arg) => withElement(arg.type, type.element)));
    }
    case 'array':
      if (args.length === 0) return { ...tree, type };
      return fitted(Array.from({ length: type.count ?? 0 }, () => type.element));
    case 'struct':
      return args.length === 0 ? { ...tree, type } : fitted(type.fields.map((field) => field.type));
    default:
      throw refuse();
  }
}

function checkIndex(tree: Index, context: Context): Expression {
  const base = checkExpression(tree.base, context);
  const index = concrete(checkExpression(tree.index, context), context);
  if (index.type.kind !== 'scalar' || !isIntegerType(index.type)) {
    throw kernelError(context.where, tree.line, `an index must be a whole number, got ${typeText(index.type)}`);
  }
  const size = base.type.kind === 'array' ? base.type.count : base.type.kind === 'vector' ? base.type.size : undefined;
  if (size === undefined) throw kernelError(context.where, tree.line, `${typeText(base.type)} has no elements`);
  const value = constantValue(index, context);
  if (typeof value === 'number' && (value < 0 || (size !== null && value >= size))) {
    throw kernelError(context.where, tree.line, `index ${value} of ${typeText(base.type)}`);
  }
  return { ...tree, base, index, type: (base.type as { element: Type }).element };
}

const COMPONENTS = ['xyzw', 'rgba'];

function checkMember(tree: Member, context: Context): Expression {
  const base = checkExpression(tree.base, context);
  const { type } = base;
  if (type.kind === 'struct') {
    const field = type.fields.find(({ name }) => name === tree.name);
    if (field !== undefined) return { ...tree, base, type: field.type };
    throw unknownName(
      tree.name,
      `field of ${type.name}`,
      type.fields.map(({ name }) => name),
      tree.line,
      context,
    );
  }
  const { name } = tree;
  if (type.kind === 'vector' && name.length <= 4) {
    const set = COMPONENTS.find((letters) => [...name].every((letter) => letters.slice(0, type.size).includes(letter)));
    if (set !== undefined) {
      return {
        ...tree,
        base,
        type: name.length === 1 ? type.element : vectorType(name.length as 2 | 3 | 4, type.element),
      };
    }
  }
  throw kernelError(context.where, tree.line, `${typeText(type)} has no .${name}`);
}
