/**
 * Geometry of affineTransform: which pixels an output position reads and with which weights, as numbers and as WGSL.
 *
 * Invariant: forward and adjoint take positions and weights from here, so one is the transpose of the other.
 * Source: TensorFlow, ImageProjectiveTransformV3 (fill modes, rounding), which Keras' image.affine_transform calls.
 */

import type { EmitContext } from '../../core/lowering.ts';
import type { Shape } from '../../util/shape.ts';

/** What is outside of the image: a constant, its edge pixels, its mirror image, or the image again. */
export type FillMode = 'constant' | 'nearest' | 'reflect' | 'wrap';

export const FILL_MODES: readonly FillMode[] = ['constant', 'nearest', 'reflect', 'wrap'];

export type Interpolation = 'nearest' | 'bilinear';

export const INTERPOLATIONS: readonly Interpolation[] = ['nearest', 'bilinear'];

/**
 * Numbers of a transform: output pixel (x, y) reads ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k), k = c0 x + c1 y +
 * 1.
 */
export const TRANSFORM_SIZE = 8;

/** Options of affineTransform, as attributes. `size` is null for that of the images. */
export interface AffineAttrs {
  readonly interpolation: Interpolation;
  readonly fillMode: FillMode;
  readonly fillValue: number;
  readonly size: readonly [height: number, width: number] | null;
}

/** Options of affineTransformGrad, as attributes. */
export interface AffineGradAttrs {
  readonly interpolation: Interpolation;
  readonly fillMode: FillMode;
  /** Shape [B,H,W,C] of the images that were resampled. */
  readonly inputShape: Shape;
}

export interface Resampling {
  /** Height and width of the source images. */
  readonly height: number;
  readonly width: number;
  /** Height and width of the resampled images. */
  readonly outHeight: number;
  readonly outWidth: number;
  readonly channels: number;
  readonly interpolation: Interpolation;
  readonly fillMode: FillMode;
}

/** A source pixel with its weight; it may be outside. */
export interface Tap {
  readonly y: number;
  readonly x: number;
  readonly weight: number;
}

/**
 * The source position [y, x] of output pixel (x, y) under `transform`: undefined at infinity (k = 0), NaN when a number
 * of the transform is not finite.
 */
export function sourcePosition(
  transform: readonly number[],
  x: number,
  y: number,
  { height, width, fillMode }: Resampling,
): readonly [y: number, x: number] | undefined {
  if (!transform.every(Number.isFinite)) return [Number.NaN, Number.NaN];
  const [a0, a1, a2, b0, b1, b2, c0, c1] = transform;
  const k = c0 * x + c1 * y + 1;
  if (k === 0) return undefined;
  return [inside((b0 * x + b1 * y + b2) / k, height, fillMode), inside((a0 * x + a1 * y + a2) / k, width, fillMode)];
}

/** The pixels that are read at source position (y, x); one of weight NaN at an unknown one. */
export function tapsAt(y: number, x: number, interpolation: Interpolation): Tap[] {
  if (Number.isNaN(y)) return [{ y, x, weight: Number.NaN }];
  if (interpolation === 'nearest') return [{ y: roundAway(y), x: roundAway(x), weight: 1 }];
  const [y0, x0] = [Math.floor(y), Math.floor(x)];
  const [wy, wx] = [y - y0, x - x0];
  return [
    { y: y0, x: x0, weight: (1 - wy) * (1 - wx) },
    { y: y0, x: x0 + 1, weight: (1 - wy) * wx },
    { y: y0 + 1, x: x0, weight: wy * (1 - wx) },
    { y: y0 + 1, x: x0 + 1, weight: wy * wx },
  ];
}

/**
 * Statements that find `sy` and `sx` (f32), the source position of output pixel (`ox`, `oy`) of the u32 `image`;
 * `nowhere` are the statements for a position at infinity, and for one that is unknown.
 */
export function sourcePositionWgsl(
  { height, width, fillMode }: Resampling,
  load: (index: string) => string,
  nowhere: { readonly infinite: string; readonly unknown: string },
  use: EmitContext<unknown>['use'],
): string {
  use('affine');
  use('float');
  const numbers = Array.from({ length: TRANSFORM_SIZE }, (_, k) => k);
  const along = (first: number): string => `t${first} * ox + t${first + 1} * oy + t${first + 2}`;
  const mapped = (at: string, size: number): string => {
    switch (fillMode) {
      case 'constant':
        return at;
      case 'nearest':
        return `clamp(${at}, 0.0, ${size - 1}.0)`;
      default:
        return `affine_${fillMode}(${at}, ${size}.0)`;
    }
  };
  // A quotient by 1 may be off by an ulp, which would move whole positions over the edge of a pixel.
  return `
    ${numbers.map((k) => `let t${k} = ${load(`image * ${TRANSFORM_SIZE}u + ${k}u`)};`).join('\n    ')}
    if (!(${numbers.map((k) => `float_is_finite(t${k})`).join(' && ')})) { ${nowhere.unknown} }
    let k = t6 * ox + t7 * oy + 1.0;
    if (k == 0.0) { ${nowhere.infinite} }
    var sx = ${along(0)};
    var sy = ${along(3)};
    if (!(k == 1.0)) { sx /= k; sy /= k; }
    sx = ${mapped('sx', width)};
    sy = ${mapped('sy', height)};`;
}

/** `at` moved onto an axis of `size` pixels by the fill mode. */
function inside(at: number, size: number, fillMode: FillMode): number {
  switch (fillMode) {
    case 'constant':
      return at;
    case 'nearest':
      return Math.min(Math.max(at, 0), size - 1);
    case 'reflect':
      return reflect(at, size);
    case 'wrap':
      return wrap(at, size);
    default:
      return fillMode satisfies never;
  }
}

function reflect(at: number, size: number): number {
  const period = 2 * size;
  let x = at;
  if (x < 0) {
    x += period * Math.floor(-x / period);
    x = x < -size ? x + period : -x - 1;
  } else if (x > size - 1) {
    x -= period * Math.floor(x / period);
    if (x >= size) x = period - x - 1;
  }
  return Math.min(Math.max(x, 0), size - 1);
}

function wrap(at: number, size: number): number {
  if (size <= 1) return 0;
  let x = at;
  if (x < 0) x += size * (Math.floor(-x / (size - 1)) + 1);
  else if (x > size - 1) x -= size * Math.floor(x / (size - 1));
  return Math.min(Math.max(x, 0), size - 1);
}

function roundAway(x: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
}
