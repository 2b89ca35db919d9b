/**
 * Where a sliding window meets an image: the arithmetic that convolution, im2col and pooling share.
 *
 * Invariant: `windowGeometry` is the only place that knows the padding rule, `forEachTap` the only place that walks
 * windows on the CPU; everything here is about [N,H,W,C] images (NHWC).
 * Source: TensorFlow, "Convolutional and pooling" notes of tf.nn: `valid` gives ceil((size − extent + 1) / stride)
 * windows, `same` gives ceil(size / stride) and puts the odd element of padding at the end.
 */

import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape } from '../../util/shape.ts';

export type Padding = 'same' | 'valid';

/** One number for both axes, or [height, width]. */
export type Pair = number | readonly [number, number];

/** How windows slide: the options that all convolutions and im2col have in common. */
export interface Conv2dOptions {
  /** Step between windows; 1 when left out. */
  readonly strides?: Pair;
  /** `valid` (the default): windows stay on the image. `same`: zeros around it, ceil(size / stride) windows. */
  readonly padding?: Padding;
  /** Step between the taps of a window; 1 when left out. Not together with strides over 1. */
  readonly dilation?: Pair;
}

/** How windows slide, as attributes of an op: pairs are [height, width]. */
export interface WindowAttrs {
  readonly strides: readonly [number, number];
  readonly padding: Padding;
  readonly dilation: readonly [number, number];
}

/** Options of im2col, as attributes. */
export interface Im2colAttrs extends WindowAttrs {
  readonly kernelSize: readonly [number, number];
}

/** Options of col2im, as attributes. */
export interface Col2imAttrs extends Im2colAttrs {
  /** Shape [N,H,W,C] of the images that im2col was given. */
  readonly inputShape: Shape;
}

/** One axis: input position of tap `t` of window `o` is `o · stride + t · dilation − before`. */
export interface AxisGeometry {
  readonly input: number;
  readonly window: number;
  readonly output: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding in front of the first input element. */
  readonly before: number;
}

export interface WindowGeometry {
  readonly batch: number;
  readonly channels: number;
  readonly height: AxisGeometry;
  readonly width: AxisGeometry;
}

export function pair(value: Pair): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : value;
}

/** @throws DownhillError `argument` for unknown options; `also` names those of the op beside the common ones. */
export function windowAttrs<T extends Conv2dOptions>(
  op: string,
  options: T | undefined,
  also: readonly (keyof T & string)[] = [],
): WindowAttrs {
  const known: (keyof T & string)[] = ['strides', 'padding', 'dilation', ...also];
  const { strides = 1, padding = 'valid', dilation = 1 } = checkOptions<T>(op, options, known, also);
  return { strides: pair(strides), padding, dilation: pair(dilation) };
}

/**
 * The windows of size [height, width] on `image` [N,H,W,C].
 * @throws DownhillError `argument` for strides, dilation, padding or window sizes that are not accepted; `shape` when a
 * window does not fit into the image without padding.
 */
export function windowGeometry(
  op: string,
  image: Shape,
  window: readonly [number, number],
  { strides, padding, dilation }: WindowAttrs,
): WindowGeometry {
  requirePair(op, 'window size', window);
  requirePair(op, 'strides', strides);
  requirePair(op, 'dilation', dilation);
  if (padding !== 'same' && padding !== 'valid') {
    throw new DownhillError('argument', `${op}: padding must be 'same' or 'valid', got ${JSON.stringify(padding)}`);
  }
  if (strides.some((s) => s > 1) && dilation.some((d) => d > 1)) {
    throw new DownhillError(
      'argument',
      `${op}: strides ${formatShape(strides)} and dilation ${formatShape(dilation)} cannot both exceed 1; set one of them to 1`,
    );
  }
  const axes = ([0, 1] as const).map((k): AxisGeometry => {
    const input = image[1 + k];
    const extent = (window[k] - 1) * dilation[k] + 1;
    if (padding === 'valid' && extent > input) {
      const dilated = dilation[k] > 1 ? ` (${extent} with dilation ${dilation[k]})` : '';
      throw new DownhillError(
        'shape',
        `${op}: a window of ${k === 0 ? 'height' : 'width'} ${window[k]}${dilated} does not fit into the image ${formatShape(image)}, ` +
          `which has ${input}; use padding: 'same' or a window of at most ${Math.floor((input - 1) / dilation[k]) + 1}`,
      );
    }
    const output = Math.ceil((padding === 'same' ? input : input - extent + 1) / strides[k]);
    const padded = padding === 'same' ? Math.max((output - 1) * strides[k] + extent - input, 0) : 0;
    return {
      input,
      window: window[k],
      output,
      stride: strides[k],
      dilation: dilation[k],
      before: Math.floor(padded / 2),
    };
  });
  return { batch: image[0], channels: image[3], height: axes[0], width: axes[1] };
}

/**
 * Visits every pair of a window and one of its taps that is on the image, windows in row-major order and the taps of
 * a window in row-major order.
 * @param visit receives flat positions: `pixel` counts [N,H,W], `window` counts [N,OH,OW], `tap` counts [KH,KW].
 */
export function forEachTap(
  { batch, height, width }: WindowGeometry,
  visit: (pixel: number, window: number, tap: number) => void,
): void {
  for (let b = 0; b < batch; b++) {
    for (let oh = 0; oh < height.output; oh++) {
      for (let ow = 0; ow < width.output; ow++) {
        const window = (b * height.output + oh) * width.output + ow;
        for (let kh = 0; kh < height.window; kh++) {
          const ih = oh * height.stride + kh * height.dilation - height.before;
          if (ih < 0 || ih >= height.input) continue;
          for (let kw = 0; kw < width.window; kw++) {
            const iw = ow * width.stride + kw * width.dilation - width.before;
            if (iw < 0 || iw >= width.input) continue;
            visit((b * height.input + ih) * width.input + iw, window, kh * width.window + kw);
          }
        }
      }
    }
  }
}

function requirePair(op: string, what: string, value: readonly number[]): void {
  if (!Array.isArray(value) || value.length !== 2 || value.some((v) => !Number.isInteger(v) || v < 1)) {
    throw new DownhillError(
      'argument',
      `${op}: ${what} must be one whole number ≥ 1 or two of them [height, width], got ${JSON.stringify(value)}`,
    );
  }
}
