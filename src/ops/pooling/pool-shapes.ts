/**
 * Options and shape rules of the pooling ops: [N,H,W,C] → [N,OH,OW,C], windows as in conv-geometry.ts, undilated.
 */

import type { Aval } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, sameShape } from '../../util/shape.ts';
import { requireFloat, requireRank, requireShapeOption } from '../checks.ts';
import { type Padding, type Pair, pair, type WindowGeometry, windowGeometry } from '../convolution/conv-geometry.ts';

export interface PoolOptions {
  /** Size of the window. */
  readonly poolSize: Pair;
  /** Step between windows; `poolSize` when left out. */
  readonly strides?: Pair;
  /** `valid` (the default): windows stay on the image. `same`: ceil(size / stride) windows, some of them cut off. */
  readonly padding?: Padding;
}

export interface PoolAttrs {
  readonly poolSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: Padding;
}

export interface PoolGradAttrs extends PoolAttrs {
  /** Shape [N,H,W,C] of the images that were pooled. */
  readonly inputShape: Shape;
}

/** @throws DownhillError `argument` for unknown options; `also` names those of the op beside the common ones. */
export function poolAttrs<T extends PoolOptions>(
  op: string,
  options: T,
  also: readonly (keyof T & string)[] = [],
): PoolAttrs {
  const known: (keyof T & string)[] = ['poolSize', 'strides', 'padding', ...also];
  const { poolSize, strides = poolSize, padding = 'valid' } = checkOptions<T>(op, options, known, ['poolSize']);
  return { poolSize: pair(poolSize), strides: pair(strides), padding };
}

/** The windows on images `x`. @throws DownhillError `dtype`, `shape` or `argument`. */
export function poolWindows(op: string, x: Aval, { poolSize, strides, padding }: PoolAttrs): WindowGeometry {
  requireFloat(op, ['x'], [x]);
  requireRank(op, 'x', x, '[N,H,W,C]');
  return windowGeometry(op, x.shape, poolSize, { strides, padding, dilation: [1, 1] });
}

/** The windows on images of `shape`, an option. @throws DownhillError `dtype`, `shape` or `argument`. */
export function poolWindowsOfShape(op: string, shape: Shape, attrs: PoolAttrs): WindowGeometry {
  return poolWindows(op, requireShapeOption(op, 'inputShape', shape, '[N,H,W,C]'), attrs);
}

export function pooledShape({ batch, height, width, channels }: WindowGeometry): Shape {
  return [batch, height.output, width.output, channels];
}

/** @throws DownhillError unless dy is an f32 tensor with one element per window. */
export function requirePooled(op: string, dy: Aval, x: Shape, windows: WindowGeometry): void {
  requireFloat(op, ['dy'], [dy]);
  const expected = pooledShape(windows);
  if (!sameShape(dy.shape, expected)) {
    const { height, width } = windows;
    throw new DownhillError(
      'shape',
      `${op}: dy is ${formatShape(dy.shape)}, but windows of ${formatShape([height.window, width.window])} on ` +
        `${formatShape(x)} give ${formatShape(expected)}`,
    );
  }
}
