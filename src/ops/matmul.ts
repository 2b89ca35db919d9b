/**
 * matmul: products of the last two axes, batched over the axes before them with NumPy's broadcasting.
 *
 * Invariant: all four transpose combinations are one op, so that its gradient is matmuls again and no transposed copy
 * is ever made. A B operand without batch axes is shared: the batch of A is folded into its rows, one large product
 * instead of many small ones.
 * Source: NumPy `matmul`; gradients from Giles, "Collected matrix derivative results" (2008), section 2.2.2.
 */

import type { Contraction, EmitContext } from '../core/lowering.ts';
import { defineOp, type Op } from '../core/op.ts';
import type { Aval, Tensor } from '../core/tensor.ts';
import { DownhillError } from '../util/errors.ts';
import {
  broadcastShapes,
  broadcastStrides,
  formatShape,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
} from '../util/shape.ts';
import { requireFloat } from './checks.ts';
import { matmulRejects, matmulSamples } from './matmul-samples.ts';
import { reshape, unbroadcast } from './shape.ts';

export interface MatmulOptions {
  /** Read `a` as [..., K, M]. */
  readonly transposeA?: boolean;
  /** Read `b` as [..., N, K]. */
  readonly transposeB?: boolean;
}

export interface MatmulAttrs {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** The sizes of one product: out[batch, m, n] = Σ_k a[batch, m, k] · b[batch, k, n]. */
interface MatmulSizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Batch axes of the output and of each operand. */
  readonly batch: Shape;
  readonly aBatch: Shape;
  readonly bBatch: Shape;
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
      const { batch, m, n } = sizes(a, b, attrs);
      return { shape: [...batch, m, n], dtype: 'f32' };
    },

    cpu([a, b], output, attrs) {
      const { m: M, n: N, k: K, batch, aBatch, bBatch } = sizes(a, b, attrs);
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
    },

    vjp(dy, [a, b], _output, attrs) {
      const { transposeA, transposeB } = attrs;
      const da = transposeA
        ? matmul(b, dy, { transposeA: transposeB, transposeB: true })
        : matmul(dy, b, { transposeB: !transposeB });
      return [unbroadcast(da, a.shape), gradientOfB(dy, a, b, attrs)];
    },

    lower: { kind: 'contract', contraction: ([a, b], _output, attrs) => contraction(a, b, attrs) },
    samples: matmulSamples,
    rejects: matmulRejects,
    tolerance: {
      relative: 1e-4,
      source:
        'a sum of K products in f32 in another order: |error| ≤ K·2⁻²⁴·Σ|aₖbₖ| (Higham, section 3.1), K ≤ 300 here',
    },
    bench: {
      flops: ([a, b], output, attrs) => 2 * sizeOf(output.shape) * sizes(a, b, attrs).k,
      sample: {
        inputs: [{ shape: [512, 512] }, { shape: [512, 512] }],
        attrs: { transposeA: false, transposeB: false },
      },
    },
  },
  (apply) =>
    (a, b, { transposeA = false, transposeB = false } = {}) =>
      apply([a, b], { transposeA, transposeB }),
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

function sizes(a: Aval, b: Aval, { transposeA, transposeB }: MatmulAttrs): MatmulSizes {
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
function matrixOffsets(shape: Shape, batch: Shape): (batchIndex: number) => number {
  const strides = broadcastStrides(shape, batch);
  const spans = stridesOf(batch);
  return (batchIndex) =>
    strides.reduce((offset, stride, axis) => offset + (Math.floor(batchIndex / spans[axis]) % batch[axis]) * stride, 0);
}

/** `matrixOffsets` as a u32 expression of `batch`. The leading size is never a divisor: the index is in range. */
function matrixOffsetWgsl(shape: Shape, batch: Shape): string {
  if (sizeOf(shape) === 1) return '0u';
  if (sizeOf(shape) === sizeOf(batch)) return 'batch';
  const spans = stridesOf(batch);
  const terms = broadcastStrides(shape, batch).flatMap((stride, axis) => {
    if (stride === 0) return [];
    const position = axis === 0 ? `batch / ${spans[axis]}u` : `batch / ${spans[axis]}u % ${batch[axis]}u`;
    return [`(${position}) * ${stride}u`];
  });
  return `(${terms.join(' + ')})`;
}

/**
 * Sizes go through `count`, so that every product of the same transposes is one pipeline; only inner batch axes, which
 * are divisors, are literals.
 */
function contraction(a: Aval, b: Aval, attrs: MatmulAttrs): Contraction {
  const { m: M, n: N, k: K, batch, aBatch, bBatch } = sizes(a, b, attrs);
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
    aRow: (context) => {
      const row = transposeA ? 'm' : `m * ${context.count(K)}`;
      return `return Row(i32(${offset(aBatch, context, M * K)}${row}), 0, i32(${context.count(K)}));`;
    },
    bCol: (context) => {
      const column = transposeB ? `n * ${context.count(K)}` : 'n';
      return `return i32(${offset(bBatch, context, K * N)}${column});`;
    },
    // With one batch, each element of B meets each row once: its column sums are a product with a row of ones.
    ...(batches === 1 && { summedAxesOfB: [...b.shape.keys()].filter((axis) => axis !== columnAxis) }),
  };
}
