/**
 * Margins of padding and cropping layers: how many positions to add or to take away at both ends of an axis.
 *
 * The forms are Keras 3's: one number for every side, a number an axis, or a pair [before, after] an axis.
 */

import { DownhillError } from '../util/errors.ts';
import { formatShape, type Shape } from '../util/shape.ts';
import { show, wholeNumber } from './check-options.ts';

/** Positions at the start and at the end of an axis. */
export type Margin = readonly [before: number, after: number];

/** One number for both ends, or [before, after]. */
export type MarginLike = number | readonly number[];

/** `value` as a margin of one axis. @throws DownhillError `argument` unless it is whole numbers ≥ 0. */
export function marginOf(owner: string, option: string, value: unknown): Margin {
  if (typeof value === 'number') {
    const size = wholeNumber(owner, option, value, 0);
    return [size, size];
  }
  if (Array.isArray(value) && value.length === 2) {
    return [wholeNumber(owner, option, value[0], 0), wholeNumber(owner, option, value[1], 0)];
  }
  throw new DownhillError('argument', `${owner}: ${option} must be a number or [before, after], found ${show(value)}`);
}

/**
 * `value` as margins of height and width: a number, [height, width], or [[top, bottom], [left, right]].
 * @throws DownhillError `argument` unless it is whole numbers ≥ 0.
 */
export function marginsOf(owner: string, option: string, value: unknown): readonly [Margin, Margin] {
  if (typeof value === 'number') {
    const margin = marginOf(owner, option, value);
    return [margin, margin];
  }
  if (Array.isArray(value) && value.length === 2) {
    return [marginOf(owner, `${option}[0]`, value[0]), marginOf(owner, `${option}[1]`, value[1])];
  }
  throw new DownhillError(
    'argument',
    `${owner}: ${option} must be a number, [height, width] or [[top, bottom], [left, right]], found ${show(value)}`,
  );
}

/** @throws DownhillError `shape` unless examples are [steps, channels]. */
export function checkSteps(owner: string, shape: Shape): void {
  if (shape.length === 2) return;
  const hint = shape.length === 1 ? `; for one channel, give them the shape [${shape},1]` : '';
  throw new DownhillError('shape', `${owner}: examples must be [steps, channels], found ${formatShape(shape)}${hint}`);
}

/** @throws DownhillError `shape` unless something is left of each axis of `sizes` between its margins. */
export function checkRemainder(owner: string, shape: Shape, margins: readonly Margin[]): void {
  margins.forEach(([before, after], axis) => {
    if (before + after < shape[axis]) return;
    throw new DownhillError(
      'shape',
      `${owner}: cropping [${before},${after}] leaves nothing of axis ${axis} of examples ${formatShape(shape)}`,
    );
  });
}
