/**
 * Ops that add many terms to one element outside of reductions and products: large windows, scatters onto one row, long softmax
 * rows. Their records' tolerances hold however many the terms are, on the CPU in f32 and on the device.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { compileGraph } from '../../src/compile/index.ts';
import { applyOp, type CpuTensor, type Op } from '../../src/core/op.ts';
import {
  depthwiseConv2d,
  depthwiseConv2dInputGrad,
  depthwiseConv2dWeightGrad,
} from '../../src/ops/convolution/depthwise.ts';
import { col2im } from '../../src/ops/convolution/im2col.ts';
import { affineTransformGrad } from '../../src/ops/image/affine-transform.ts';
import { resizeBilinearGrad } from '../../src/ops/image/resize.ts';
import { gatherGrad } from '../../src/ops/layout/gather.ts';
import { averagePool2d, averagePool2dGrad } from '../../src/ops/pooling/pool-average.ts';
import { maxPool2dGrad } from '../../src/ops/pooling/pool-max.ts';
import { softmaxCrossEntropy } from '../../src/ops/reduction/cross-entropy.ts';
import { batchNorm } from '../../src/ops/reduction/normalize.ts';
import { logSumExp } from '../../src/ops/reduction/reduce-composite.ts';
import { logSoftmax, softmax } from '../../src/ops/reduction/softmax.ts';
import { type Shape, sizeOf } from '../../src/util/shape.ts';
import { bindPlaceholders, runReference } from '../support/evaluate.ts';
import { specOf } from '../support/graphs.ts';
import { runPlan } from '../support/run-plan.ts';

interface Call {
  readonly op: Op;
  readonly inputs: readonly CpuTensor[];
  readonly attrs: object;
}

const WINDOW = { strides: [1, 1], padding: 'valid', dilation: [1, 1] };
const LOGITS = (k: number): number => -((k * 7) % 11) / 10;

const calls: Record<string, Call> = {
  'the mean of a window of 10⁶': {
    op: averagePool2d,
    inputs: [filled([1, 1000, 1000, 1], () => 0.1)],
    attrs: { poolSize: [1000, 1000], strides: [1, 1], padding: 'valid' },
  },
  'the mean of a line of 10⁶': {
    op: averagePool2d,
    inputs: [filled([1, 1, 1_000_000, 1], () => 0.1)],
    attrs: { poolSize: [1, 1_000_000], strides: [1, 1], padding: 'valid' },
  },
  'what 3000 windows give a pixel': {
    op: averagePool2dGrad,
    inputs: [filled([1, 1, 3001, 1], () => 300)],
    attrs: { poolSize: [1, 3000], strides: [1, 1], padding: 'valid', inputShape: [1, 1, 6000, 1] },
  },
  'a maximum of 600 windows': {
    op: maxPool2dGrad,
    inputs: [filled([1, 1, 1200, 1], (k) => -Math.abs(k - 600)), filled([1, 1, 601, 1], () => 0.1)],
    attrs: { poolSize: [1, 600], strides: [1, 1], padding: 'valid' },
  },
  '10⁶ rows of one index': {
    op: gatherGrad,
    inputs: [filled([1_000_000], () => 0.1), { ...filled([1_000_000], () => 1), dtype: 'i32', data: ones(1_000_000) }],
    attrs: { shape: [3], axis: 0 },
  },
  'a pixel that was enlarged to 250,000': {
    op: affineTransformGrad,
    inputs: [filled([1, 1000, 1000, 1], () => 0.1), filled([1, 8], (k) => [0.001, 0, 0, 0, 0.001, 0, 0, 0][k])],
    attrs: { interpolation: 'nearest', fillMode: 'constant', inputShape: [1, 2, 2, 1] },
  },
  'an image that was resized 500 times': {
    op: resizeBilinearGrad,
    inputs: [filled([1, 1000, 1000, 1], () => 0.1)],
    attrs: { inputShape: [1, 2, 2, 1] },
  },
  '3000 columns onto a pixel': {
    op: col2im,
    inputs: [filled([3001, 3000], () => 0.1)],
    attrs: { ...WINDOW, kernelSize: [1, 3000], inputShape: [1, 1, 6000, 1] },
  },
  'a depthwise kernel of 100,000 taps': {
    op: depthwiseConv2d,
    inputs: [filled([1, 1, 100_000, 1], () => 0.3), filled([1, 100_000, 1, 1], () => 0.1)],
    attrs: WINDOW,
  },
  'its input gradient from 3000 taps': {
    op: depthwiseConv2dInputGrad,
    inputs: [filled([1, 1, 3001, 1], () => 0.3), filled([1, 3000, 1, 1], () => 0.1)],
    attrs: { ...WINDOW, inputShape: [1, 1, 6000, 1] },
  },
  'its weight gradient over 10⁶ pixels': {
    op: depthwiseConv2dWeightGrad,
    inputs: [filled([1, 1, 1_000_000, 1], () => 0.3), filled([1, 1, 999_999, 1], () => 0.1)],
    attrs: { ...WINDOW, kernelSize: [1, 2] },
  },
  'softmax over 10⁶ classes': { op: softmax, inputs: [filled([1, 1_000_000], LOGITS)], attrs: { axis: 1 } },
  'its logarithm': { op: logSoftmax, inputs: [filled([1, 1_000_000], LOGITS)], attrs: { axis: 1 } },
  'log Σ exp over 10⁶': { op: logSumExp, inputs: [filled([1_000_000], LOGITS)], attrs: { axes: [0], keepDims: false } },
  'cross-entropy over 10⁶ classes': {
    op: softmaxCrossEntropy,
    inputs: [filled([1, 1_000_000], LOGITS), { shape: [1], dtype: 'i32', data: Int32Array.of(3) }],
    attrs: {},
  },
  'batch norm over 200,000 values far from 0': {
    op: batchNorm,
    inputs: [filled([200_000, 1], (k) => 20_000 + (k % 7) - 3), filled([1, 1], () => 1), filled([1, 1], () => 0)],
    attrs: { axes: [0], epsilon: 1e-3 },
  },
};

const open = { 'the CPU in f32': async () => createCpuBackend(), 'the device': () => createNodeWebGPUBackend() };

describe.each(Object.keys(open) as (keyof typeof open)[])('on %s', (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open[name]();
  });
  afterAll(() => backend.dispose());

  test.each(Object.keys(calls))('%s', async (title) => {
    const { op, inputs, attrs } = calls[title];
    const { tensors, bindings } = bindPlaceholders(inputs);
    const spec = specOf('terms', { outputs: [applyOp(op, tensors, attrs)] });
    const plan = compileGraph(spec, backend.target, { fusion: true, reuse: true });
    const [{ outputs }] = await runPlan(backend, plan, spec, bindings);
    const exact = runReference(op, inputs, attrs).data;
    let worst = 0;
    // Relative to the value itself where it is a sum of terms of one sign, which is stricter than the record.
    for (let k = 0; k < exact.length; k++) {
      worst = Math.max(
        worst,
        Math.abs(outputs[0][k] - exact[k]) / Math.max(op === batchNorm ? 1 : 0, Math.abs(exact[k]), 1e-30),
      );
    }
    expect(worst).toBeLessThan(op.tolerance.relative);
  });
});

function filled(shape: Shape, value: (k: number) => number): CpuTensor {
  return { shape, dtype: 'f32', data: Float32Array.from({ length: sizeOf(shape) }, (_, k) => value(k)) };
}

function ones(count: number): Int32Array {
  return new Int32Array(count).fill(1);
}
