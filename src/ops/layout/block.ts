/**
 * Blocks of a tensor (slice) and frames around one (pad): what they are and where their elements are.
 */

import { type Aval, describe } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, stridesOf } from '../../util/shape.ts';
import type { StridedRead } from './strided.ts';

export interface SliceAttrs {
  /** First coordinate along each axis. */
  readonly begin: readonly number[];
  /** Shape of the block. */
  readonly size: Shape;
}

/** Elements to add before and after each axis. */
export type Paddings = readonly (readonly [before: number, after: number])[];

/** True when, behind single coordinates and one range, all axes are whole. */
export function isContiguous(shape: Shape, size: Shape): boolean {
  const range = size.findIndex((count) => count !== 1);
  return range === -1 || size.every((count, axis) => axis <= range || count === shape[axis]);
}

/** Where the elements of a block are. */
export function blockRead(shape: Shape, { begin, size }: SliceAttrs): StridedRead {
  const strides = stridesOf(shape);
  return { sizes: size, strides, base: begin.reduce((base, first, axis) => base + first * strides[axis], 0) };
}

/** @throws DownhillError `shape` for another count of axes or a block that leaves x. */
export function checkBlock(op: string, x: Aval, { begin, size }: SliceAttrs): void {
  if (begin.length !== x.shape.length || size.length !== x.shape.length) {
    throw new DownhillError(
      'shape',
      `${op}: ${describe(x)} has ${x.shape.length} axes, ` +
        `begin ${formatShape(begin)} and size ${formatShape(size)} must have as many`,
    );
  }
  x.shape.forEach((whole, axis) => {
    const [first, count] = [begin[axis], size[axis]];
    const fits =
      Number.isInteger(first) && Number.isInteger(count) && first >= 0 && count >= 0 && first + count <= whole;
    if (!fits) {
      throw new DownhillError(
        'shape',
        `${op}: ${count} from ${first} on is not within axis ${axis} of ${describe(x)}, which has ${whole}`,
      );
    }
  });
}

/** @throws DownhillError `shape` unless each axis of `x` has a pair of whole numbers ≥ 0. */
export function checkPaddings(owner: string, x: Aval, paddings: readonly (readonly number[])[]): void {
  const fits =
    paddings.length === x.shape.length &&
    paddings.every((pair) => pair.length === 2 && pair.every((count) => Number.isInteger(count) && count >= 0));
  if (fits) return;
  throw new DownhillError(
    'shape',
    `${owner}: ${describe(x)} needs ${x.shape.length} pairs [before, after] of whole numbers ≥ 0, ` +
      `got ${JSON.stringify(paddings)}`,
  );
}

/** Axes that are padded together. */
export interface Frame {
  size: number;
  before: number;
  after: number;
}

/** The same padding over as few axes as possible: an axis without padding is part of the one before it. */
export function framesOf(shape: Shape, paddings: Paddings): Frame[] {
  const frames: Frame[] = [];
  shape.forEach((size, axis) => {
    const [before, after] = paddings[axis];
    const last = frames.at(-1);
    if (last !== undefined && before + after === 0) {
      last.size *= size;
      last.before *= size;
      last.after *= size;
    } else {
      frames.push({ size, before, after });
    }
  });
  return frames;
}
