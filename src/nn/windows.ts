/**
 * Options that layers with sliding windows share: sizes along one to three axes, padding names, the checks that
 * examples have those axes and that windows fit into them.
 */

import type { Padding, Pair } from '../ops/convolution/conv-geometry.ts';
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

/** One number for all axes, or one for each. */
export type Sizes = number | readonly number[];

/** A size for each of `axes` axes. @throws DownhillError `argument`. */
export function sizesOf(owner: string, option: string, value: unknown, axes: number, least = 1): readonly number[] {
  if (typeof value === 'number') return Array<number>(axes).fill(wholeNumber(owner, option, value, least));
  if (Array.isArray(value) && value.length === axes) return value.map((v) => wholeNumber(owner, option, v, least));
  const many = ['', '[length]', '[height, width]', '[depth, height, width]'][axes] ?? `a list of ${axes}`;
  throw new DownhillError('argument', `${owner}: ${option} must be a number or ${many}, found ${show(value)}`);
}

const EXAMPLES = ['', 'sequences [steps, channels]', 'images [height, width, channels]', 'volumes [d, h, w, channels]'];

/** @throws DownhillError `shape` unless examples have `axes` axes and channels. */
export function checkSpatial(owner: string, shape: Shape, axes: number): void {
  if (shape.length === axes + 1) return;
  const hint = shape.length === axes ? `; for one channel, give them the shape [${shape},1]` : '';
  throw new DownhillError('shape', `${owner}: examples must be ${EXAMPLES[axes]}, found ${formatShape(shape)}${hint}`);
}

/**
 * @throws DownhillError `shape` when a window of `kernelSize` does not fit into examples of `shape` without padding.
 */
export function checkFits(
  owner: string,
  option: string,
  shape: Shape,
  { kernelSize, padding, dilationRate }: { kernelSize: Shape; padding: string; dilationRate?: Shape },
): void {
  if (padding !== 'valid') return;
  kernelSize.forEach((size, axis) => {
    const dilation = dilationRate?.[axis] ?? 1;
    const extent = (size - 1) * dilation + 1;
    if (extent <= shape[axis]) return;
    const wide = dilation > 1 ? ` (${extent} with dilationRate ${dilation})` : '';
    throw new DownhillError(
      'shape',
      `${owner}: the output would be empty: ${option} ${size}${wide} does not fit into axis ${axis} of examples ` +
        `${formatShape(shape)}; use at most ${Math.max(0, Math.floor((shape[axis] - 1) / dilation) + 1)} or padding "same"`,
    );
  });
}
