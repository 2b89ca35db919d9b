/**
 * Checks of the options that layers, optimizers, losses and training calls take. Every refusal names the owner and
 * the option, what was found and what would fit; a misspelt option is an error too, never silently ignored.
 */

import { DownhillError, unknownName } from '../util/errors.ts';
import { show } from '../util/show.ts';

export { checkKnownOptions } from '../util/check-options.ts';
export { show };

/** `value` when it is a whole number of at least `least`. @throws DownhillError `argument`. */
export function wholeNumber(owner: string, option: string, value: unknown, least = 1): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  throw new DownhillError(
    'argument',
    `${owner}: ${option} must be a whole number of at least ${least}, found ${show(value)}`,
  );
}

/**
 * `value` when it is a finite number in [low, high], or [low, high) with `openEnd`.
 * @throws DownhillError `argument`.
 */
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
