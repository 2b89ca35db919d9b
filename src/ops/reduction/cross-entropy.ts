/**
 * Cross-entropies from logits, one value an example. Composites with gradients of their own (probability minus target):
 * forward, gradient and the maximum they share become one kernel.
 * Source: Keras `sparse_categorical_crossentropy`, `categorical_crossentropy`, `binary_crossentropy` with
 * from_logits=True; the stable binary form is TensorFlow's sigmoid_cross_entropy_with_logits.
 */

import { type CpuTensor, defineOp, type Op } from '../../core/op.ts';
import { type Aval, describe, type Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, sameShape, sizeOf } from '../../util/shape.ts';
import { requireFloat } from '../checks.ts';
import { iota } from '../create.ts';
import { sigmoid } from '../elementwise/activations.ts';
import { add, maximum, mul, sub } from '../elementwise/binary.ts';
import { cast } from '../elementwise/cast.ts';
import { equal } from '../elementwise/compare.ts';
import { neg } from '../elementwise/neg.ts';
import { where } from '../elementwise/select.ts';
import { abs, exp, log, log1p } from '../elementwise/unary.ts';
import { inDouble } from '../in-double.ts';
import { expandDims, reshape } from '../layout/shape.ts';
import { max, sum } from './reduce.ts';
import { logSoftmax, softmax } from './softmax.ts';

type NoAttrs = Record<string, never>;
type FromLogits = (logits: Tensor, targets: Tensor) => Tensor;

const tolerance = { relative: 2e-5, source: 'log and exp as in logSoftmax, then a sum over the classes as sum has it' };

/** True where a class number of [0, C) is the label: [..., C]. */
function isLabel(logits: Tensor, labels: Tensor): Tensor {
  return equal(iota(logits.shape[logits.rank - 1], labels.dtype as 'i32' | 'u32'), expandDims(labels, -1));
}

function checkLogits(op: string, logits: Aval): void {
  requireFloat(op, ['logits'], [logits]);
  if (logits.shape.length > 0 && logits.shape[logits.shape.length - 1] > 0) return;
  throw new DownhillError('shape', `${op}: logits are ${describe(logits)}; the last axis holds the classes`);
}

/** log Σ exp over one row. */
function rowLogSum(data: CpuTensor['data'], start: number, classes: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) top = Math.max(top, data[start + c]);
  let total = 0;
  for (let c = 0; c < classes; c++) total += Math.exp(data[start + c] - top);
  return top + Math.log(total);
}

/**
 * −log softmax(logits)[label] for logits f32 [..., C] and labels i32 or u32 [...] → f32 [...]. A label outside of [0,
 * C) matches no class: the value is then log Σ exp alone (models check labels before they train).
 * @throws DownhillError `shape` or `dtype`.
 */
export const softmaxCrossEntropy: FromLogits & Op<NoAttrs> = defineOp<NoAttrs, FromLogits>(
  {
    name: 'softmaxCrossEntropy',
    doc: 'Cross-entropy of softmax(logits) with whole-number labels: logits [..., C], labels i32 or u32 [...] → [...].',
    infer([logits, labels]) {
      checkLogits('softmaxCrossEntropy', logits);
      if (labels.dtype !== 'i32' && labels.dtype !== 'u32') {
        throw new DownhillError(
          'dtype',
          `softmaxCrossEntropy: labels are ${describe(labels)}; they must be i32 or u32`,
        );
      }
      const rows = logits.shape.slice(0, -1);
      if (!sameShape(rows, labels.shape)) {
        throw new DownhillError(
          'shape',
          `softmaxCrossEntropy: logits ${formatShape(logits.shape)} take labels ${formatShape(rows)}, got ${formatShape(labels.shape)}`,
        );
      }
      return { shape: rows, dtype: 'f32' };
    },
    cpu([logits, labels], output) {
      const classes = logits.shape[logits.shape.length - 1];
      for (let row = 0; row < output.data.length; row++) {
        const label = labels.data[row];
        const sum = rowLogSum(logits.data, row * classes, classes);
        const known = label >= 0 && label < classes;
        const top = known ? logits.data[row * classes + label] : rowMax(logits.data, row * classes, classes);
        output.data[row] = sum - top;
      }
    },
    vjp(dy, [logits, labels]) {
      const difference = sub(softmax(logits), cast(isLabel(logits, labels), 'f32'));
      return [mul(difference, expandDims(dy, -1)), null];
    },
    lower: { kind: 'composite' },
    expand([logits, labels]) {
      const shifted = sub(logits, max(logits, { axes: -1, keepDims: true }));
      const picked = sum(where(isLabel(logits, labels), shifted, 0), { axes: -1, keepDims: true });
      const logSum = log(sum(exp(shifted), { axes: -1, keepDims: true }));
      return reshape(sub(logSum, picked), labels.shape);
    },
    samples: [
      { inputs: [{ shape: [6, 10] }, { shape: [6], dtype: 'i32', values: { below: 10 } }], attrs: {} },
      { inputs: [{ shape: [1, 1] }, { shape: [1], dtype: 'i32', values: [0] }], attrs: {} },
      { inputs: [{ shape: [5] }, { shape: [], dtype: 'i32', values: [3] }], attrs: {} },
      { inputs: [{ shape: [2, 3, 4] }, { shape: [2, 3], dtype: 'u32', values: { below: 4 } }], attrs: {} },
    ],
    rejects: [
      {
        title: 'labels of another shape',
        inputs: [{ shape: [4, 10] }, { shape: [5], dtype: 'i32', values: { below: 10 } }],
        attrs: {},
        message: /^softmaxCrossEntropy: logits \[4,10\] take labels \[4\], got \[5\]/,
      },
      {
        title: 'one-hot labels',
        inputs: [{ shape: [4, 10] }, { shape: [4, 10] }],
        attrs: {},
        message: /^softmaxCrossEntropy: labels are f32\[4,10\]; they must be i32 or u32/,
      },
    ],
    tolerance,
    bench: {
      flops: ([logits]) => 6 * sizeOf(logits.shape),
      sample: { inputs: [{ shape: [4096, 256] }, { shape: [4096], dtype: 'i32', values: { below: 256 } }], attrs: {} },
    },
  },
  (apply) => (logits, labels) => apply([logits, labels], {}),
);

function rowMax(data: CpuTensor['data'], start: number, classes: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) top = Math.max(top, data[start + c]);
  return top;
}

/**
 * −Σ targets · log softmax(logits) over the last axis: logits and targets f32 [..., C] → f32 [...].
 * @throws DownhillError `shape` or `dtype`.
 */
export const softmaxCrossEntropyDense: FromLogits & Op<NoAttrs> = defineOp<NoAttrs, FromLogits>(
  {
    name: 'softmaxCrossEntropyDense',
    doc: 'Cross-entropy of softmax(logits) with target probabilities: logits and targets [..., C] → [...].',
    infer([logits, targets]) {
      checkLogits('softmaxCrossEntropyDense', logits);
      requireSame('softmaxCrossEntropyDense', logits, targets);
      return { shape: logits.shape.slice(0, -1), dtype: 'f32' };
    },
    cpu: inDouble(([logits, targets], output) => {
      const classes = logits.shape[logits.shape.length - 1];
      for (let row = 0; row < output.data.length; row++) {
        const logSum = rowLogSum(logits.data, row * classes, classes);
        for (let i = row * classes; i < (row + 1) * classes; i++) {
          output.data[row] += targets.data[i] * (logSum - logits.data[i]);
        }
      }
    }),
    vjp(dy, [logits, targets]) {
      const scale = expandDims(dy, -1);
      const mass = sum(targets, { axes: -1, keepDims: true });
      const dLogits = mul(sub(mul(softmax(logits), mass), targets), scale);
      return [dLogits, neg(mul(logSoftmax(logits), scale))];
    },
    lower: { kind: 'composite' },
    expand: ([logits, targets]) => neg(sum(mul(targets, logSoftmax(logits)), { axes: -1 })),
    samples: [
      { inputs: [{ shape: [6, 10] }, { shape: [6, 10], values: 'probability' }], attrs: {} },
      { inputs: [{ shape: [3] }, { shape: [3], values: [0, 1, 0] }], attrs: {} },
      { inputs: [{ shape: [2, 3, 4] }, { shape: [2, 3, 4], values: 'probability' }], attrs: {} },
    ],
    rejects: [
      {
        title: 'targets of another shape',
        inputs: [{ shape: [4, 10] }, { shape: [4, 9] }],
        attrs: {},
        message: /^softmaxCrossEntropyDense: logits \[4,10\] and targets \[4,9\] differ/,
      },
    ],
    tolerance,
    bench: {
      flops: ([logits]) => 6 * sizeOf(logits.shape),
      sample: { inputs: [{ shape: [4096, 256] }, { shape: [4096, 256], values: 'probability' }], attrs: {} },
    },
  },
  (apply) => (logits, targets) => apply([logits, targets], {}),
);

/**
 * Binary cross-entropy of sigmoid(logits), elementwise and stable: max(x, 0) − x·z + log(1 + e^−|x|). f32, equal
 * shapes.
 * @throws DownhillError `shape` or `dtype`.
 */
export const sigmoidCrossEntropy: FromLogits & Op<NoAttrs> = defineOp<NoAttrs, FromLogits>(
  {
    name: 'sigmoidCrossEntropy',
    doc: 'Binary cross-entropy of sigmoid(logits) with targets in [0, 1], elementwise: max(x, 0) − x·z + log(1 + e^−|x|).',
    infer([logits, targets]) {
      requireFloat('sigmoidCrossEntropy', ['logits'], [logits]);
      requireSame('sigmoidCrossEntropy', logits, targets);
      return { shape: logits.shape, dtype: 'f32' };
    },
    cpu([logits, targets], output) {
      for (let i = 0; i < output.data.length; i++) {
        const x = logits.data[i];
        output.data[i] = Math.max(x, 0) - x * targets.data[i] + Math.log1p(Math.exp(-Math.abs(x)));
      }
    },
    vjp: (dy, [logits, targets]) => [mul(sub(sigmoid(logits), targets), dy), neg(mul(logits, dy))],
    lower: { kind: 'composite' },
    expand: ([logits, targets]) => add(sub(maximum(logits, 0), mul(logits, targets)), log1p(exp(neg(abs(logits))))),
    samples: [
      { inputs: [{ shape: [5, 3] }, { shape: [5, 3], values: 'probability' }], attrs: {} },
      { inputs: [{ shape: [] }, { shape: [], values: [1] }], attrs: {} },
      {
        inputs: [
          { shape: [4], values: [100, -100, 30, -30] },
          { shape: [4], values: [0, 1, 1, 0] },
        ],
        attrs: {},
      },
    ],
    rejects: [
      {
        title: 'targets of another shape',
        inputs: [{ shape: [4] }, { shape: [4, 1] }],
        attrs: {},
        message: /^sigmoidCrossEntropy: logits \[4\] and targets \[4,1\] differ/,
      },
    ],
    tolerance,
    bench: {
      flops: ([logits]) => 6 * sizeOf(logits.shape),
      sample: { inputs: [{ shape: [1024, 1024] }, { shape: [1024, 1024], values: 'probability' }], attrs: {} },
    },
  },
  (apply) => (logits, targets) => apply([logits, targets], {}),
);

function requireSame(op: string, logits: Aval, targets: Aval): void {
  requireFloat(op, ['targets'], [targets]);
  if (sameShape(logits.shape, targets.shape)) return;
  throw new DownhillError(
    'shape',
    `${op}: logits ${formatShape(logits.shape)} and targets ${formatShape(targets.shape)} differ; they must be equal`,
  );
}

export const crossEntropyOps: readonly Op[] = [softmaxCrossEntropy, softmaxCrossEntropyDense, sigmoidCrossEntropy];
