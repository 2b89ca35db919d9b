/**
 * Shapes and row-major index arithmetic. Everything here is pure; sizes count elements, never bytes.
 */

import { DownhillError } from './errors.ts';

/** Sizes of the axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** Count of elements of `shape` (1 for a scalar, 0 when any axis is empty). */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const d of shape) size *= d;
  return size;
}

/** `[2,3]`; a scalar is `[]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(',')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** Row-major strides: the element distance between neighbours along each axis. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/**
 * The shape two operands broadcast to (NumPy's rule: aligned at the last axis, size 1 stretches).
 * @throws DownhillError `shape` naming `op` and both shapes.
 */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const da = a[a.length - i] ?? 1;
    const db = b[b.length - i] ?? 1;
    if (da !== db && da !== 1 && db !== 1) {
      throw new DownhillError(
        'shape',
        `${op}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: axis ${rank - i} has ${da} and ` +
          `${db}; sizes must be equal or 1`,
      );
    }
    out[rank - i] = da === 1 ? db : da;
  }
  return out;
}

/**
 * Strides with which a tensor of `shape` is read when it is broadcast to `target`: 0 along stretched axes.
 * `target` must be a shape that `shape` broadcasts to.
 */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape);
  const lead = target.length - shape.length;
  return target.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : strides[axis - lead]));
}

/**
 * `axes` (negative counts from the end; undefined means all) as sorted distinct non-negative numbers.
 * @throws DownhillError `argument` for an axis out of range or given twice.
 */
export function normalizeAxes(op: string, axes: number | readonly number[] | undefined, shape: Shape): number[] {
  const rank = shape.length;
  if (axes === undefined) return shape.map((_, i) => i);
  const list = (typeof axes === 'number' ? [axes] : [...axes]).map((axis) => {
    if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
      throw new DownhillError(
        'argument',
        `${op}: axis ${axis} is out of range for shape ${formatShape(shape)}; axes run from ${-rank} to ${rank - 1}`,
      );
    }
    return axis < 0 ? axis + rank : axis;
  });
  const sorted = [...new Set(list)].sort((a, b) => a - b);
  if (sorted.length !== list.length) {
    throw new DownhillError('argument', `${op}: axes [${list.join(',')}] name an axis twice`);
  }
  return sorted;
}

/** `shape` without `axes`, or with size 1 in their place when `keepDims`. `axes` must be normalised. */
export function reduceShape(shape: Shape, axes: readonly number[], keepDims: boolean): number[] {
  if (keepDims) return shape.map((d, i) => (axes.includes(i) ? 1 : d));
  return shape.filter((_, i) => !axes.includes(i));
}

/**
 * Checks a shape that a user wrote: whole, non-negative sizes, at most 2³¹ elements.
 * @throws DownhillError `shape`.
 */
export function checkShape(op: string, shape: Shape): void {
  for (const d of shape) {
    if (!Number.isInteger(d) || d < 0) {
      throw new DownhillError('shape', `${op}: ${formatShape(shape)} is not a shape: sizes are whole numbers ≥ 0`);
    }
  }
  if (sizeOf(shape) >= 2 ** 31) {
    throw new DownhillError(
      'shape',
      `${op}: ${formatShape(shape)} has ${sizeOf(shape)} elements; the limit is 2³¹ − 1`,
    );
  }
}
