/**
 * Conversions of checked expressions: abstract numbers become concrete ones, as literals where their value is known.
 * Source: WGSL, section 6.1.2 (conversion rank).
 */

import { nearestName } from '../util/errors.ts';
import { type ConstantValue, constantOf } from './constants.ts';
import { kernelError } from './error.ts';
import type { ModuleNames, Scope } from './scope.ts';
import type { Expression } from './tree.ts';
import { concreteType, elementOf, sameType, type Type, typeText, withElement } from './types.ts';

/** Everything that a tree's names may mean where an expression stands. */
export interface Context {
  readonly where: string;
  readonly names: ModuleNames;
  readonly scope: Scope;
}

/** `tree` with the type that `let` would give it. */
export function concrete(tree: Expression, context: Context): Expression {
  return converted(tree, concreteType(tree.type), context);
}

/** Least and most number of a type. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  f32: [-3.4028235e38, 3.4028235e38],
};

/** A checked expression as a value of a type that it converts to. */
export function converted(tree: Expression, type: Type, context: Context): Expression {
  if (sameType(tree.type, type)) return tree;
  const value = constantValue(tree, context);
  if (value !== undefined && type.kind === 'scalar') {
    const [least, most] = RANGES[type.name] ?? [-Infinity, Infinity];
    if (Number(value) < least || Number(value) > most) {
      throw kernelError(context.where, tree.line, `${value} is no ${type.name}`);
    }
    return { kind: 'literal', value, type, line: tree.line };
  }
  // A vector of abstract numbers: its parts are converted where they stand.
  if (tree.kind === 'construct') {
    const element = elementOf(type);
    if (element === undefined) throw kernelError(context.where, tree.line, `cannot make ${typeText(type)} of this`);
    return { ...tree, type, args: tree.args.map((arg) => converted(arg, withElement(arg.type, element), context)) };
  }
  throw kernelError(
    context.where,
    tree.line,
    `${typeText(tree.type)} whose value is not known cannot be ${typeText(type)}`,
  );
}

export function constantValue(tree: Expression, { scope }: Context): ConstantValue | undefined {
  return constantOf(tree, (name) => scope.find(name)?.value);
}

/** The error for a name that is not declared. @param kind of thing it should name. @param known what it could be. */
export function unknownName(name: string, kind: string, known: readonly string[], line: number, { where }: Context) {
  const nearest = nearestName(name, known);
  return kernelError(
    where,
    line,
    `unknown ${kind} "${name}"${nearest === undefined ? '' : `; did you mean "${nearest}"?`}`,
  );
}
