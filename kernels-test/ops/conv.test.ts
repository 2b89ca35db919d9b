/**
 * The convolutions beyond what every op gets: values of another library (JAX), the address functions run as they stand,
 * kernel texts that serve every batch size, and conv2d against its explicit form.
 */

import { describe, expect, test } from 'vitest';
import type { Op } from '../../src/core/op.ts';
import type { Aval } from '../../src/core/tensor.ts';
import { conv2d, conv2dInputGrad, conv2dWeightGrad, convOps } from '../../src/ops/convolution/conv.ts';
import type { WindowAttrs } from '../../src/ops/convolution/conv-geometry.ts';
import { depthwiseOps } from '../../src/ops/convolution/depthwise.ts';
import { im2col, im2colOps } from '../../src/ops/convolution/im2col.ts';
import { resizeOps } from '../../src/ops/image/resize.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { runReference } from '../support/evaluate.ts';
import { goldenCases } from '../support/golden.ts';
import { describeNaive } from '../support/naive-check.ts';
import { naiveKernel } from '../support/naive-kernels.ts';
import { drawInput, drawSample } from '../support/sample-values.ts';

interface GoldenConvolution extends WindowAttrs {
  readonly xShape: number[];
  readonly kernelShape: number[];
  readonly yShape: number[];
  readonly x: number[];
  readonly kernel: number[];
  readonly dy: number[];
  readonly y: number[];
  readonly dx: number[];
  readonly dk: number[];
}

const f32 = (shape: readonly number[]): Aval => ({ shape, dtype: 'f32' });

function valuesOf<A>(op: Op<A>, shapes: readonly number[][], values: readonly number[][], attrs: A): number[] {
  const inputs = shapes.map((shape, k) => drawInput({ shape, values: values[k] }, []));
  return [...runReference(op, inputs, attrs).data];
}

describe('references give what JAX gives, to the last digit: the numbers are whole', () => {
  const cases = goldenCases<GoldenConvolution>('conv2d');
  test.each(
    cases.map(
      (c) => [`${c.xShape} * ${c.kernelShape} strides ${c.strides} ${c.padding} dilation ${c.dilation}`, c] as const,
    ),
  )('%s', (_title, { strides, padding, dilation, xShape, kernelShape, yShape, x, kernel, dy, y, dx, dk }) => {
    const attrs = { strides, padding, dilation };
    expect(conv2d.infer([f32(xShape), f32(kernelShape)], attrs).shape).toEqual(yShape);
    expect(valuesOf(conv2d, [xShape, kernelShape], [x, kernel], attrs)).toEqual(y);
    const inputGrad = { ...attrs, inputShape: xShape };
    expect(valuesOf(conv2dInputGrad, [yShape, kernelShape], [dy, kernel], inputGrad)).toEqual(dx);
    const weightGrad = { ...attrs, kernelShape };
    expect(valuesOf(conv2dWeightGrad, [xShape, yShape], [x, dy], weightGrad)).toEqual(dk);
  });
});

describe('explicit and implicit convolution agree', () => {
  const single = conv2d.samples.filter(({ inputs }) => inputs[0].shape.length === 4);
  test.each(single.map((sample) => [sample.title, sample] as const))('%s', (_title, sample) => {
    const [x, kernel] = drawSample(sample);
    const [KH, KW, C, F] = kernel.shape;
    const columns = runReference(im2col, [x], { ...sample.attrs, kernelSize: [KH, KW] });
    const flat = { ...kernel, shape: [KH * KW * C, F] };
    const product = runReference(matmul, [columns, flat], { transposeA: false, transposeB: false });
    runReference(conv2d, [x, kernel], sample.attrs).data.forEach((value, k) => {
      expect(product.data[k]).toBeCloseTo(value, 12);
    });
  });
});

test('one kernel text serves every batch size', () => {
  const attrs: WindowAttrs = { strides: [2, 1], padding: 'same', dilation: [1, 1] };
  const kernel = [3, 2, 4, 5];
  const texts = [2, 7].map((N) => {
    const [x, dy] = [f32([N, 6, 5, 4]), f32([N, 3, 5, 5])];
    return [
      naiveKernel(conv2d, [x, f32(kernel)], attrs).wgsl,
      naiveKernel(conv2dInputGrad, [dy, f32(kernel)], { ...attrs, inputShape: x.shape }).wgsl,
      naiveKernel(conv2dWeightGrad, [x, dy], { ...attrs, kernelShape: kernel }).wgsl,
      naiveKernel(im2col, [x], { ...attrs, kernelSize: [3, 2] }).wgsl,
    ];
  });
  expect(texts[0]).toEqual(texts[1]);
});

describeNaive([...convOps, ...im2colOps, ...depthwiseOps, ...resizeOps]);
