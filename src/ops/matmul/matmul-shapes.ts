/**
 * The shape rule of matmul: which sizes one product has, and what to say when they do not fit.
 */

import type { Aval } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { broadcastShapes, broadcastStrides, formatShape, type Shape, stridesOf } from '../../util/shape.ts';
import { requireFloat } from '../checks.ts';

export interface MatmulAttrs {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** The sizes of one product: out[batch, m, n] = Σ_k a[batch, m, k] · b[batch, k, n]. */
export interface MatmulSizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Batch axes of the output and of each operand. */
  readonly batch: Shape;
  readonly aBatch: Shape;
  readonly bBatch: Shape;
}

/** @throws DownhillError `dtype` or `shape`, naming both operands and the change that would make them fit. */
export function matmulSizes(a: Aval, b: Aval, { transposeA, transposeB }: MatmulAttrs): MatmulSizes {
  requireFloat('matmul', ['a', 'b'], [a, b]);
  const text = `${formatShape(a.shape)}${transposeA ? 'ᵀ' : ''} @ ${formatShape(b.shape)}${transposeB ? 'ᵀ' : ''}`;
  for (const { shape } of [a, b]) {
    if (shape.length >= 2) continue;
    const fix =
      shape.length === 1 ? `reshape the vector to [1,${shape[0]}] or [${shape[0]},1]` : 'multiply by the scalar';
    throw new DownhillError('shape', `matmul: both sides need at least two axes: ${text}; ${fix}`);
  }
  const [m, k] = matrixShape(a, transposeA);
  const [bK, n] = matrixShape(b, transposeB);
  if (k !== bK) {
    const hint = transposeHint(a, b, { transposeA, transposeB });
    throw new DownhillError('shape', `matmul: inner dimensions differ: ${text} (${k} ≠ ${bK})${hint}`);
  }
  const aBatch = a.shape.slice(0, -2);
  const bBatch = b.shape.slice(0, -2);
  return { m, n, k, aBatch, bBatch, batch: broadcastShapes(`matmul: batch axes of ${text}`, aBatch, bBatch) };
}

/** [rows, columns] of the matrices in `x`, after the transpose. */
function matrixShape(x: Aval, transposed: boolean): [number, number] {
  const [rows, columns] = x.shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
}

/** The smallest change of the transposes that makes the inner sizes agree, as the tail of a message. */
function transposeHint(a: Aval, b: Aval, { transposeA, transposeB }: MatmulAttrs): string {
  const fits = (tA: boolean, tB: boolean): boolean => matrixShape(a, tA)[1] === matrixShape(b, tB)[0];
  if (fits(transposeA, !transposeB)) return `; did you mean transposeB: ${!transposeB}?`;
  if (fits(!transposeA, transposeB)) return `; did you mean transposeA: ${!transposeA}?`;
  if (fits(!transposeA, !transposeB)) {
    return `; did you mean transposeA: ${!transposeA}, transposeB: ${!transposeB}?`;
  }
  return '';
}

/** For a batch index of the output: which matrix of an operand with batch axes `shape` it reads. */
export function matrixOffsets(shape: Shape, batch: Shape): (batchIndex: number) => number {
  const strides = broadcastStrides(shape, batch);
  const spans = stridesOf(batch);
  return (batchIndex) =>
    strides.reduce((offset, stride, axis) => offset + (Math.floor(batchIndex / spans[axis]) % batch[axis]) * stride, 0);
}
