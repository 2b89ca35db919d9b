/**
 * matmul: products of the last two axes, batched over the axes before them with NumPy's broadcasting.
 *
 * Invariant: all four transpose combinations are one op, so that its gradient is matmuls again and no transposed copy
 * is ever made. A B operand without batch axes is shared: the batch of A is folded into its rows, one large product
 * instead of many small ones.
 * Source: NumPy `matmul`; gradients from Giles, "Collected matrix derivative results" (2008), section 2.2.2.
 */

import { defineOp, type Op } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { sameShape, sizeOf } from '../../util/shape.ts';
import { inDouble } from '../in-double.ts';
import { reshape } from '../layout/shape.ts';
import { unbroadcast } from '../reduction/sum.ts';
import { matmulContraction } from './matmul-contraction.ts';
import { matmulRejects, matmulSamples } from './matmul-samples.ts';
import { type MatmulAttrs, matmulSizes, matrixOffsets } from './matmul-shapes.ts';

export interface MatmulOptions {
  /** Read `a` as [..., K, M]. */
  readonly transposeA?: boolean;
  /** Read `b` as [..., N, K]. */
  readonly transposeB?: boolean;
}

/**
 * Matrix product `a @ b` of f32 tensors: [..., M, K] @ [..., K, N] → [..., M, N]. The axes before the last two are a
 * batch and broadcast; a `b` of shape [K, N] serves the whole batch.
 * @throws DownhillError `shape` for rank below 2, inner sizes that differ or batches that do not broadcast; `dtype`
 * unless both are f32.
 */
export const matmul: ((a: Tensor, b: Tensor, options?: MatmulOptions) => Tensor) & Op<MatmulAttrs> = defineOp<
  MatmulAttrs,
  (a: Tensor, b: Tensor, options?: MatmulOptions) => Tensor
>(
  {
    name: 'matmul',
    doc:
      'Matrix product [..., M, K] @ [..., K, N] → [..., M, N] of f32 tensors; the leading axes are a batch and broadcast ' +
      "as in NumPy's matmul. transposeA reads a as [..., K, M], transposeB reads b as [..., N, K].",

    infer([a, b], attrs) {
      const { batch, m, n } = matmulSizes(a, b, attrs);
      return { shape: [...batch, m, n], dtype: 'f32' };
    },

    cpu: inDouble(([a, b], output, attrs) => {
      const { m: M, n: N, k: K, batch, aBatch, bBatch } = matmulSizes(a, b, attrs);
      const aOffsets = matrixOffsets(aBatch, batch);
      const bOffsets = matrixOffsets(bBatch, batch);
      const [aRow, aCol] = attrs.transposeA ? [1, M] : [K, 1];
      const out = output.data;
      for (let batchIndex = 0; batchIndex < sizeOf(batch); batchIndex++) {
        const aBase = aOffsets(batchIndex) * M * K;
        const bBase = bOffsets(batchIndex) * K * N;
        for (let m = 0; m < M; m++) {
          const row = (batchIndex * M + m) * N;
          if (attrs.transposeB) {
            for (let n = 0; n < N; n++) {
              let sum = 0;
              for (let k = 0; k < K; k++) sum += a.data[aBase + m * aRow + k * aCol] * b.data[bBase + n * K + k];
              out[row + n] = sum;
            }
          } else {
            for (let k = 0; k < K; k++) {
              const factor = a.data[aBase + m * aRow + k * aCol];
              const bRow = bBase + k * N;
              for (let n = 0; n < N; n++) out[row + n] += factor * b.data[bRow + n];
            }
          }
        }
      }
    }),

    vjp(dy, [a, b], _output, attrs) {
      const { transposeA, transposeB } = attrs;
      const da = transposeA
        ? matmul(b, dy, { transposeA: transposeB, transposeB: true })
        : matmul(dy, b, { transposeB: !transposeB });
      return [unbroadcast(da, a.shape), gradientOfB(dy, a, b, attrs)];
    },

    lower: { kind: 'contract', contraction: ([a, b], _output, attrs) => matmulContraction(a, b, attrs) },
    samples: matmulSamples,
    rejects: matmulRejects,
    tolerance: {
      relative: 1e-4,
      source:
        'products added in f32 in another order, at most 2048 in a row: |error| ≤ 2048·2⁻²⁴·Σ|aₖbₖ| (Higham, section 3.1)',
    },
    bench: {
      flops: ([a, b], output, attrs) => 2 * sizeOf(output.shape) * matmulSizes(a, b, attrs).k,
      sample: {
        inputs: [{ shape: [512, 512] }, { shape: [512, 512] }],
        attrs: { transposeA: false, transposeB: false },
      },
    },
  },
  (apply) => (a, b, options) => {
    const { transposeA = false, transposeB = false } = checkOptions('matmul', options, ['transposeA', 'transposeB']);
    return apply([a, b], { transposeA, transposeB });
  },
);

/** The records of this family, for `ops/index.ts`. */
export const matmulOps: readonly Op[] = [matmul];

/** dB; with a shared B the batch is folded into the contracted axis, so no per-batch gradient is ever stored. */
function gradientOfB(dy: Tensor, a: Tensor, b: Tensor, { transposeA, transposeB }: MatmulAttrs): Tensor {
  const shared = !transposeA && a.rank > 2 && sizeOf(b.shape.slice(0, -2)) === 1;
  const rows = (x: Tensor): Tensor => (shared ? reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]) : x);
  const db = transposeB
    ? matmul(rows(dy), rows(a), { transposeA: true, transposeB: transposeA })
    : matmul(rows(a), rows(dy), { transposeA: !transposeA });
  if (!shared) return unbroadcast(db, b.shape);
  return sameShape(db.shape, b.shape) ? db : reshape(db, b.shape);
}
