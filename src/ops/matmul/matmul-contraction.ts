/**
 * matmul as a contraction of one segment (core/lowering.ts).
 *
 * Invariant: sizes go through `count`, so that every product with the same transposes is one pipeline; only inner batch
 * axes, which are divisors, are literals in the text.
 */

import type { Contraction, EmitContext } from '../../core/lowering.ts';
import type { Aval } from '../../core/tensor.ts';
import { broadcastStrides, type Shape, sizeOf, stridesOf } from '../../util/shape.ts';
import { type MatmulAttrs, matmulSizes } from './matmul-shapes.ts';

export function matmulContraction(a: Aval, b: Aval, attrs: MatmulAttrs): Contraction {
  const { m: M, n: N, k: K, batch, aBatch, bBatch } = matmulSizes(a, b, attrs);
  const { transposeA, transposeB } = attrs;
  const folded = !transposeA && sizeOf(bBatch) === 1;
  const offset = (shape: Shape, context: EmitContext<unknown>, matrix: number): string => {
    const matrixIndex = folded ? '0u' : matrixOffsetWgsl(shape, batch);
    return matrixIndex === '0u' ? '' : `${matrixIndex} * ${context.count(matrix)} + `;
  };
  const batches = folded ? 1 : sizeOf(batch);
  const columnAxis = b.shape.length - (transposeB ? 2 : 1);
  return {
    batch: batches,
    m: folded ? sizeOf(batch) * M : M,
    n: N,
    segments: 1,
    inner: K,
    aStep: transposeA ? M : 1,
    bStep: transposeB ? 1 : N,
    a: 0,
    b: 1,
    clipped: false,
    way: ['matmul', transposeA, transposeB, folded, aBatch, bBatch],
    row: (context) => {
      const row = transposeA ? 'm' : `m * ${context.count(K)}`;
      return `return vec3i(i32(${offset(aBatch, context, M * K)}${row}), 0, 0);`;
    },
    segment: () => 'return vec3i(0);',
    aRun: (context) => `return Run(r.x, 0, i32(${context.count(K)}));`,
    bBase: (context) => {
      const column = transposeB ? `n * ${context.count(K)}` : 'n';
      return `return i32(${offset(bBatch, context, K * N)}${column});`;
    },
    // With one batch, each element of B meets each row once: its column sums are a product with a row of ones.
    ...(batches === 1 && { summedAxesOfB: [...b.shape.keys()].filter((axis) => axis !== columnAxis) }),
  };
}

/**
 * Which matrix of an operand batch entry `product` reads, as a u32 expression. The leading size is never a divisor: the
 * index is in range.
 */
function matrixOffsetWgsl(shape: Shape, batch: Shape): string {
  if (sizeOf(shape) === 1) return '0u';
  if (sizeOf(shape) === sizeOf(batch)) return 'product';
  const spans = stridesOf(batch);
  const terms = broadcastStrides(shape, batch).flatMap((stride, axis) => {
    if (stride === 0) return [];
    const position = axis === 0 ? `product / ${spans[axis]}u` : `product / ${spans[axis]}u % ${batch[axis]}u`;
    return [`(${position}) * ${stride}u`];
  });
  return `(${terms.join(' + ')})`;
}
