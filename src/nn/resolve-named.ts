/**
 * What initialisers, regularizers and constraints have in common when a layer or JSON names one: the object itself, a
 * name, the `{ name, config }` of a saved one, or the name of a custom object.
 */

import { unknownName } from '../util/errors.ts';
import { customObject } from './custom-objects.ts';

/** A kind of objects that have names. */
export interface NamedKind<T> {
  /** For errors: `initializer`. */
  readonly kind: string;
  /** The method that every object of this kind has. */
  readonly method: keyof T & string;
  /** Makes the built-in ones; without `config` they have their defaults. */
  readonly builtIn: Readonly<Record<string, (config?: object) => T>>;
}

/**
 * The object that `value` names or is.
 * @throws DownhillError `argument` for an unknown name, with the nearest one.
 */
export function resolveNamed<T>({ kind, method, builtIn }: NamedKind<T>, owner: string, value: unknown): T {
  if (has(value, method)) return value as T;
  const { name, config } = has(value, 'name')
    ? (value as { name: unknown; config?: object })
    : { name: value, config: undefined };
  const own = customObject(name);
  const made = typeof own === 'function' ? own(config ?? {}) : own;
  if (has(made, method)) return made as T;
  if (typeof name !== 'string' || !Object.hasOwn(builtIn, name)) {
    throw unknownName(`${kind} of ${owner}:`, name, Object.keys(builtIn));
  }
  return builtIn[name](config ?? undefined);
}

function has(value: unknown, property: string): boolean {
  return typeof value === 'object' && value !== null && property in value;
}
