/**
 * Affine maps between flat row-major indices, in a canonical form: a list of axes (size, stride), outermost first,
 * neighbours merged where one stride continues the other. Broadcasting and reductions are both such maps, so "this
 * value is constant along the reduced axes" is equality of two lists.
 *
 * Index expressions carry inner sizes as literals (a compiler turns a division by a constant into a multiplication);
 * the outermost size never appears, so the text does not depend on the batch size.
 */

import type { Shape } from '../../util/shape.ts';
import { broadcastStrides, stridesOf } from '../../util/shape.ts';

export interface MapAxis {
  readonly size: number;
  readonly stride: number;
}

/** Drops axes of size 1 and merges neighbours. */
export function canonicalAxes(sizes: Shape, strides: readonly number[]): MapAxis[] {
  const merged: MapAxis[] = [];
  for (let axis = 0; axis < sizes.length; axis++) {
    const size = sizes[axis];
    const stride = strides[axis];
    if (size === 1) continue;
    const last = merged[merged.length - 1];
    if (last !== undefined && last.stride === stride * size) {
      merged[merged.length - 1] = { size: last.size * size, stride };
    } else {
      merged.push({ size, stride });
    }
  }
  return merged;
}

/** Where an element of `target` reads a tensor of `shape` that broadcasts to it. */
export function broadcastMap(shape: Shape, target: Shape): MapAxis[] {
  return canonicalAxes(target, broadcastStrides(shape, target));
}

/** Where an element of `shape` goes when `axes` are reduced: strides in the reduced tensor, 0 along reduced axes. */
export function reductionMap(shape: Shape, axes: readonly number[]): MapAxis[] {
  const kept = stridesOf(shape.map((d, axis) => (axes.includes(axis) ? 1 : d)));
  return canonicalAxes(
    shape,
    kept.map((stride, axis) => (axes.includes(axis) ? 0 : stride)),
  );
}

export function sameMap(a: readonly MapAxis[], b: readonly MapAxis[]): boolean {
  return a.length === b.length && a.every((axis, k) => axis.size === b[k].size && axis.stride === b[k].stride);
}

/** True when the map reads element i at i. */
export function isIdentity(map: readonly MapAxis[]): boolean {
  return map.length === 0 || (map.length === 1 && map[0].stride === 1);
}

/** WGSL u32 expression for the index that flat index `i` maps to. */
export function indexExpression(map: readonly MapAxis[], i: string): string {
  const terms: string[] = [];
  let inner = 1;
  for (let axis = map.length - 1; axis >= 0; axis--) {
    const { size, stride } = map[axis];
    if (stride !== 0) {
      const divided = inner === 1 ? i : `${i} / ${inner}u`;
      const coordinate =
        axis === 0 ? divided : inner === 1 ? `${i} % ${Math.max(1, size)}u` : `${divided} % ${Math.max(1, size)}u`;
      terms.push(stride === 1 ? `(${coordinate})` : `(${coordinate}) * ${stride}u`);
    }
    // An empty axis has no elements to index, but its kernel's text must still be valid.
    inner *= Math.max(1, size);
  }
  return terms.length === 0 ? '0u' : terms.reverse().join(' + ');
}

/** How a reduction walks its input: output o and reduction position r give the flat input index. */
export interface ReductionAxes {
  readonly outer: number;
  readonly reduction: number;
  /** Axes of o with their strides in the input. */
  readonly outerAxes: readonly MapAxis[];
  /** Axes of r with their strides in the input. */
  readonly reducedAxes: readonly MapAxis[];
}

/** The walk of a reduction of `shape` over `axes` (sorted). */
export function reductionAxes(shape: Shape, axes: readonly number[]): ReductionAxes {
  const strides = stridesOf(shape);
  const keep = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const pick = (list: readonly number[]) =>
    canonicalAxes(
      list.map((axis) => shape[axis]),
      list.map((axis) => strides[axis]),
    );
  const product = (list: readonly number[]) => list.reduce((size, axis) => size * shape[axis], 1);
  return { outer: product(keep), reduction: product(axes), outerAxes: pick(keep), reducedAxes: pick(axes) };
}

/** True when each output reductions one contiguous run of the input. */
export function reducesRows(map: ReductionAxes): boolean {
  return map.reducedAxes.length <= 1 && (map.reducedAxes[0]?.stride ?? 1) === 1;
}
