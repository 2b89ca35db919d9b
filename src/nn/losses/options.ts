/** Checks of options that several losses take. */

import { DownhillError } from '../../util/errors.ts';
import { numberBetween, show } from '../check-options.ts';
import type { LossConfig } from './loss.ts';

/** `value` when it is a finite number above `low`. @throws DownhillError `argument`. */
export function numberAbove(owner: string, option: string, value: unknown, low: number): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > low) return value;
  throw new DownhillError('argument', `${owner}: ${option} must be a finite number above ${low}, found ${show(value)}`);
}

/** `labelSmoothing` in [0, 1]; 0 when left out. */
export function smoothing(owner: string, value: unknown): number {
  return numberBetween(owner, 'labelSmoothing', value ?? 0, 0, 1);
}

/** Those of `options` that are not as in `defaults`. */
export function changed(options: LossConfig, defaults: LossConfig): LossConfig {
  return Object.fromEntries(Object.entries(options).filter(([name, value]) => value !== defaults[name]));
}
