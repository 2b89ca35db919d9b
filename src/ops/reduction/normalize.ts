/**
 * Values taken to mean 0 and variance 1 over some axes, with gradients that go through the statistics: batchNorm with
 * its scale and offset, standardize without. Composites: the variance is that of centred values (two passes, nothing
 * cancels), and the statistics are the same nodes as `mean(x)` and `variance(x)`, so that asking for those costs
 * nothing. Sources: Ioffe and Szegedy, "Batch Normalization" (2015), for the gradient; Keras `ops.batch_normalization`.
 */

import { type CpuTensor, defineOp, type Op, type Sample } from '../../core/op.ts';
import { type Aval, describe, type Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, normalizeAxes, reduceShape, sameShape, sizeOf } from '../../util/shape.ts';
import { requireFloat } from '../checks.ts';
import { add, mul, sub } from '../elementwise/binary.ts';
import { neg } from '../elementwise/neg.ts';
import { rsqrt } from '../elementwise/unary.ts';
import { type Axes, axesOf, reducedCount, reduceMoments } from './define-reduce.ts';
import { mean, sum } from './reduce.ts';
import { variance } from './reduce-composite.ts';

export interface NormalizeOptions {
  /** The axes that mean and variance are taken over. */
  readonly axes: Axes;
  /** Added to the variance before its root is taken; positive. */
  readonly epsilon: number;
}

interface NormalizeAttrs {
  /** Sorted, distinct, not negative. */
  readonly axes: readonly number[];
  readonly epsilon: number;
}

type BatchNorm = (x: Tensor, gamma: Tensor, beta: Tensor, options: NormalizeOptions) => Tensor;
type Standardize = (x: Tensor, options: NormalizeOptions) => Tensor;

const tolerance = {
  relative: 2e-5,
  source: 'sums as in mean and variance, and a root of 2 ulp; values of a few units',
};

/** Mean and 1 / √(variance + epsilon), size 1 along the reduced axes. */
function statistics(x: Tensor, { axes, epsilon }: NormalizeAttrs): { center: Tensor; scale: Tensor } {
  const kept = { axes, keepDims: true };
  return { center: mean(x, kept), scale: rsqrt(add(variance(x, kept), epsilon)) };
}

function checkNormalize(op: string, x: Aval, { axes, epsilon }: NormalizeAttrs): void {
  requireFloat(op, ['x'], [x]);
  normalizeAxes(op, axes, x.shape);
  if (!(epsilon > 0 && Number.isFinite(epsilon))) {
    throw new DownhillError('argument', `${op}: epsilon must be a finite number above 0, got ${epsilon}`);
  }
  if (reducedCount(x.shape, axes) > 0) return;
  throw new DownhillError(
    'shape',
    `${op}: nothing to reduce: ${describe(x)} has no elements over axes ${formatShape(axes)}`,
  );
}

/** The reference: x̂ in f64. */
function standardized(x: CpuTensor, { axes, epsilon }: NormalizeAttrs): { values: Float64Array; targets: Uint32Array } {
  const count = reducedCount(x.shape, axes);
  const { means, squares, targets } = reduceMoments(x, axes);
  const values = Float64Array.from(
    targets,
    (target, i) => (x.data[i] - means[target]) / Math.sqrt(squares[target] / count + epsilon),
  );
  return { values, targets };
}

const shared = (name: string, more: readonly { shape: readonly number[] }[]) => [
  {
    title: 'an axis that is not there',
    inputs: [{ shape: [2, 3] }, ...more],
    attrs: { axes: [2], epsilon: 1e-3 },
    message: new RegExp(`^${name}: axis 2 is out of range for shape \\[2,3\\]`),
  },
  {
    title: 'no epsilon',
    inputs: [{ shape: [2, 3] }, ...more],
    attrs: { axes: [0], epsilon: 0 },
    message: new RegExp(`^${name}: epsilon must be a finite number above 0, got 0$`),
  },
  {
    title: 'nothing to reduce',
    inputs: [{ shape: [0, 3] }, ...more],
    attrs: { axes: [0], epsilon: 1e-3 },
    message: new RegExp(`^${name}: nothing to reduce: f32\\[0,3\\] has no elements over axes \\[0\\]`),
  },
];

/**
 * gamma · (x − mean) / √(variance + epsilon) + beta over `axes`; gamma and beta have size 1 along these axes and x's
 * sizes along the others. f32.
 * @throws DownhillError `dtype`, `shape`, or `argument` for an epsilon that is not above 0.
 */
export const batchNorm: BatchNorm & Op<NormalizeAttrs> = defineOp<NormalizeAttrs, BatchNorm>(
  {
    name: 'batchNorm',
    doc:
      'gamma · (x − mean) / √(variance + epsilon) + beta, with mean and variance of x over axes; gamma and beta have size 1 along ' +
      'these. The gradient goes through mean and variance. f32. Ioffe and Szegedy (2015).',
    infer([x, gamma, beta], attrs) {
      requireFloat('batchNorm', ['x', 'gamma', 'beta'], [x, gamma, beta]);
      checkNormalize('batchNorm', x, attrs);
      const fits = reduceShape(x.shape, attrs.axes, true);
      for (const [name, { shape }] of Object.entries({ gamma, beta })) {
        if (sameShape(shape, fits)) continue;
        const found = `${name} has shape ${formatShape(shape)}`;
        throw new DownhillError(
          'shape',
          `batchNorm: ${found}; x ${formatShape(x.shape)} over axes ${formatShape(attrs.axes)} takes ${formatShape(fits)}`,
        );
      }
      return { shape: x.shape, dtype: 'f32' };
    },
    cpu([x, gamma, beta], output, attrs) {
      const { values, targets } = standardized(x, attrs);
      for (let i = 0; i < targets.length; i++) {
        output.data[i] = values[i] * gamma.data[targets[i]] + beta.data[targets[i]];
      }
    },
    // x̂ is computed again from x, which the layer before has stored anyway; both sums are one walk over dy and x. The
    // distance from the mean is written in three ways, here twice and once in `expand`: a node that several kernels
    // share would be stored, which costs more than a subtraction in each.
    vjp(dy, [x, gamma], _output, attrs) {
      const { center, scale } = statistics(x, attrs);
      const kept = { axes: attrs.axes, keepDims: true };
      const shares = 1 / reducedCount(x.shape, attrs.axes);
      const dBeta = sum(dy, kept);
      const dGamma = neg(mul(sum(mul(dy, sub(center, x)), kept), scale));
      const distance = add(x, neg(center));
      const slope = mul(mul(dGamma, scale), shares);
      const dx = mul(mul(gamma, scale), sub(sub(dy, mul(dBeta, shares)), mul(distance, slope)));
      return [dx, dGamma, dBeta];
    },
    lower: { kind: 'composite' },
    expand([x, gamma, beta], attrs) {
      const { center, scale } = statistics(x, attrs);
      return add(mul(sub(x, center), mul(scale, gamma)), beta);
    },
    samples: [
      sample([6, 4], [1, 4], [0]),
      sample([4, 3, 2, 5], [1, 1, 1, 5], [0, 1, 2]),
      sample([5, 3, 4], [1, 3, 1], [0, 2]),
      sample([1, 3], [1, 3], [0], 'one example: the variance is 0'),
      {
        title: 'far from zero',
        inputs: [{ shape: [4, 1], values: [1000, 1001, 1002, 1004] }, { shape: [1, 1] }, { shape: [1, 1] }],
        attrs: { axes: [0], epsilon: 1e-3 },
      },
    ],
    rejects: [
      ...shared('batchNorm', [{ shape: [1, 3] }, { shape: [1, 3] }]),
      {
        title: 'gamma of another shape',
        inputs: [{ shape: [2, 3] }, { shape: [3] }, { shape: [1, 3] }],
        attrs: { axes: [0], epsilon: 1e-3 },
        message: /^batchNorm: gamma has shape \[3\]; x \[2,3\] over axes \[0\] takes \[1,3\]/,
      },
    ],
    tolerance,
    bench: { flops: ([x]) => 8 * sizeOf(x.shape), sample: sample([32, 32, 32, 32], [1, 1, 1, 32], [0, 1, 2]) },
  },
  (apply) =>
    (x, gamma, beta, { axes, epsilon }) =>
      apply([x, gamma, beta], { axes: axesOf('batchNorm', x, axes), epsilon }),
);

/**
 * (x − mean) / √(variance + epsilon) over `axes`. f32.
 * @throws DownhillError `dtype`, `shape`, or `argument` for an epsilon that is not above 0.
 */
export const standardize: Standardize & Op<NormalizeAttrs> = defineOp<NormalizeAttrs, Standardize>(
  {
    name: 'standardize',
    doc:
      '(x − mean) / √(variance + epsilon), with mean and variance of x over axes; the gradient goes through both. f32. ' +
      'Ba, Kiros and Hinton, "Layer Normalization" (2016).',
    infer([x], attrs) {
      checkNormalize('standardize', x, attrs);
      return { shape: x.shape, dtype: 'f32' };
    },
    cpu([x], output, attrs) {
      output.data.set(standardized(x, attrs).values);
    },
    vjp(dy, [x], normal, attrs) {
      const { scale } = statistics(x, attrs);
      const kept = { axes: attrs.axes, keepDims: true };
      return [mul(scale, sub(sub(dy, mean(dy, kept)), mul(normal, mean(mul(dy, normal), kept))))];
    },
    lower: { kind: 'composite' },
    expand([x], attrs) {
      const { center, scale } = statistics(x, attrs);
      return mul(sub(x, center), scale);
    },
    samples: [
      { inputs: [{ shape: [5, 8] }], attrs: { axes: [1], epsilon: 1e-3 } },
      { inputs: [{ shape: [3, 4, 2] }], attrs: { axes: [1, 2], epsilon: 1e-5 } },
      { title: 'inner axis', inputs: [{ shape: [3, 5, 2] }], attrs: { axes: [1], epsilon: 1e-3 } },
      { title: 'one element', inputs: [{ shape: [2, 1] }], attrs: { axes: [1], epsilon: 1e-3 } },
      {
        title: 'far from zero',
        inputs: [{ shape: [1, 4], values: [1000, 1001, 1002, 1004] }],
        attrs: { axes: [1], epsilon: 1e-3 },
      },
    ],
    rejects: shared('standardize', []),
    tolerance,
    bench: {
      flops: ([x]) => 7 * sizeOf(x.shape),
      sample: { inputs: [{ shape: [4096, 256] }], attrs: { axes: [1], epsilon: 1e-3 } },
    },
  },
  (apply) =>
    (x, { axes, epsilon }) =>
      apply([x], { axes: axesOf('standardize', x, axes), epsilon }),
);

function sample(
  shape: readonly number[],
  kept: readonly number[],
  axes: readonly number[],
  title?: string,
): Sample<NormalizeAttrs> {
  return {
    ...(title !== undefined && { title }),
    inputs: [{ shape }, { shape: kept }, { shape: kept }],
    attrs: { axes, epsilon: 1e-3 },
  };
}

/** The records of this file. */
export const normalizeOps: readonly Op[] = [batchNorm, standardize];
