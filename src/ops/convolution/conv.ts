/**
 * Two-dimensional convolution and its two gradients: NHWC images, HWIO kernels, Keras' `strides`, `padding` and
 * `dilation`.
 *
 * A leading axis of images and kernels, [G,…] both, makes G convolutions at once, as matmul has batches: grouped
 * convolution is made of it (conv-forms.ts).
 * Invariant: y = conv2d(x, k), dx = conv2dInputGrad(dy, k) and dk = conv2dWeightGrad(x, dy) are the three faces of one
 * trilinear form Σ dy·x·k, so the gradient of each is the other two, and derivatives of any order stay inside the set.
 * Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (2016), chapters 2 and 4.
 */

import type { CpuData } from '../../core/dtype.ts';
import { type CpuTensor, defineOp, type Op } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Shape } from '../../util/shape.ts';
import { inDouble } from '../in-double.ts';
import { inputGradContraction, outputContraction, weightGradContraction } from './conv-contraction.ts';
import { type Conv2dOptions, forEachTap, type WindowAttrs, windowAttrs } from './conv-geometry.ts';
import {
  convBench,
  convRejects,
  convSamples,
  inputGradRejects,
  inputGradSamples,
  weightGradRejects,
  weightGradSamples,
} from './conv-samples.ts';
import {
  type InputGradAttrs,
  inferInputGrad,
  inferOutput,
  inferWeightGrad,
  type WeightGradAttrs,
} from './conv-shapes.ts';

type Conv2d = (x: Tensor, kernel: Tensor, options?: Conv2dOptions) => Tensor;
type Conv2dInputGrad = (dy: Tensor, kernel: Tensor, options: Conv2dOptions & { readonly inputShape: Shape }) => Tensor;
type Conv2dWeightGrad = (x: Tensor, dy: Tensor, options: Conv2dOptions & { readonly kernelShape: Shape }) => Tensor;

const tolerance = {
  relative: 1e-4,
  source:
    'products added in f32 in another order, at most 2048 in a row: |error| ≤ 2048·2⁻²⁴·Σ|aₖbₖ| (Higham, section 3.1)',
};

/**
 * Convolution of images [N,H,W,C] with a kernel [KH,KW,C,F] → [N,OH,OW,F], f32.
 * @throws DownhillError `shape` for wrong ranks, channels that differ or a kernel larger than an unpadded image;
 * `argument` for options that are not accepted; `dtype` unless both are f32.
 */
export const conv2d: Conv2d & Op<WindowAttrs> = defineOp<WindowAttrs, Conv2d>(
  {
    name: 'conv2d',
    doc:
      'Convolution (cross-correlation, as in every deep learning library) of images [N,H,W,C] with a kernel [KH,KW,C,F] ' +
      '→ [N,OH,OW,F]. Options as in Keras: strides, padding `valid` or `same` (odd padding at the end), dilation. With a ' +
      'leading axis G on both, G convolutions at once; so for the gradients.',
    infer: ([x, kernel], attrs) => inferOutput('conv2d', x, kernel, attrs).y,

    cpu: inDouble(([x, kernel], y, attrs) => {
      const { windows, groups, channels: C, filters: F } = inferOutput('conv2d', x, kernel, attrs);
      forEachGroup(groups, [x, kernel, y], ([xs, ks, ys]) =>
        forEachTap(windows, (pixel, window, tap) => {
          for (let c = 0; c < C; c++) {
            const value = xs[pixel * C + c];
            const row = (tap * C + c) * F;
            for (let f = 0; f < F; f++) ys[window * F + f] += value * ks[row + f];
          }
        }),
      );
    }),

    vjp: (dy, [x, kernel], _output, attrs) => [
      conv2dInputGrad(dy, kernel, { ...attrs, inputShape: x.shape }),
      conv2dWeightGrad(x, dy, { ...attrs, kernelShape: kernel.shape }),
    ],

    lower: {
      kind: 'contract',
      contraction: ([x, kernel], _output, attrs) => outputContraction(inferOutput('conv2d', x, kernel, attrs)),
    },
    samples: convSamples,
    rejects: convRejects,
    tolerance,
    bench: {
      flops: ([x, kernel], _output, attrs) => inferOutput('conv2d', x, kernel, attrs).flops,
      sample: convBench.output,
    },
  },
  (apply) => (x, kernel, options) => apply([x, kernel], windowAttrs('conv2d', options)),
);

/**
 * Gradient of conv2d with respect to its images: dy [N,OH,OW,F] and the kernel [KH,KW,C,F] → `inputShape` [N,H,W,C].
 * It is also the "transposed convolution" of dy.
 * @throws DownhillError as conv2d does, and `shape` when dy is not what conv2d gives for `inputShape`.
 */
export const conv2dInputGrad: Conv2dInputGrad & Op<InputGradAttrs> = defineOp<InputGradAttrs, Conv2dInputGrad>(
  {
    name: 'conv2dInputGrad',
    doc:
      'Gradient of conv2d with respect to its images, also known as transposed convolution: dy [N,OH,OW,F] and a kernel ' +
      '[KH,KW,C,F] → inputShape [N,H,W,C]. Options as for conv2d.',
    infer: ([dy, kernel], attrs) => inferInputGrad(dy, kernel, attrs).x,

    cpu: inDouble(([dy, kernel], dx, attrs) => {
      const { windows, groups, channels: C, filters: F } = inferInputGrad(dy, kernel, attrs);
      forEachGroup(groups, [dy, kernel, dx], ([dys, ks, dxs]) =>
        forEachTap(windows, (pixel, window, tap) => {
          for (let c = 0; c < C; c++) {
            const row = (tap * C + c) * F;
            let sum = 0;
            for (let f = 0; f < F; f++) sum += dys[window * F + f] * ks[row + f];
            dxs[pixel * C + c] += sum;
          }
        }),
      );
    }),

    vjp: (g, [dy, kernel], _output, { inputShape, ...window }) => [
      conv2d(g, kernel, window),
      conv2dWeightGrad(g, dy, { ...window, kernelShape: kernel.shape }),
    ],

    lower: {
      kind: 'contract',
      contraction: ([dy, kernel], _output, attrs) => inputGradContraction(inferInputGrad(dy, kernel, attrs)),
    },
    samples: inputGradSamples,
    rejects: inputGradRejects,
    tolerance,
    bench: {
      flops: ([dy, kernel], _output, attrs) => inferInputGrad(dy, kernel, attrs).flops,
      sample: convBench.inputGrad,
    },
  },
  (apply) => (dy, kernel, options) =>
    apply([dy, kernel], { ...windowAttrs('conv2dInputGrad', options, ['inputShape']), inputShape: options.inputShape }),
);

/**
 * Gradient of conv2d with respect to its kernel: images [N,H,W,C] and dy [N,OH,OW,F] → `kernelShape` [KH,KW,C,F].
 * @throws DownhillError as conv2d does, and `shape` when dy is not what conv2d gives for `kernelShape`.
 */
export const conv2dWeightGrad: Conv2dWeightGrad & Op<WeightGradAttrs> = defineOp<WeightGradAttrs, Conv2dWeightGrad>(
  {
    name: 'conv2dWeightGrad',
    doc:
      'Gradient of conv2d with respect to its kernel: images [N,H,W,C] and dy [N,OH,OW,F] → kernelShape [KH,KW,C,F]. ' +
      'Options as for conv2d.',
    infer: ([x, dy], attrs) => inferWeightGrad(x, dy, attrs).kernel,

    cpu: inDouble(([x, dy], dk, attrs) => {
      const { windows, groups, channels: C, filters: F } = inferWeightGrad(x, dy, attrs);
      forEachGroup(groups, [x, dy, dk], ([xs, dys, dks]) =>
        forEachTap(windows, (pixel, window, tap) => {
          for (let c = 0; c < C; c++) {
            const value = xs[pixel * C + c];
            const row = (tap * C + c) * F;
            for (let f = 0; f < F; f++) dks[row + f] += value * dys[window * F + f];
          }
        }),
      );
    }),

    vjp: (g, [x, dy], _output, { kernelShape, ...window }) => [
      conv2dInputGrad(dy, g, { ...window, inputShape: x.shape }),
      conv2d(x, g, window),
    ],

    lower: {
      kind: 'contract',
      contraction: ([x, dy], _output, attrs) => weightGradContraction(inferWeightGrad(x, dy, attrs)),
    },
    samples: weightGradSamples,
    rejects: weightGradRejects,
    tolerance,
    bench: {
      flops: ([x, dy], _output, attrs) => inferWeightGrad(x, dy, attrs).flops,
      sample: convBench.weightGrad,
    },
  },
  (apply) => (x, dy, options) =>
    apply([x, dy], { ...windowAttrs('conv2dWeightGrad', options, ['kernelShape']), kernelShape: options.kernelShape }),
);

/** The records of this family, for `ops/index.ts`. */
export const convOps: readonly Op[] = [conv2d, conv2dInputGrad, conv2dWeightGrad];

/** Runs `visit` on the data of each of the `groups` convolutions that are stored side by side in `tensors`. */
function forEachGroup(groups: number, tensors: readonly CpuTensor[], visit: (data: readonly CpuData[]) => void): void {
  for (let g = 0; g < groups; g++) {
    const part = ({ data }: CpuTensor): CpuData => {
      const size = data.length / groups;
      return data.subarray(g * size, (g + 1) * size);
    };
    visit(tensors.map(part));
  }
}
