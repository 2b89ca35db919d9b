/**
 * Depthwise convolution and its two gradients: every channel is filtered by itself, with M filters each.
 *
 * A kernel is [KH,KW,C,M], for all images, or [N,KH,KW,C,M], one for each image. The weight gradient is made per image,
 * so that it has N times the threads and short sums; the gradient of a common kernel is its sum.
 * Invariant: with that, the three are the faces of one trilinear form, and derivatives of any order stay inside the
 * set.
 * Source: Chollet, "Xception" (2017); Keras 3 DepthwiseConv2D for the order of the output channels, c · M + m.
 */

import { defineOp, type Op } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Shape } from '../../util/shape.ts';
import { sizeOf } from '../../util/shape.ts';
import { inDouble } from '../in-double.ts';
import { sum } from '../reduction/reduce.ts';
import { termSum } from '../reduction/term-sum.ts';
import { type Conv2dOptions, forEachTap, type Pair, type WindowAttrs, windowAttrs } from './conv-geometry.ts';
import {
  depthwiseBench,
  depthwiseInputGradRejects,
  depthwiseInputGradSamples,
  depthwiseRejects,
  depthwiseSamples,
  depthwiseWeightGradRejects,
  depthwiseWeightGradSamples,
} from './depthwise-samples.ts';
import {
  type DepthwiseInputGradAttrs,
  type DepthwiseWeightGradAttrs,
  inferDepthwise,
  inferDepthwiseInputGrad,
  inferDepthwiseWeightGrad,
} from './depthwise-shapes.ts';
import {
  forTaps,
  isNoWindow,
  isOutside,
  isPadded,
  mostWindows,
  pixelIndex,
  position,
  splitPixel,
} from './window-wgsl.ts';

type Depthwise = (x: Tensor, kernel: Tensor, options?: Conv2dOptions) => Tensor;
type DepthwiseInputGrad = (
  dy: Tensor,
  kernel: Tensor,
  options: Conv2dOptions & { readonly inputShape: Shape },
) => Tensor;
type DepthwiseWeightGrad = (x: Tensor, dy: Tensor, options: Conv2dOptions & { readonly kernelSize: Pair }) => Tensor;

const tolerance = {
  relative: 1e-5,
  source: 'a sum of products of order 1 in f32, in runs or line by line: no more than 256 in a row',
};

/**
 * Depthwise convolution of images [N,H,W,C] with a kernel [KH,KW,C,M] → [N,OH,OW,C·M], f32.
 * @throws DownhillError `shape`, `argument` or `dtype`, as conv2d does.
 */
export const depthwiseConv2d: Depthwise & Op<WindowAttrs> = defineOp<WindowAttrs, Depthwise>(
  {
    name: 'depthwiseConv2d',
    doc:
      'Each channel of images [N,H,W,C] convolved by itself with the M filters of a kernel [KH,KW,C,M] → [N,OH,OW,C·M]. ' +
      'A kernel [N,KH,KW,C,M] has one for each image. Options as for conv2d.',
    infer: ([x, kernel], attrs) => inferDepthwise('depthwiseConv2d', x, kernel, attrs).y,
    cpu: inDouble(([x, kernel], y, attrs) => {
      const { windows, perImage, outputs: F, multiplier: M } = inferDepthwise('depthwiseConv2d', x, kernel, attrs);
      const { channels: C, height, width } = windows;
      const [pixels, kernelSize] = [height.output * width.output, height.window * width.window * F];
      forEachTap(windows, (pixel, window, tap) => {
        const from = (perImage ? Math.floor(window / pixels) * kernelSize : 0) + tap * F;
        for (let f = 0; f < F; f++) {
          y.data[window * F + f] += x.data[pixel * C + Math.floor(f / M)] * kernel.data[from + f];
        }
      });
    }),
    vjp(dy, [x, kernel], _output, attrs) {
      const { perImage, kernelSize } = inferDepthwise('depthwiseConv2d', x, kernel, attrs);
      const each = depthwiseConv2dWeightGrad(x, dy, { ...attrs, kernelSize });
      return [
        depthwiseConv2dInputGrad(dy, kernel, { ...attrs, inputShape: x.shape }),
        perImage ? each : sum(each, { axes: 0 }),
      ];
    },
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, inputs: [x, kernel], attrs, load, use }) {
        const { windows, perImage, outputs: F, multiplier: M } = inferDepthwise('depthwiseConv2d', x, kernel, attrs);
        const { height, width } = windows;
        const taps = height.window * width.window;
        const terms = termSum(taps, use);
        return `
          let f = ${i} % ${F}u;
          let c = f / ${M}u;
          let at = ${i} / ${F}u;
          let ow = i32(at % ${width.output}u);
          let oh = i32(at / ${width.output}u % ${height.output}u);
          let image = i32(at / ${height.output * width.output}u);
          ${terms.begin}
          ${forTaps(
            windows,
            `let tap = ${perImage ? `image * ${taps} + ` : ''}kh * ${width.window} + kw;
             ${terms.add(`${load(0, pixelIndex(windows, 'ty', 'tx'))} * ${load(1, `u32(tap * ${F}) + f`)}`)}`,
          )}
          return ${terms.value};`;
      },
    },
    samples: depthwiseSamples,
    rejects: depthwiseRejects,
    tolerance,
    bench: {
      flops: ([, kernel], y) => (2 * sizeOf(y.shape) * sizeOf(kernel.shape.slice(-4))) / y.shape[3],
      sample: depthwiseBench.output,
    },
  },
  (apply) => (x, kernel, options) => apply([x, kernel], windowAttrs('depthwiseConv2d', options)),
);

/**
 * Gradient of depthwiseConv2d with respect to its images: dy [N,OH,OW,C·M] and the kernel → `inputShape` [N,H,W,C].
 * @throws DownhillError as depthwiseConv2d does, and `shape` when dy is not what it gives.
 */
export const depthwiseConv2dInputGrad: DepthwiseInputGrad & Op<DepthwiseInputGradAttrs> = defineOp<
  DepthwiseInputGradAttrs,
  DepthwiseInputGrad
>(
  {
    name: 'depthwiseConv2dInputGrad',
    doc:
      'Gradient of depthwiseConv2d with respect to its images: dy [N,OH,OW,C·M] and a kernel [KH,KW,C,M] (or one for each ' +
      'image) → inputShape [N,H,W,C]. Options as for conv2d.',
    infer: ([dy, kernel], attrs) => inferDepthwiseInputGrad(dy, kernel, attrs).x,
    cpu: inDouble(([dy, kernel], dx, attrs) => {
      const { windows, perImage, outputs: F, multiplier: M } = inferDepthwiseInputGrad(dy, kernel, attrs);
      const { channels: C, height, width } = windows;
      const [pixels, kernelSize] = [height.output * width.output, height.window * width.window * F];
      forEachTap(windows, (pixel, window, tap) => {
        const from = (perImage ? Math.floor(window / pixels) * kernelSize : 0) + tap * F;
        for (let f = 0; f < F; f++) {
          dx.data[pixel * C + Math.floor(f / M)] += dy.data[window * F + f] * kernel.data[from + f];
        }
      });
    }),
    vjp(g, [dy, kernel], _output, { inputShape, ...window }) {
      const { perImage, kernelSize } = inferDepthwiseInputGrad(dy, kernel, { inputShape, ...window });
      const each = depthwiseConv2dWeightGrad(g, dy, { ...window, kernelSize });
      return [depthwiseConv2d(g, kernel, window), perImage ? each : sum(each, { axes: 0 })];
    },
    lower: {
      kind: 'index',
      cost: 'materialize',
      // y and x are the window's position times the stride.
      wgsl({ i, inputs: [dy, kernel], attrs, load, use }) {
        const { windows, perImage, outputs: F, multiplier: M } = inferDepthwiseInputGrad(dy, kernel, attrs);
        const { height, width } = windows;
        const terms = termSum(mostWindows(windows) * M, use);
        const term = (m: string): string =>
          terms.add(`${load(0, `u32(window * ${F}) + ${m}`)} * ${load(1, `u32(tap * ${F}) + ${m}`)}`);
        return `
          ${splitPixel(i, windows)}
          ${terms.begin}
          for (var kh = 0; kh < ${height.window}; kh++) {
            let y = ih + ${height.before} - kh * ${height.dilation};
            if (${isNoWindow('y', height)}) { continue; }
            for (var kw = 0; kw < ${width.window}; kw++) {
              let x = iw + ${width.before} - kw * ${width.dilation};
              if (${isNoWindow('x', width)}) { continue; }
              let window = (image * ${height.output} + y / ${height.stride}) * ${width.output} + x / ${width.stride};
              let tap = ${perImage ? `image * ${height.window * width.window} + ` : ''}kh * ${width.window} + kw;
              ${M === 1 ? term('c') : `for (var m = c * ${M}u; m < (c + 1u) * ${M}u; m++) { ${term('m')} }`}
            }
          }
          return ${terms.value};`;
      },
    },
    samples: depthwiseInputGradSamples,
    rejects: depthwiseInputGradRejects,
    tolerance,
    bench: {
      flops: ([dy, kernel]) => (2 * sizeOf(dy.shape) * sizeOf(kernel.shape.slice(-4))) / dy.shape[3],
      sample: depthwiseBench.inputGrad,
    },
  },
  (apply) => (dy, kernel, options) =>
    apply([dy, kernel], {
      ...windowAttrs('depthwiseConv2dInputGrad', options, ['inputShape']),
      inputShape: options.inputShape,
    }),
);

/**
 * Gradient of depthwiseConv2d with respect to a kernel for each image: images [N,H,W,C] and dy [N,OH,OW,C·M] →
 * [N,KH,KW,C,M]. Its sum over the images is the gradient of a common kernel.
 * @throws DownhillError as depthwiseConv2d does, and `shape` when dy is not what it gives.
 */
export const depthwiseConv2dWeightGrad: DepthwiseWeightGrad & Op<DepthwiseWeightGradAttrs> = defineOp<
  DepthwiseWeightGradAttrs,
  DepthwiseWeightGrad
>(
  {
    name: 'depthwiseConv2dWeightGrad',
    doc:
      'Gradient of depthwiseConv2d with respect to its kernel, image by image: images [N,H,W,C] and dy [N,OH,OW,C·M] → ' +
      '[N,KH,KW,C,M]; a common kernel has their sum. Options kernelSize and those of conv2d.',
    infer: ([x, dy], attrs) => inferDepthwiseWeightGrad(x, dy, attrs).kernel,
    cpu: inDouble(([x, dy], dk, attrs) => {
      const { windows, outputs: F, multiplier: M } = inferDepthwiseWeightGrad(x, dy, attrs);
      const { channels: C, height, width } = windows;
      const [pixels, taps] = [height.output * width.output, height.window * width.window];
      forEachTap(windows, (pixel, window, tap) => {
        const to = (Math.floor(window / pixels) * taps + tap) * F;
        for (let f = 0; f < F; f++) {
          dk.data[to + f] += x.data[pixel * C + Math.floor(f / M)] * dy.data[window * F + f];
        }
      });
    }),
    vjp: (g, [x, dy], _output, { kernelSize: _, ...window }) => [
      depthwiseConv2dInputGrad(dy, g, { ...window, inputShape: x.shape }),
      depthwiseConv2d(x, g, window),
    ],
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, inputs: [x, dy], attrs, load, use }) {
        const { windows, outputs: F, multiplier: M } = inferDepthwiseWeightGrad(x, dy, attrs);
        const { height, width } = windows;
        // Lines have sums of their own; where they are long or many, runs have.
        const byLine = Math.max(height.output, width.output) <= 256;
        const terms = termSum(byLine ? 1 : height.output * width.output, use);
        const product = `${load(0, pixelIndex(windows, 'ty', 'tx'))} * ${load(1, `u32(window * ${F}) + f`)}`;
        return `
          let f = ${i} % ${F}u;
          let c = f / ${M}u;
          let at = ${i} / ${F}u;
          let kw = i32(at % ${width.window}u);
          let kh = i32(at / ${width.window}u % ${height.window}u);
          let image = i32(at / ${height.window * width.window}u);
          ${terms.begin}
          for (var oh = 0; oh < ${height.output}; oh++) {
            let ty = ${position('oh', 'kh', height)};
            ${isPadded(height) ? `if (${isOutside('ty', height)}) { continue; }` : ''}
            ${byLine ? 'var line = 0.0;' : ''}
            for (var ow = 0; ow < ${width.output}; ow++) {
              let tx = ${position('ow', 'kw', width)};
              ${isPadded(width) ? `if (${isOutside('tx', width)}) { continue; }` : ''}
              let window = (image * ${height.output} + oh) * ${width.output} + ow;
              ${byLine ? `line += ${product};` : terms.add(product)}
            }
            ${byLine ? 'sum += line;' : ''}
          }
          return ${terms.value};`;
      },
    },
    samples: depthwiseWeightGradSamples,
    rejects: depthwiseWeightGradRejects,
    tolerance,
    bench: {
      flops: ([, dy], _output, { kernelSize }) => 2 * sizeOf(dy.shape) * sizeOf(kernelSize),
      sample: depthwiseBench.weightGrad,
    },
  },
  (apply) => (x, dy, options) => {
    const { kernelSize, ...window } = options;
    return apply([x, dy], {
      ...windowAttrs('depthwiseConv2dWeightGrad', window),
      kernelSize: typeof kernelSize === 'number' ? [kernelSize, kernelSize] : kernelSize,
    });
  },
);

/** The records of this family, for `ops/index.ts`. */
export const depthwiseOps: readonly Op[] = [depthwiseConv2d, depthwiseConv2dInputGrad, depthwiseConv2dWeightGrad];
