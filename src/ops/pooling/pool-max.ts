/**
 * Maximum over windows, its gradient, and the gradient of that.
 *
 * Invariant: one element represents each window, the first of its maxima in row-major order, where NaN is above all
 * numbers. maxPool2d reads it, maxPool2dGrad sends dy to it, maxPool2dPick reads another tensor there; the last two are
 * adjoint, so derivatives of any order stay inside the set. The gradient gathers (each pixel asks the windows that
 * cover it), so there are no atomics. The kernels compare integer keys: a WGSL compiler may assume that no float is
 * NaN.
 * Source: Keras MaxPooling2D; gradient as in TensorFlow's MaxPoolGrad (the first maximum takes it all).
 */

import { type CpuTensor, defineOp, type Op } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, sameShape, sizeOf } from '../../util/shape.ts';
import { forEachTap, type WindowGeometry } from '../convolution/conv-geometry.ts';
import {
  forTaps,
  forWindows,
  mostWindows,
  pixelIndex,
  splitPixel,
  splitWindow,
  windowIndex,
} from '../convolution/window-wgsl.ts';
import { inDouble } from '../in-double.ts';
import { termSum } from '../reduction/term-sum.ts';
import {
  maxPoolBench,
  maxPoolGradRejects,
  maxPoolGradSamples,
  maxPoolPickRejects,
  maxPoolPickSamples,
  maxPoolRejects,
  maxPoolSamples,
} from './pool-samples.ts';
import { type PoolAttrs, type PoolOptions, poolAttrs, pooledShape, poolWindows, requirePooled } from './pool-shapes.ts';

type MaxPool2d = (x: Tensor, options: PoolOptions) => Tensor;
type MaxPool2dOf = (x: Tensor, other: Tensor, options: PoolOptions) => Tensor;

const EXACT = { relative: 0, source: 'no arithmetic, only comparisons' };

/**
 * Largest element of each window of images [N,H,W,C] → [N,OH,OW,C], f32. NaN in a window gives NaN.
 * @throws DownhillError `shape`, `argument` or `dtype`.
 */
export const maxPool2d: MaxPool2d & Op<PoolAttrs> = defineOp<PoolAttrs, MaxPool2d>(
  {
    name: 'maxPool2d',
    doc:
      'Largest element of each window of images [N,H,W,C] → [N,OH,OW,C]; NaN in a window gives NaN. Options as in Keras: ' +
      'poolSize, strides (poolSize when left out), padding `valid` or `same`.',
    infer: ([x], attrs) => ({ shape: pooledShape(poolWindows('maxPool2d', x, attrs)), dtype: 'f32' }),
    cpu([x], output, attrs) {
      const winners = winnersOf(x, poolWindows('maxPool2d', x, attrs));
      for (let o = 0; o < winners.length; o++) output.data[o] = x.data[winners[o]];
    },
    vjp: (dy, [x], _output, attrs) => [maxPool2dGrad(x, dy, attrs)],
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, inputs: [x], attrs, load }) {
        const windows = poolWindows('maxPool2d', x, attrs);
        return `${findWinner(i, windows, load)}
          return value;`;
      },
    },
    samples: maxPoolSamples,
    rejects: maxPoolRejects,
    tolerance: EXACT,
    bench: { flops: ([x]) => sizeOf(x.shape), sample: maxPoolBench.pool },
  },
  (apply) => (x, options) => apply([x], poolAttrs('maxPool2d', options)),
);

/**
 * Gradient of maxPool2d: images x [N,H,W,C] and dy [N,OH,OW,C] → [N,H,W,C]; each window's dy goes to its first maximum.
 * @throws DownhillError `shape`, `argument` or `dtype`.
 */
export const maxPool2dGrad: MaxPool2dOf & Op<PoolAttrs> = defineOp<PoolAttrs, MaxPool2dOf>(
  {
    name: 'maxPool2dGrad',
    doc:
      'Gradient of maxPool2d: images x [N,H,W,C] and dy [N,OH,OW,C] → [N,H,W,C]; the dy of each window goes to its first ' +
      'maximum in row-major order. Options as for maxPool2d.',
    infer([x, dy], attrs) {
      requirePooled('maxPool2dGrad', dy, x.shape, poolWindows('maxPool2dGrad', x, attrs));
      return { shape: x.shape, dtype: 'f32' };
    },
    cpu: inDouble(([x, dy], dx, attrs) => {
      const winners = winnersOf(x, poolWindows('maxPool2dGrad', x, attrs));
      for (let o = 0; o < winners.length; o++) dx.data[winners[o]] += dy.data[o];
    }),
    // Which element wins does not change under a small step of x, so no gradient flows there.
    vjp: (g, [x], _output, attrs) => [null, maxPool2dPick(x, g, attrs)],
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, inputs: [x], attrs, load, use }) {
        const windows = poolWindows('maxPool2dGrad', x, attrs);
        const terms = termSum(mostWindows(windows), use);
        const tap = `
          let at = ${pixelIndex(windows, 'ty', 'tx')};
          ${orderKey('key', load(0, 'at'))}
          wins = wins & !((key > own) | ((key == own) & (at < ${i})));`;
        const window = `
          var wins = true;
          ${forTaps(windows, tap)}
          if (wins) { ${terms.add(load(1, windowIndex(windows)))} }`;
        return `
          ${splitPixel(i, windows)}
          ${orderKey('own', load(0, i))}
          ${terms.begin}
          ${forWindows(windows, window)}
          return ${terms.value};`;
      },
    },
    samples: maxPoolGradSamples,
    rejects: maxPoolGradRejects,
    tolerance: { relative: 1e-5, source: 'a sum over the windows that cover a pixel, no more than 128 in a row' },
    bench: { flops: ([x]) => sizeOf(x.shape), sample: maxPoolBench.grad },
  },
  (apply) => (x, dy, options) => apply([x, dy], poolAttrs('maxPool2dGrad', options)),
);

/**
 * The elements of `values` [N,H,W,C] at the positions that win in x [N,H,W,C] → [N,OH,OW,C]: the adjoint of
 * maxPool2dGrad in dy.
 * @throws DownhillError `shape`, `argument` or `dtype`.
 */
export const maxPool2dPick: MaxPool2dOf & Op<PoolAttrs> = defineOp<PoolAttrs, MaxPool2dOf>(
  {
    name: 'maxPool2dPick',
    doc:
      'The elements of a second tensor [N,H,W,C] at the first maximum of each window of x [N,H,W,C] → [N,OH,OW,C]: the ' +
      'second derivative of maxPool2d needs it. Options as for maxPool2d.',
    infer([x, values], attrs) {
      const windows = poolWindows('maxPool2dPick', x, attrs);
      poolWindows('maxPool2dPick', values, attrs);
      if (!sameShape(x.shape, values.shape)) {
        throw new DownhillError(
          'shape',
          `maxPool2dPick: x is ${formatShape(x.shape)}, values are ${formatShape(values.shape)}; both must be equal`,
        );
      }
      return { shape: pooledShape(windows), dtype: 'f32' };
    },
    cpu([x, values], output, attrs) {
      const winners = winnersOf(x, poolWindows('maxPool2dPick', x, attrs));
      for (let o = 0; o < winners.length; o++) output.data[o] = values.data[winners[o]];
    },
    vjp: (g, [x], _output, attrs) => [null, maxPool2dGrad(x, g, attrs)],
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, inputs: [x], attrs, load }) {
        const windows = poolWindows('maxPool2dPick', x, attrs);
        return `${findWinner(i, windows, load)}
          return ${load(1, 'winner')};`;
      },
    },
    samples: maxPoolPickSamples,
    rejects: maxPoolPickRejects,
    tolerance: EXACT,
    bench: { flops: ([x]) => sizeOf(x.shape), sample: maxPoolBench.pick },
  },
  (apply) => (x, values, options) => apply([x, values], poolAttrs('maxPool2dPick', options)),
);

/** For each window and channel, the flat index in x of the first maximum. */
function winnersOf(x: CpuTensor, windows: WindowGeometry): Int32Array {
  const { channels: C } = windows;
  const data = x.data;
  const winners = new Int32Array(sizeOf(pooledShape(windows))).fill(-1);
  forEachTap(windows, (pixel, window) => {
    for (let c = 0; c < C; c++) {
      const candidate = data[pixel * C + c];
      const best = data[winners[window * C + c]];
      // Before the first tap `best` is undefined, for which every comparison is false.
      const stays = best >= candidate || Number.isNaN(best);
      if (!stays) winners[window * C + c] = pixel * C + c;
    }
  });
  return winners;
}

/**
 * Statements that leave the first maximum of output element `i`'s window: the u32 `winner`, its flat index in x, and
 * its `value`. Without branches, which cost a software adapter more than what they skip.
 */
function findWinner(i: string, windows: WindowGeometry, load: (k: number, index: string) => string): string {
  const tap = `
    let at = ${pixelIndex(windows, 'ty', 'tx')};
    let candidate = ${load(0, 'at')};
    ${orderKey('key', 'candidate')}
    let better = key > best;
    best = select(best, key, better);
    winner = select(winner, at, better);
    value = select(value, candidate, better);`;
  return `
    ${splitWindow(i, windows)}
    var best = 0u;
    var winner = 0u;
    var value = 0.0;
    ${forTaps(windows, tap)}`;
}

/**
 * Statements that leave the u32 `name`, ordered as the float `value`: zeros are equal, NaN is above infinity, and
 * nothing is as low as 0.
 */
function orderKey(name: string, value: string): string {
  return `let ${name}_bits = bitcast<u32>(${value});
    let ${name}_size = ${name}_bits & 0x7fffffffu;
    let ${name}_number = select(0x80000000u + ${name}_size, 0x80000000u - ${name}_size, ${name}_bits > 0x80000000u);
    let ${name} = select(${name}_number, 0xffffffffu, ${name}_size > 0x7f800000u);`;
}
