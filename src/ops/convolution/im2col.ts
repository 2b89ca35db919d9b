/**
 * im2col and col2im: the windows of images as rows of a matrix, and the adjoint, which adds the rows back.
 *
 * With it conv2d is matmul(im2col(x), kernel as [KH·KW·C, F]). Training does not need it (conv2d forms the matrix
 * inside the kernel, see conv-contraction.ts); it is here for own window operations and as a candidate to time against.
 * Invariant: col2im gathers, each pixel asks the windows that cover it, so there are no atomics and the order is fixed.
 * Source: Chellapilla, Puri & Simard, "High Performance Convolutional Neural Networks for Document Processing" (2006).
 */

import { defineOp, type Op } from '../../core/op.ts';
import type { Aval, Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../../util/shape.ts';
import { requireFloat, requireRank, requireShapeOption } from '../checks.ts';
import { inDouble } from '../in-double.ts';
import { termSum } from '../reduction/term-sum.ts';
import type { Conv2dOptions } from './conv-geometry.ts';
import {
  type Col2imAttrs,
  forEachTap,
  type Im2colAttrs,
  type Pair,
  pair,
  type WindowGeometry,
  windowGeometry,
} from './conv-geometry.ts';
import { col2imRejects, col2imSamples, im2colBench, im2colRejects, im2colSamples } from './im2col-samples.ts';
import {
  isNoWindow,
  isOutside,
  isPadded,
  mostWindows,
  pixelIndex,
  position,
  splitPixel,
  tapOf,
} from './window-wgsl.ts';

export interface Im2colOptions extends Conv2dOptions {
  readonly kernelSize: Pair;
}

type Im2col = (x: Tensor, options: Im2colOptions) => Tensor;
type Col2im = (columns: Tensor, options: Im2colOptions & { readonly inputShape: Shape }) => Tensor;

/**
 * The windows of images [N,H,W,C] as rows: [N·OH·OW, KH·KW·C], zeros where a window leaves the image.
 * @throws DownhillError `shape`, `argument` or `dtype`, as conv2d does.
 */
export const im2col: Im2col & Op<Im2colAttrs> = defineOp<Im2colAttrs, Im2col>(
  {
    name: 'im2col',
    doc:
      'The windows of images [N,H,W,C] as rows of a matrix [N·OH·OW, KH·KW·C]; zeros off the image. Options as for ' +
      'conv2d, which is matmul(im2col(x), kernel reshaped to [KH·KW·C, F]).',
    infer: ([x], attrs) => ({ shape: columnsShape(geometry('im2col', x, attrs)), dtype: 'f32' }),

    cpu([x], output, attrs) {
      const windows = geometry('im2col', x, attrs);
      const { channels: C } = windows;
      const taps = windows.height.window * windows.width.window;
      forEachTap(windows, (pixel, window, tap) => {
        for (let c = 0; c < C; c++) output.data[(window * taps + tap) * C + c] = x.data[pixel * C + c];
      });
    },

    vjp: (dy, [x], _output, attrs) => [col2im(dy, { ...attrs, inputShape: x.shape })],

    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, inputs: [x], attrs, load }) {
        const windows = geometry('im2col', x, attrs);
        const { height, width, channels: C } = windows;
        const taps = height.window * width.window;
        const [kh, kw] = tapOf('tap', width);
        return `
          let c = ${i} % ${C}u;
          let tap = ${i} / ${C}u % ${taps}u;
          let window = ${i} / ${C * taps}u;
          let line = window / ${width.output}u;
          let image = i32(line / ${height.output}u);
          let ih = ${position(`i32(line % ${height.output}u)`, kh, height)};
          let iw = ${position(`i32(window % ${width.output}u)`, kw, width)};
          ${isPadded(height) ? `if (${isOutside('ih', height)}) { return 0.0; }` : ''}
          ${isPadded(width) ? `if (${isOutside('iw', width)}) { return 0.0; }` : ''}
          return ${load(0, pixelIndex(windows, 'ih', 'iw'))};`;
      },
    },
    samples: im2colSamples,
    rejects: im2colRejects,
    tolerance: { relative: 0, source: 'no arithmetic' },
    bench: { flops: () => 0, sample: im2colBench.im2col },
  },
  (apply) => (x, options) => apply([x], im2colAttrs('im2col', options)),
);

/**
 * Adjoint of im2col: columns [N·OH·OW, KH·KW·C] → `inputShape` [N,H,W,C], each pixel the sum of the entries that im2col
 * copied it to.
 * @throws DownhillError as im2col does, and `shape` when the columns are not those of `inputShape`.
 */
export const col2im: Col2im & Op<Col2imAttrs> = defineOp<Col2imAttrs, Col2im>(
  {
    name: 'col2im',
    doc:
      'Adjoint of im2col: columns [N·OH·OW, KH·KW·C] → inputShape [N,H,W,C], each pixel the sum of the entries that ' +
      'im2col copied it to. Options as for im2col.',
    infer([columns], attrs) {
      columnsGeometry(columns, attrs);
      return { shape: attrs.inputShape, dtype: 'f32' };
    },

    cpu: inDouble(([columns], output, attrs) => {
      const windows = columnsGeometry(columns, attrs);
      const { channels: C } = windows;
      const taps = windows.height.window * windows.width.window;
      forEachTap(windows, (pixel, window, tap) => {
        for (let c = 0; c < C; c++) output.data[pixel * C + c] += columns.data[(window * taps + tap) * C + c];
      });
    }),

    vjp: (g, _inputs, _output, { inputShape, ...window }) => [im2col(g, window)],

    lower: {
      kind: 'index',
      cost: 'materialize',
      // y and x are the window's position times the stride.
      wgsl({ i, inputs: [columns], attrs, load, use }) {
        const windows = columnsGeometry(columns, attrs);
        const { height, width, channels: C } = windows;
        const terms = termSum(mostWindows(windows), use);
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
              let column = window * ${height.window * width.window} + kh * ${width.window} + kw;
              ${terms.add(load(0, `u32(column * ${C}) + c`))}
            }
          }
          return ${terms.value};`;
      },
    },
    samples: col2imSamples,
    rejects: col2imRejects,
    tolerance: { relative: 1e-5, source: 'a sum of terms of order 1, no more than 128 in a row' },
    bench: { flops: ([columns]) => sizeOf(columns.shape), sample: im2colBench.col2im },
  },
  (apply) => (columns, options) =>
    apply([columns], { ...im2colAttrs('col2im', options, ['inputShape']), inputShape: options.inputShape }),
);

/** The records of this family, for `ops/index.ts`. */
export const im2colOps: readonly Op[] = [im2col, col2im];

function im2colAttrs<T extends Im2colOptions>(
  op: string,
  options: T,
  also: readonly (keyof T & string)[] = [],
): Im2colAttrs {
  const known: (keyof T & string)[] = ['kernelSize', 'strides', 'padding', 'dilation', ...also];
  const checked = checkOptions<T>(op, options, known, ['kernelSize']);
  const { kernelSize, strides = 1, padding = 'valid', dilation = 1 } = checked;
  return { kernelSize: pair(kernelSize), strides: pair(strides), padding, dilation: pair(dilation) };
}

function geometry(op: string, x: Aval, attrs: Im2colAttrs): WindowGeometry {
  requireFloat(op, ['x'], [x]);
  requireRank(op, 'x', x, '[N,H,W,C]');
  return windowGeometry(op, x.shape, attrs.kernelSize, attrs);
}

function columnsShape({ batch, height, width, channels }: WindowGeometry): Shape {
  return [batch * height.output * width.output, height.window * width.window * channels];
}

function columnsGeometry(columns: Aval, attrs: Col2imAttrs): WindowGeometry {
  requireFloat('col2im', ['columns'], [columns]);
  const image = requireShapeOption('col2im', 'inputShape', attrs.inputShape, '[N,H,W,C]');
  const windows = geometry('col2im', image, attrs);
  const expected = columnsShape(windows);
  if (!sameShape(columns.shape, expected)) {
    throw new DownhillError(
      'shape',
      `col2im: columns are ${formatShape(columns.shape)}, but im2col of ${formatShape(attrs.inputShape)} with kernelSize ` +
        `${formatShape(attrs.kernelSize)} gives ${formatShape(expected)}`,
    );
  }
  return windows;
}
