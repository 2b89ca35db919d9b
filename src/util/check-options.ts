/**
 * Checks of option objects, for every room: a misspelt option is an error, never silently ignored.
 */

import { DownhillError, nearestName } from './errors.ts';
import { show } from './show.ts';

/** @throws DownhillError `argument` when `options` is not an object or has a key that is not in `known`. */
export function checkKnownOptions(owner: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const example = known[0] === undefined ? '{}' : `{ ${known[0]}: … }`;
    throw new DownhillError(
      'argument',
      `${owner}: expected an object of options such as ${example}, found ${show(options)}`,
    );
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = nearestOption(key, known);
    const hint = near === undefined ? '.' : `; did you mean "${near}"?`;
    throw new DownhillError('argument', `${owner}: unknown option "${key}"${hint} Known: ${known.join(', ')}`);
  }
}

/**
 * The options of a call that may leave them all out; `required` ones must be there.
 * @throws DownhillError `argument` for something else than an object of known options, or a missing one.
 */
export function checkOptions<T extends object>(
  owner: string,
  options: T | undefined,
  known: readonly (keyof T & string)[],
  required: readonly (keyof T & string)[] = [],
): T {
  if (options === undefined && required.length === 0) return {} as T;
  checkKnownOptions(owner, options, known);
  for (const name of required) {
    if (options?.[name] !== undefined) continue;
    throw new DownhillError('argument', `${owner}: option "${name}" is missing; expected { ${name}: … }`);
  }
  return options as T;
}

/** The known option that was meant: spelt alike, or the same word in snake_case, or the plural. */
function nearestOption(key: string, known: readonly string[]): string | undefined {
  const plain = (name: string): string => name.toLowerCase().replaceAll('_', '');
  return known.find((name) => plain(name) === plain(key)) ?? nearestName(key, known);
}

/** Type of a last parameter `...surplus`, so that calls with too many arguments are errors in TypeScript, too. */
export type Surplus = readonly undefined[];

/**
 * Refuses what JavaScript would drop silently: arguments after the last one that a call takes.
 * @param given all arguments of the call, or those after the last with `most` 0.
 * @throws DownhillError `argument` for more than `most`.
 */
export function refuseSurplus(owner: string, given: readonly unknown[], most = 0): void {
  if (given.length <= most || given.slice(most).every((value) => value === undefined)) return;
  const found = given.slice(most).find((value) => value !== undefined);
  throw new DownhillError('argument', `${owner}: one argument too many: ${show(found)}; options go into one object`);
}

/**
 * `made`, which a call with one object of options gives.
 * @throws DownhillError `argument` for arguments after the object.
 */
export function sole<T>(owner: string, surplus: readonly unknown[], made: T): T {
  refuseSurplus(owner, surplus);
  return made;
}
