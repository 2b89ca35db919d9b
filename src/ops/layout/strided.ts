/**
 * Strided reading: every op that only moves elements (broadcast, transpose, slice, flip) reads
 * `input[base + Σ coordinate(axis) · stride(axis)]`, with the coordinates of the output element in row-major order.
 * The host walks the offsets in order; a kernel computes one from the flat index. Both start from the same record, so
 * reference and shader cannot disagree about the geometry.
 */

import type { CpuTensor } from '../../core/op.ts';
import { broadcastStrides, type Shape, sizeOf } from '../../util/shape.ts';

/**
 * How the elements of an output of `sizes` are found in the input. A stride may be 0 (broadcast) or negative (flip).
 */
export interface StridedRead {
  readonly sizes: Shape;
  readonly strides: readonly number[];
  readonly base: number;
}

/** The input offset of each output element, in row-major order. */
export function stridedOffsets(read: StridedRead): Uint32Array {
  const offsets = new Uint32Array(sizeOf(read.sizes));
  if (offsets.length === 0) return offsets;
  // From the innermost axis out: what is filled so far is repeated, one stride further each time.
  offsets[0] = read.base;
  let filled = 1;
  for (const { size, stride } of mergeAxes(read).reverse()) {
    for (let step = 1; step < size; step++) {
      const start = step * filled;
      const shift = step * stride;
      for (let i = 0; i < filled; i++) offsets[start + i] = offsets[i] + shift;
    }
    filled *= size;
  }
  return offsets;
}

/** For each element of `target`, the offset of the element of `shape` that is broadcast to it. */
export function broadcastOffsets(shape: Shape, target: Shape): Uint32Array {
  return stridedOffsets({ sizes: target, strides: broadcastStrides(shape, target), base: 0 });
}

/** output[i] = x[offset(i)]. */
export function readStrided(x: CpuTensor, output: CpuTensor, read: StridedRead): void {
  const offsets = stridedOffsets(read);
  for (let i = 0; i < offsets.length; i++) output.data[i] = x.data[offsets[i]];
}

/**
 * u32 expression for the input offset of output element `i`. Neighbouring axes that are walked in one stride are one
 * axis here, so a transpose of the last two axes costs one division whatever the rank.
 */
export function stridedIndex(i: string, read: StridedRead): string {
  const axes = mergeAxes(read);
  const terms: string[] = [];
  let inner = 1;
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    const { size, stride } = axes[axis];
    if (stride !== 0) {
      const outer = inner === 1 ? i : `${i} / ${inner}u`;
      const coordinate = axis === 0 ? outer : `${outer} % ${Math.max(1, size)}u`;
      const factor = stride >= 0 ? `${stride}u` : `(0u - ${-stride}u)`;
      terms.push(stride === 1 ? `(${coordinate})` : `(${coordinate}) * ${factor}`);
    }
    // An empty axis has no elements to index, but its kernel's text must still be valid.
    inner *= Math.max(1, size);
  }
  if (read.base !== 0 || terms.length === 0) terms.push(`${read.base}u`);
  return terms.reverse().join(' + ');
}

/** The same walk with as few axes as possible. */
function mergeAxes({ sizes, strides }: StridedRead): { size: number; stride: number }[] {
  const merged: { size: number; stride: number }[] = [];
  for (let axis = 0; axis < sizes.length; axis++) {
    const size = sizes[axis];
    const stride = strides[axis];
    if (size === 1) continue;
    const last = merged.at(-1);
    if (last !== undefined && last.stride === stride * size) {
      last.size *= size;
      last.stride = stride;
    } else {
      merged.push({ size, stride });
    }
  }
  return merged;
}
