/**
 * A value without its computation: `Aval` is what is known of it before anything runs, `CpuTensor` what the references
 * read and fill.
 */

import { formatShape, type Shape } from '../util/shape.ts';
import type { CpuData, DType } from './dtype.ts';

/** Abstract value: shape and dtype. */
export interface Aval {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A tensor as the reference functions see it: row-major data beside its shape. */
export interface CpuTensor {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: CpuData;
}

/** `f32[2,3]`. */
export function describe(aval: Aval): string {
  return `${aval.dtype}${formatShape(aval.shape)}`;
}
