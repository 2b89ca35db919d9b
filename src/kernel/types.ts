/**
 * Types of WGSL, as far as kernels use them: scalars, vectors, arrays, structs.
 *
 * Invariant: a type is plain data; two types are equal when their text is. Source: WGSL, section 6.
 */

export type ScalarName = 'f32' | 'i32' | 'u32' | 'bool' | 'abstract-int' | 'abstract-float';

export interface ScalarType {
  readonly kind: 'scalar';
  readonly name: ScalarName;
}

export interface VectorType {
  readonly kind: 'vector';
  readonly size: 2 | 3 | 4;
  readonly element: ScalarType;
}

export interface ArrayType {
  readonly kind: 'array';
  readonly element: Type;
  /** Null: as long as the buffer that is bound. */
  readonly count: number | null;
}

export interface StructType {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly type: Type }[];
}

/** Of a function without a result, and of an expression before it was checked. */
export interface NoType {
  readonly kind: 'none';
}

export type Type = ScalarType | VectorType | ArrayType | StructType | NoType;

const scalar = (name: ScalarName): ScalarType => ({ kind: 'scalar', name });

export const F32 = scalar('f32');
export const I32 = scalar('i32');
export const U32 = scalar('u32');
export const BOOL = scalar('bool');
export const ABSTRACT_INT = scalar('abstract-int');
export const ABSTRACT_FLOAT = scalar('abstract-float');
export const NONE: NoType = { kind: 'none' };

const CONCRETE = new Map<string, ScalarType>([F32, I32, U32, BOOL].map((type) => [type.name, type]));

/** `f32` and its like; undefined for any other name. */
export function scalarType(name: string): ScalarType | undefined {
  return CONCRETE.get(name);
}

export function vectorType(size: 2 | 3 | 4, element: ScalarType): VectorType {
  return { kind: 'vector', size, element };
}

/** `vec3i` and its like; undefined for any other name. */
export function shortVectorType(name: string): VectorType | undefined {
  const match = /^vec([234])([fiu])$/.exec(name);
  if (match === null) return undefined;
  return vectorType(Number(match[1]) as 2 | 3 | 4, { f: F32, i: I32, u: U32 }[match[2]] as ScalarType);
}

/** As WGSL writes it. */
export function typeText(type: Type): string {
  switch (type.kind) {
    case 'scalar':
      return type.name;
    case 'vector':
      return `vec${type.size}<${type.element.name}>`;
    case 'array':
      return type.count === null
        ? `array<${typeText(type.element)}>`
        : `array<${typeText(type.element)}, ${type.count}>`;
    case 'struct':
      return type.name;
    case 'none':
      return 'no value';
    default:
      return type satisfies never;
  }
}

export function sameType(a: Type, b: Type): boolean {
  return a === b || (a.kind === b.kind && typeText(a) === typeText(b));
}

export const isAbstract = (type: Type): boolean => elementOf(type)?.name.startsWith('abstract') === true;
export const isFloatType = (type: Type): boolean => ['f32', 'abstract-float'].includes(elementOf(type)?.name ?? '');
export const isIntegerType = (type: Type): boolean =>
  ['i32', 'u32', 'abstract-int'].includes(elementOf(type)?.name ?? '');
export const isNumeric = (type: Type): boolean => isFloatType(type) || isIntegerType(type);
export const isBool = (type: Type): boolean => elementOf(type)?.name === 'bool';

/** The scalar of a scalar or vector. */
export function elementOf(type: Type): ScalarType | undefined {
  if (type.kind === 'scalar') return type;
  return type.kind === 'vector' ? type.element : undefined;
}

/** A type of the form of `like` with other elements. */
export function withElement(like: Type, element: ScalarType): Type {
  return like.kind === 'vector' ? vectorType(like.size, element) : element;
}

/** What `let x = …` makes of a type: abstract numbers become i32 and f32. */
export function concreteType(type: Type): Type {
  const element = elementOf(type);
  if (element?.name === 'abstract-int') return withElement(type, I32);
  return element?.name === 'abstract-float' ? withElement(type, F32) : type;
}

/** True when a value of type `from` may stand where `to` is wanted: the same type, or an abstract number that fits. */
export function convertsTo(from: Type, to: Type): boolean {
  if (sameType(from, to)) return true;
  if (from.kind !== to.kind || (from.kind === 'vector' && to.kind === 'vector' && from.size !== to.size)) return false;
  const [source, target] = [elementOf(from)?.name, elementOf(to)?.name];
  if (source === 'abstract-int') return target !== undefined && target !== 'bool';
  return source === 'abstract-float' && (target === 'f32' || target === 'abstract-float');
}

/** The type that both convert to; undefined when there is none. */
export function commonType(a: Type, b: Type): Type | undefined {
  if (convertsTo(a, b)) return b;
  return convertsTo(b, a) ? a : undefined;
}
