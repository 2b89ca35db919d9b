/**
 * Options that layers with sliding windows share: sizes of two axes, padding names, the check that examples are images.
 */

import type { Padding, Pair } from '../ops/conv-geometry.ts';
import { DownhillError } from '../util/errors.ts';
import { formatShape, type Shape } from '../util/shape.ts';
import { show, wholeNumber } from './check-options.ts';

export type { Padding, Pair };

export const PADDINGS = ['valid', 'same'] as const satisfies readonly Padding[];

/** A size of two axes: one number for both, or [height, width]. @throws DownhillError `argument`. */
export function pairOf(owner: string, option: string, value: unknown): readonly [number, number] {
  if (typeof value === 'number') {
    const size = wholeNumber(owner, option, value);
    return [size, size];
  }
  if (Array.isArray(value) && value.length === 2) {
    return [wholeNumber(owner, option, value[0]), wholeNumber(owner, option, value[1])];
  }
  throw new DownhillError('argument', `${owner}: ${option} must be a number or [height, width], found ${show(value)}`);
}

/** @throws DownhillError `shape` unless examples are [height, width, channels]. */
export function checkImage(owner: string, shape: Shape): void {
  if (shape.length === 3) return;
  const hint = shape.length === 2 ? `; for one channel, give them the shape [${shape},1]` : '';
  throw new DownhillError(
    'shape',
    `${owner}: examples must be images [height, width, channels], found ${formatShape(shape)}${hint}`,
  );
}
