/**
 * Average over windows and its gradient. A window that leaves the image averages what is on it (Keras and TensorFlow
 * exclude padding from the count).
 *
 * Invariant: averagePool2d is linear and averagePool2dGrad its adjoint, so each is the gradient of the other.
 * Source: Keras AveragePooling2D, TensorFlow AvgPoolGrad.
 */

import { defineOp, type Op } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Shape } from '../../util/shape.ts';
import { sizeOf } from '../../util/shape.ts';
import { type AxisGeometry, forEachTap, type WindowGeometry } from '../convolution/conv-geometry.ts';
import {
  forTaps,
  forWindows,
  isPadded,
  mostWindows,
  pixelIndex,
  splitPixel,
  splitWindow,
  windowIndex,
} from '../convolution/window-wgsl.ts';
import { inDouble } from '../in-double.ts';
import { termSum } from '../reduction/term-sum.ts';
import {
  averagePoolBench,
  averagePoolGradRejects,
  averagePoolGradSamples,
  averagePoolRejects,
  averagePoolSamples,
} from './pool-samples.ts';
import {
  type PoolAttrs,
  type PoolGradAttrs,
  type PoolOptions,
  poolAttrs,
  pooledShape,
  poolWindows,
  poolWindowsOfShape,
  requirePooled,
} from './pool-shapes.ts';

type AveragePool2d = (x: Tensor, options: PoolOptions) => Tensor;
type AveragePool2dGrad = (dy: Tensor, options: PoolOptions & { readonly inputShape: Shape }) => Tensor;

const tolerance = {
  relative: 1e-5,
  source: 'a sum of a window, no more than 128 in a row, and one division of 2.5 ulp (WGSL)',
};

/**
 * Mean of each window of images [N,H,W,C] → [N,OH,OW,C], f32; padding is not counted.
 * @throws DownhillError `shape`, `argument` or `dtype`.
 */
export const averagePool2d: AveragePool2d & Op<PoolAttrs> = defineOp<PoolAttrs, AveragePool2d>(
  {
    name: 'averagePool2d',
    doc:
      'Mean of each window of images [N,H,W,C] → [N,OH,OW,C]; padding is not counted. Options as in Keras: poolSize, ' +
      'strides (poolSize when left out), padding `valid` or `same`.',
    infer: ([x], attrs) => ({ shape: pooledShape(poolWindows('averagePool2d', x, attrs)), dtype: 'f32' }),
    cpu: inDouble(([x], output, attrs) => {
      const windows = poolWindows('averagePool2d', x, attrs);
      const { channels: C } = windows;
      const counts = tapCounts(windows);
      forEachTap(windows, (pixel, window) => {
        for (let c = 0; c < C; c++) output.data[window * C + c] += x.data[pixel * C + c];
      });
      for (let o = 0; o < output.data.length; o++) output.data[o] /= counts[Math.floor(o / C)];
    }),
    vjp: (dy, [x], _output, attrs) => [averagePool2dGrad(dy, { ...attrs, inputShape: x.shape })],
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, inputs: [x], attrs, load, use }) {
        const windows = poolWindows('averagePool2d', x, attrs);
        const terms = termSum(sizeOf(attrs.poolSize), use);
        return `
          ${splitWindow(i, windows)}
          ${terms.begin}
          ${forTaps(windows, terms.add(load(0, pixelIndex(windows, 'ty', 'tx'))))}
          return (${terms.value}) / ${tapCountWgsl(windows)};`;
      },
    },
    samples: averagePoolSamples,
    rejects: averagePoolRejects,
    tolerance,
    bench: { flops: ([x]) => sizeOf(x.shape), sample: averagePoolBench.pool },
  },
  (apply) => (x, options) => apply([x], poolAttrs('averagePool2d', options)),
);

/**
 * Gradient of averagePool2d: dy [N,OH,OW,C] → `inputShape` [N,H,W,C]; each window spreads its dy evenly.
 * @throws DownhillError `shape`, `argument` or `dtype`.
 */
export const averagePool2dGrad: AveragePool2dGrad & Op<PoolGradAttrs> = defineOp<PoolGradAttrs, AveragePool2dGrad>(
  {
    name: 'averagePool2dGrad',
    doc:
      'Gradient of averagePool2d: dy [N,OH,OW,C] → inputShape [N,H,W,C]; each window spreads its dy evenly over the ' +
      'elements that it averaged. Options as for averagePool2d.',
    infer([dy], attrs) {
      const windows = poolWindowsOfShape('averagePool2dGrad', attrs.inputShape, attrs);
      requirePooled('averagePool2dGrad', dy, attrs.inputShape, windows);
      return { shape: attrs.inputShape, dtype: 'f32' };
    },
    cpu: inDouble(([dy], dx, attrs) => {
      const windows = poolWindowsOfShape('averagePool2dGrad', attrs.inputShape, attrs);
      const { channels: C } = windows;
      const counts = tapCounts(windows);
      forEachTap(windows, (pixel, window) => {
        for (let c = 0; c < C; c++) dx.data[pixel * C + c] += dy.data[window * C + c] / counts[window];
      });
    }),
    vjp: (g, _inputs, _output, { inputShape, ...window }) => [averagePool2d(g, window)],
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, attrs, load, use }) {
        const windows = poolWindowsOfShape('averagePool2dGrad', attrs.inputShape, attrs);
        const terms = termSum(mostWindows(windows), use);
        return `
          ${splitPixel(i, windows)}
          ${terms.begin}
          ${forWindows(windows, terms.add(`${load(0, windowIndex(windows))} / ${tapCountWgsl(windows)}`))}
          return ${terms.value};`;
      },
    },
    samples: averagePoolGradSamples,
    rejects: averagePoolGradRejects,
    tolerance,
    bench: {
      flops: ([dy], _output, attrs) => sizeOf(dy.shape) * sizeOf(attrs.poolSize),
      sample: averagePoolBench.grad,
    },
  },
  (apply) => (dy, options) =>
    apply([dy], { ...poolAttrs('averagePool2dGrad', options, ['inputShape']), inputShape: options.inputShape }),
);

/** How many taps of each window [N,OH,OW] are on the image. */
function tapCounts(windows: WindowGeometry): Uint32Array {
  const counts = new Uint32Array(windows.batch * windows.height.output * windows.width.output);
  forEachTap(windows, (_pixel, window) => {
    counts[window]++;
  });
  return counts;
}

/** How many taps of window (oh, ow) are on the image, as an f32 expression. */
function tapCountWgsl({ height, width }: WindowGeometry): string {
  const along = (o: string, axis: AxisGeometry): string => {
    if (!isPadded(axis)) return `${axis.window}`;
    const start = `${o} * ${axis.stride} - ${axis.before}`;
    return `(min(${axis.input}, ${start} + ${axis.window}) - max(0, ${start}))`;
  };
  return `f32(${along('oh', height)} * ${along('ow', width)})`;
}
