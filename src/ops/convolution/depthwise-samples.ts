/**
 * Calls that tests, benches and documentation make of the depthwise convolutions, from one table of (images, kernel,
 * options); then the calls that must be refused.
 */

import type { Reject, Sample } from '../../core/op.ts';
import type { Shape } from '../../util/shape.ts';
import type { WindowAttrs } from './conv-geometry.ts';
import { type DepthwiseInputGradAttrs, type DepthwiseWeightGradAttrs, inferDepthwise } from './depthwise-shapes.ts';
import { type ConvCase, options } from './window-samples.ts';

const CASES: readonly ConvCase[] = [
  { title: 'one element', x: [1, 1, 1, 1], kernel: [1, 1, 1, 1], attrs: options() },
  { title: 'valid, two filters each', x: [2, 4, 3, 3], kernel: [3, 2, 3, 2], attrs: options() },
  { title: 'a kernel for each image', x: [2, 3, 4, 2], kernel: [2, 2, 3, 2, 2], attrs: options(1, 'same') },
  { title: 'same, even kernel', x: [2, 4, 3, 2], kernel: [2, 4, 2, 1], attrs: options(1, 'same') },
  { title: 'strides differ, same', x: [1, 7, 5, 2], kernel: [3, 2, 2, 1], attrs: options([3, 2], 'same') },
  { title: 'stride over the kernel size', x: [1, 7, 7, 1], kernel: [2, 2, 1, 3], attrs: options(3) },
  { title: 'dilation 2, same', x: [1, 5, 6, 2], kernel: [3, 2, 2, 2], attrs: options(1, 'same', 2) },
  { title: 'kernel larger than the image', x: [1, 2, 1, 3], kernel: [5, 5, 3, 1], attrs: options(1, 'same') },
];

const BENCH: ConvCase = { title: 'bench', x: [16, 28, 28, 128], kernel: [3, 3, 128, 1], attrs: options(1, 'same') };

export const depthwiseSamples: readonly Sample<WindowAttrs>[] = CASES.map(outputSample);
export const depthwiseInputGradSamples: readonly Sample<DepthwiseInputGradAttrs>[] = CASES.map(inputGradSample);
export const depthwiseWeightGradSamples: readonly Sample<DepthwiseWeightGradAttrs>[] = CASES.map(weightGradSample);

export const depthwiseBench = {
  output: outputSample(BENCH),
  inputGrad: inputGradSample(BENCH),
  weightGrad: weightGradSample(BENCH),
};

function outputSample({ title, x, kernel, attrs }: ConvCase): Sample<WindowAttrs> {
  return { title, inputs: [{ shape: x }, { shape: kernel }], attrs };
}

function inputGradSample(of: ConvCase): Sample<DepthwiseInputGradAttrs> {
  const { title, x, kernel, attrs } = of;
  return { title, inputs: [{ shape: outputOf(of) }, { shape: kernel }], attrs: { ...attrs, inputShape: x } };
}

function weightGradSample(of: ConvCase): Sample<DepthwiseWeightGradAttrs> {
  const { title, x, kernel, attrs } = of;
  const [KH, KW] = kernel.slice(-4);
  return { title, inputs: [{ shape: x }, { shape: outputOf(of) }], attrs: { ...attrs, kernelSize: [KH, KW] } };
}

function outputOf({ x, kernel, attrs }: ConvCase): Shape {
  return inferDepthwise('depthwiseConv2d', { shape: x, dtype: 'f32' }, { shape: kernel, dtype: 'f32' }, attrs).y.shape;
}

export const depthwiseRejects: readonly Reject<WindowAttrs>[] = [
  {
    title: 'channels differ',
    inputs: [{ shape: [1, 5, 5, 3] }, { shape: [3, 3, 4, 1] }],
    attrs: options(),
    message: /^depthwiseConv2d: kernel \[3,3,4,1\] does not fit images \[1,5,5,3\], .* 3 channels is \[3,3,3,1\]$/,
  },
  {
    title: 'kernels for another count of images',
    inputs: [{ shape: [2, 5, 5, 3] }, { shape: [3, 3, 3, 3, 1] }],
    attrs: options(),
    message: /^depthwiseConv2d: kernel .* is \[2,3,3,3,1\]$/,
  },
  {
    title: 'kernel of rank 2',
    inputs: [{ shape: [1, 5, 5, 1] }, { shape: [3, 3] }],
    attrs: options(),
    message: /^depthwiseConv2d: kernel needs 4 axes \[KH,KW,C,M\], got f32\[3,3\]/,
  },
  {
    title: 'stride and dilation',
    inputs: [{ shape: [1, 9, 9, 1] }, { shape: [3, 3, 1, 1] }],
    attrs: options(2, 'same', 2),
    message: /cannot both exceed 1/,
  },
];

export const depthwiseInputGradRejects: readonly Reject<DepthwiseInputGradAttrs>[] = [
  {
    title: 'dy of another convolution',
    inputs: [{ shape: [1, 3, 3, 2] }, { shape: [3, 3, 1, 2] }],
    attrs: { ...options(), inputShape: [1, 6, 5, 1] },
    message: /^depthwiseConv2dInputGrad: dy is \[1,3,3,2\], but depthwiseConv2d of \[1,6,5,1\] .* gives \[1,4,3,2\]$/,
  },
];

export const depthwiseWeightGradRejects: readonly Reject<DepthwiseWeightGradAttrs>[] = [
  {
    title: 'dy of other channels',
    inputs: [{ shape: [1, 5, 5, 2] }, { shape: [1, 3, 3, 3] }],
    attrs: { ...options(), kernelSize: [3, 3] },
    message:
      /^depthwiseConv2dWeightGrad: dy \[1,3,3,3\] of images \[1,5,5,2\] must have a multiple of their 2 channels$/,
  },
  {
    title: 'dy of another convolution',
    inputs: [{ shape: [1, 5, 5, 2] }, { shape: [1, 4, 3, 2] }],
    attrs: { ...options(), kernelSize: [3, 3] },
    message: /^depthwiseConv2dWeightGrad: dy is \[1,4,3,2\], .* gives \[1,3,3,2\]$/,
  },
];
