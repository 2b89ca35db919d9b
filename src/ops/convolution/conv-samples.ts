/**
 * Calls that tests, benches and documentation make of the convolutions. One table of (images, kernel, options) serves
 * conv2d and both gradients, whose dy has the shape that conv2d gives; then the calls that must be refused.
 */

import type { Reject, Sample, SampleInput } from '../../core/op.ts';
import type { Shape } from '../../util/shape.ts';
import type { Padding, WindowAttrs } from './conv-geometry.ts';
import { type InputGradAttrs, inferOutput, type WeightGradAttrs } from './conv-shapes.ts';
import { type ConvCase, options } from './window-samples.ts';

const CASES: readonly ConvCase[] = [
  { title: 'one element', x: [1, 1, 1, 1], kernel: [1, 1, 1, 1], attrs: options() },
  { title: 'valid, odd sizes', x: [2, 5, 4, 3], kernel: [3, 2, 3, 2], attrs: options() },
  { title: 'same, odd sizes', x: [2, 5, 4, 2], kernel: [3, 3, 2, 3], attrs: options(1, 'same') },
  { title: 'same, even kernel pads at the end', x: [1, 4, 5, 2], kernel: [2, 4, 2, 1], attrs: options(1, 'same') },
  { title: 'one by one kernel', x: [1, 3, 3, 4], kernel: [1, 1, 4, 5], attrs: options() },
  { title: 'one by one kernel, stride 2', x: [1, 5, 4, 2], kernel: [1, 1, 2, 3], attrs: options(2) },
  { title: 'stride 2, valid', x: [1, 6, 7, 2], kernel: [3, 3, 2, 2], attrs: options(2) },
  { title: 'stride 2, same', x: [2, 5, 6, 1], kernel: [3, 3, 1, 2], attrs: options(2, 'same') },
  { title: 'strides differ, same', x: [1, 7, 5, 1], kernel: [3, 2, 1, 3], attrs: options([3, 2], 'same') },
  { title: 'stride over the kernel size', x: [1, 7, 7, 1], kernel: [2, 2, 1, 2], attrs: options(3) },
  { title: 'dilation 2, valid', x: [1, 6, 7, 2], kernel: [2, 3, 2, 2], attrs: options(1, 'valid', 2) },
  { title: 'dilation 2, same', x: [1, 5, 5, 2], kernel: [3, 3, 2, 2], attrs: options(1, 'same', 2) },
  { title: 'dilation along the height only', x: [1, 6, 4, 1], kernel: [3, 2, 1, 2], attrs: options(1, 'same', [2, 1]) },
  { title: 'kernel larger than the image, same', x: [1, 2, 1, 2], kernel: [5, 5, 2, 1], attrs: options(1, 'same') },
  { title: 'over a tile in channels and filters', x: [1, 2, 3, 17], kernel: [2, 2, 17, 9], attrs: options(1, 'same') },
  // From 16 images on the input gradient walks the batch first.
  { title: 'many images, stride 2', x: [17, 3, 4, 1], kernel: [2, 2, 1, 2], attrs: options(2) },
  { title: 'side by side', x: [3, 2, 4, 3, 2], kernel: [3, 2, 2, 2, 3], attrs: options(1, 'same') },
  { title: 'side by side, stride 2', x: [2, 1, 5, 6, 1], kernel: [2, 3, 2, 1, 2], attrs: options(2) },
  { title: 'side by side, dilation 2', x: [2, 2, 4, 5, 2], kernel: [2, 2, 2, 2, 1], attrs: options(1, 'same', 2) },
];

export const convSamples: readonly Sample<WindowAttrs>[] = CASES.map(outputSample);
export const inputGradSamples: readonly Sample<InputGradAttrs>[] = CASES.map(inputGradSample);
export const weightGradSamples: readonly Sample<WeightGradAttrs>[] = CASES.map(weightGradSample);

const BENCH: ConvCase = { title: 'bench', x: [16, 28, 28, 32], kernel: [3, 3, 32, 64], attrs: options(1, 'same') };

export const convBench = {
  output: outputSample(BENCH),
  inputGrad: inputGradSample(BENCH),
  weightGrad: weightGradSample(BENCH),
};

function outputSample({ title, x, kernel, attrs }: ConvCase): Sample<WindowAttrs> {
  return { title, inputs: [{ shape: x }, { shape: kernel }], attrs };
}

function inputGradSample({ title, x, kernel, attrs }: ConvCase): Sample<InputGradAttrs> {
  return { title, inputs: [outputOf(x, kernel, attrs), { shape: kernel }], attrs: { ...attrs, inputShape: x } };
}

function weightGradSample({ title, x, kernel, attrs }: ConvCase): Sample<WeightGradAttrs> {
  return { title, inputs: [{ shape: x }, outputOf(x, kernel, attrs)], attrs: { ...attrs, kernelShape: kernel } };
}

function outputOf(x: Shape, kernel: Shape, attrs: WindowAttrs): SampleInput {
  return { shape: inferOutput('conv2d', { shape: x, dtype: 'f32' }, { shape: kernel, dtype: 'f32' }, attrs).y.shape };
}

function reject(title: string, x: Shape, kernel: Shape, message: RegExp, attrs = options()): Reject<WindowAttrs> {
  return { title, inputs: [{ shape: x }, { shape: kernel }], attrs, message };
}

export const convRejects: readonly Reject<WindowAttrs>[] = [
  reject('images without channels', [4, 5, 5], [3, 3, 1, 2], /^conv2d: x needs 4 axes \[N,H,W,C\], got f32\[4,5,5\]/),
  reject(
    'fewer kernels than images side by side',
    [3, 1, 5, 5, 2],
    [2, 3, 3, 2, 4],
    /^conv2d: 3 images side by side \[3,1,5,5,2\] need as many kernels, found \[2,3,3,2,4\]/,
  ),
  reject('kernel of rank 2', [1, 5, 5, 1], [3, 3], /^conv2d: kernel needs 4 axes \[KH,KW,C,F\], got f32\[3,3\]/),
  reject(
    'channels differ',
    [1, 5, 5, 3],
    [3, 3, 4, 8],
    /^conv2d: channels differ: images \[1,5,5,3\] have 3, kernel \[3,3,4,8\] takes 4; .* is \[3,3,3,8\]$/,
  ),
  reject(
    'kernel larger than the image',
    [1, 4, 5, 1],
    [5, 5, 1, 1],
    /^conv2d: a window of height 5 does not fit into the image \[1,4,5,1\], which has 4; use padding: 'same' or .* at most 4/,
  ),
  reject(
    'dilated kernel larger than the image',
    [1, 5, 5, 1],
    [2, 3, 1, 1],
    /window of width 3 \(7 with dilation 3\) .* at most 2$/,
    options(1, 'valid', 3),
  ),
  reject('stride and dilation', [1, 9, 9, 1], [3, 3, 1, 1], /cannot both exceed 1/, options(2, 'same', 2)),
  reject('stride 0', [1, 9, 9, 1], [3, 3, 1, 1], /^conv2d: strides must be .* whole number ≥ 1 .* \[0,0\]/, options(0)),
  reject('padding by another name', [1, 9, 9, 1], [3, 3, 1, 1], /padding must be 'same' or 'valid', got "full"/, {
    ...options(),
    padding: 'full' as Padding,
  }),
  {
    title: 'integer images',
    inputs: [{ shape: [1, 3, 3, 1], dtype: 'u32', values: { below: 255 } }, { shape: [3, 3, 1, 1] }],
    attrs: options(),
    message: /^conv2d: x must be f32, got u32\[1,3,3,1\]; convert it with cast\(x, 'f32'\)/,
  },
];

export const inputGradRejects: readonly Reject<InputGradAttrs>[] = [
  {
    title: 'dy of another convolution',
    inputs: [{ shape: [1, 3, 3, 2] }, { shape: [3, 3, 1, 2] }],
    attrs: { ...options(), inputShape: [1, 6, 5, 1] },
    message:
      /^conv2dInputGrad: dy is \[1,3,3,2\], but conv2d of \[1,6,5,1\] with kernel \[3,3,1,2\] gives \[1,4,3,2\]$/,
  },
  {
    title: 'input shape of rank 3',
    inputs: [{ shape: [1, 3, 3, 2] }, { shape: [3, 3, 1, 2] }],
    attrs: { ...options(), inputShape: [5, 5, 1] },
    message: /^conv2dInputGrad: inputShape needs 4 axes \[N,H,W,C\]/,
  },
];

export const weightGradRejects: readonly Reject<WeightGradAttrs>[] = [
  {
    title: 'dy of another convolution',
    inputs: [{ shape: [1, 5, 5, 1] }, { shape: [1, 3, 3, 4] }],
    attrs: { ...options(), kernelShape: [3, 3, 1, 2] },
    message:
      /^conv2dWeightGrad: dy is \[1,3,3,4\], but conv2d of \[1,5,5,1\] with kernel \[3,3,1,2\] gives \[1,3,3,2\]$/,
  },
  {
    title: 'no kernel shape',
    inputs: [{ shape: [1, 5, 5, 1] }, { shape: [1, 3, 3, 4] }],
    attrs: options() as WeightGradAttrs,
    message: /^conv2dWeightGrad: option kernelShape \[KH,KW,C,F\] is missing/,
  },
];
