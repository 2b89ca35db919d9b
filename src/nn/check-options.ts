/**
 * Checks of the options that layers, optimizers, losses and training calls take. Every refusal names the owner and
 * the option, what was found and what would fit; a misspelt option is an error too, never silently ignored.
 */

import { DownhillError, nearestName, unknownName } from '../util/errors.ts';

/** A value as it should appear in an error message: short, and telling NaN from null. */
export function show(value: unknown): string {
  if (typeof value === 'number' || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  const text = JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** @throws DownhillError `argument` when `options` is no object or has a key that is not in `known`. */
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
    const near = nearestName(key, known);
    const hint = near === undefined ? '' : `; did you mean "${near}"?`;
    throw new DownhillError('argument', `${owner}: unknown option "${key}"${hint} Known: ${known.join(', ')}`);
  }
}

/** `value` when it is a whole number of at least `least`. @throws DownhillError `argument`. */
export function wholeNumber(owner: string, option: string, value: unknown, least = 1): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  throw new DownhillError(
    'argument',
    `${owner}: ${option} must be a whole number of at least ${least}, found ${show(value)}`,
  );
}

/** `value` when it is a finite number in [low, high], or [low, high) with `openEnd`. @throws DownhillError `argument`. */
export function numberBetween(
  owner: string,
  option: string,
  value: unknown,
  low: number,
  high = Number.POSITIVE_INFINITY,
  openEnd = false,
): number {
  const fits = typeof value === 'number' && Number.isFinite(value) && value >= low;
  if (fits && (openEnd ? value < high : value <= high)) return value;
  const range =
    high === Number.POSITIVE_INFINITY ? `of at least ${low}` : `from ${low} to ${openEnd ? 'below ' : ''}${high}`;
  throw new DownhillError('argument', `${owner}: ${option} must be a finite number ${range}, found ${show(value)}`);
}

/** `value` when it is true or false. @throws DownhillError `argument`. */
export function trueOrFalse(owner: string, option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new DownhillError('argument', `${owner}: ${option} must be true or false, found ${show(value)}`);
}

/** `value` when it is one of `names`. @throws DownhillError `argument` with the nearest name. */
export function oneOf<T extends string>(owner: string, option: string, value: unknown, names: readonly T[]): T {
  if (names.includes(value as T)) return value as T;
  throw unknownName(`${option} of ${owner}:`, value, names);
}
