/**
 * affineTransform: images resampled under a transform of their own each (rotation, zoom, translation, resizing), and
 * the adjoint, which spreads a gradient back over the pixels that were read.
 *
 * Invariant: affineTransform is affine in the images and affineTransformGrad the adjoint of its linear part. Neither
 * has a gradient for the transforms: augmentation draws them at random.
 * Source: TensorFlow, ImageProjectiveTransformV3; Keras 3, ops.image.affine_transform.
 */

import { defineOp, type Op } from '../../core/op.ts';
import type { Aval, Tensor } from '../../core/tensor.ts';
import { describe } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, sameShape, sizeOf } from '../../util/shape.ts';
import { show } from '../../util/show.ts';
import { requireFloat, requireRank, requireShapeOption } from '../checks.ts';
import { inDouble } from '../in-double.ts';
import { termSum } from '../reduction/term-sum.ts';
import {
  type AffineAttrs,
  type AffineGradAttrs,
  FILL_MODES,
  type FillMode,
  INTERPOLATIONS,
  type Interpolation,
  type Resampling,
  sourcePosition,
  sourcePositionWgsl,
  TRANSFORM_SIZE,
  tapsAt,
} from './affine-geometry.ts';
import { affineBench, affineGradRejects, affineGradSamples, affineRejects, affineSamples } from './affine-samples.ts';

export interface AffineTransformOptions {
  /** `bilinear` when left out. */
  readonly interpolation?: Interpolation;
  /** `constant` when left out. */
  readonly fillMode?: FillMode;
  /** Value outside of the image for `constant`; 0 when left out. */
  readonly fillValue?: number;
  /** Height and width of the result; those of the images when left out. */
  readonly size?: readonly [height: number, width: number];
}

type AffineTransform = (images: Tensor, transforms: Tensor, options?: AffineTransformOptions) => Tensor;
type AffineTransformGrad = (dy: Tensor, transforms: Tensor, options: AffineGradAttrs) => Tensor;

const tolerance = {
  relative: 2e-5,
  source: 'source positions of at most 20 pixels, off by 3 · 2⁻²⁴ of that, times differences of order 4 between pixels',
};

/**
 * Images [B,H,W,C] resampled under transforms [B,8] = a0 a1 a2 b0 b1 b2 c0 c1 → [B,OH,OW,C], f32: output pixel (x, y)
 * has the value at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k), k = c0 x + c1 y + 1, of the image, in pixels.
 * @throws DownhillError `shape`, `dtype` or `argument`.
 */
export const affineTransform: AffineTransform & Op<AffineAttrs> = defineOp<AffineAttrs, AffineTransform>(
  {
    name: 'affineTransform',
    doc:
      'Images [B,H,W,C] resampled under transforms [B,8]: output pixel (x, y) has the value at ((a0 x + a1 y + a2) / k, ' +
      '(b0 x + b1 y + b2) / k), k = c0 x + c1 y + 1. Options as in Keras: interpolation `bilinear` or `nearest`, fillMode ' +
      '`constant`, `nearest`, `reflect` or `wrap`, fillValue; size [height, width] of the result. No gradient for the transforms.',
    infer([images, transforms], attrs) {
      const { outHeight, outWidth, channels } = resampling('affineTransform', images, attrs);
      requireTransforms('affineTransform', transforms, images.shape[0]);
      if (!Number.isFinite(Math.fround(attrs.fillValue))) {
        throw new DownhillError(
          'argument',
          `affineTransform: fillValue must be a finite f32, got ${show(attrs.fillValue)}`,
        );
      }
      return { shape: [images.shape[0], outHeight, outWidth, channels], dtype: 'f32' };
    },
    cpu([images, transforms], output, attrs) {
      const geometry = resampling('affineTransform', images, attrs);
      const { height, width, channels: C } = geometry;
      forEachPixel(geometry, transforms.data, images.shape[0], (image, to, position) => {
        const taps = position === undefined ? [] : tapsAt(...position, attrs.interpolation);
        if (position === undefined) output.data.fill(attrs.fillValue, to, to + C);
        for (const { y, x, weight } of taps) {
          const isInside = y >= 0 && y < height && x >= 0 && x < width;
          const from = ((image * height + y) * width + x) * C;
          for (let c = 0; c < C; c++) {
            // A pixel of weight 0 is not read, so that NaN does not spread to where it was not asked for.
            if (weight !== 0) output.data[to + c] += weight * (isInside ? images.data[from + c] : attrs.fillValue);
          }
        }
      });
    },
    vjp: (dy, [images, transforms], _output, { interpolation, fillMode }) => [
      affineTransformGrad(dy, transforms, { interpolation, fillMode, inputShape: images.shape }),
      null,
    ],
    nonDifferentiableInputs: [1],
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, inputs: [images], attrs, load, scalar, use }) {
        const geometry = resampling('affineTransform', images, attrs);
        const { height, width, outHeight, outWidth, channels: C, interpolation } = geometry;
        const fill = scalar(attrs.fillValue);
        const pixel = (y: string, x: string, weight: string): string => `
          if (${weight} != 0.0) {
            if (${y} >= 0.0 && ${y} < ${height}.0 && ${x} >= 0.0 && ${x} < ${width}.0) {
              sum += ${weight} * ${load(0, `((image * ${height}u + u32(${y})) * ${width}u + u32(${x})) * ${C}u + c`)};
            } else {
              sum += ${weight} * ${fill};
            }
          }`;
        const taps =
          interpolation === 'nearest'
            ? `let y = affine_round(sy);
               let x = affine_round(sx);
               let w = 1.0;
               ${pixel('y', 'x', 'w')}`
            : `let y0 = floor(sy);
               let x0 = floor(sx);
               let y1 = y0 + 1.0;
               let x1 = x0 + 1.0;
               let w00 = (y1 - sy) * (x1 - sx);
               let w01 = (y1 - sy) * (sx - x0);
               let w10 = (sy - y0) * (x1 - sx);
               let w11 = (sy - y0) * (sx - x0);
               ${pixel('y0', 'x0', 'w00')} ${pixel('y0', 'x1', 'w01')} ${pixel('y1', 'x0', 'w10')} ${pixel('y1', 'x1', 'w11')}`;
        return `
          let c = ${i} % ${C}u;
          let pixel = ${i} / ${C}u;
          let ox = f32(pixel % ${outWidth}u);
          let oy = f32(pixel / ${outWidth}u % ${outHeight}u);
          let image = pixel / ${outWidth * outHeight}u;
          ${sourcePositionWgsl(geometry, (index) => load(1, index), { infinite: `return ${fill};`, unknown: `return ${scalar(Number.NaN)};` }, use)}
          var sum = 0.0;
          ${taps}
          return sum;`;
      },
    },
    samples: affineSamples,
    rejects: affineRejects,
    tolerance,
    bench: { flops: (_inputs, output) => 40 * sizeOf(output.shape), sample: affineBench.forward },
  },
  (apply) => (images, transforms, options) => {
    const known = ['interpolation', 'fillMode', 'fillValue', 'size'] as const;
    const checked = checkOptions('affineTransform', options, known);
    const { interpolation = 'bilinear', fillMode = 'constant', fillValue = 0, size = null } = checked;
    return apply([images, transforms], { interpolation, fillMode, fillValue, size: size && [...size] });
  },
);

/**
 * Adjoint of affineTransform: dy [B,OH,OW,C] → `inputShape` [B,H,W,C], each pixel the sum of what it gave, in order.
 * Every pixel asks all OH · OW output positions: right for any transform, and for layers before an augmentation only.
 * @throws DownhillError `shape`, `dtype` or `argument`.
 */
export const affineTransformGrad: AffineTransformGrad & Op<AffineGradAttrs> = defineOp<
  AffineGradAttrs,
  AffineTransformGrad
>(
  {
    name: 'affineTransformGrad',
    doc:
      'Gradient of affineTransform for the images: dy [B,OH,OW,C] and transforms [B,8] → inputShape [B,H,W,C], each pixel the ' +
      'sum of what it gave, in order and without atomics. Costs OH · OW for each element.',
    infer([dy, transforms], attrs) {
      gradGeometry(dy, attrs);
      requireTransforms('affineTransformGrad', transforms, dy.shape[0]);
      return { shape: attrs.inputShape, dtype: 'f32' };
    },
    cpu: inDouble(([dy, transforms], dx, attrs) => {
      const geometry = gradGeometry(dy, attrs);
      const { height, width, channels: C } = geometry;
      forEachPixel(geometry, transforms.data, dy.shape[0], (image, from, position) => {
        const taps = position === undefined ? [] : tapsAt(...position, attrs.interpolation);
        for (const { y, x, weight } of taps) {
          if (weight === 0 || Number.isNaN(weight) || y < 0 || y >= height || x < 0 || x >= width) continue;
          const to = ((image * height + y) * width + x) * C;
          for (let c = 0; c < C; c++) dx.data[to + c] += weight * dy.data[from + c];
        }
      });
    }),
    vjp: (g, [dy, transforms], _output, { interpolation, fillMode }) => {
      const size = [dy.shape[1], dy.shape[2]] as const;
      return [affineTransform(g, transforms, { interpolation, fillMode, size }), null];
    },
    nonDifferentiableInputs: [1],
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, inputs: [dy], attrs, load, use }) {
        const geometry = gradGeometry(dy, attrs);
        const { height, width, outHeight, outWidth, channels: C, interpolation } = geometry;
        const terms = termSum(outHeight * outWidth, use);
        const weight =
          interpolation === 'nearest'
            ? 'select(0.0, 1.0, affine_round(sy) == iy && affine_round(sx) == ix)'
            : 'max(0.0, 1.0 - abs(sy - iy)) * max(0.0, 1.0 - abs(sx - ix))';
        return `
          let c = ${i} % ${C}u;
          let pixel = ${i} / ${C}u;
          let ix = f32(pixel % ${width}u);
          let iy = f32(pixel / ${width}u % ${height}u);
          let image = pixel / ${width * height}u;
          ${terms.begin}
          for (var line = 0u; line < ${outHeight}u; line++) {
            for (var column = 0u; column < ${outWidth}u; column++) {
              let ox = f32(column);
              let oy = f32(line);
              ${sourcePositionWgsl(geometry, (index) => load(1, index), { infinite: 'continue;', unknown: 'continue;' }, use)}
              let weight = ${weight};
              if (weight != 0.0) {
                ${terms.add(`weight * ${load(0, `((image * ${outHeight}u + line) * ${outWidth}u + column) * ${C}u + c`)}`)}
              }
            }
          }
          return ${terms.value};`;
      },
    },
    samples: affineGradSamples,
    rejects: affineGradRejects,
    tolerance,
    bench: {
      flops: ([dy], output) => 30 * sizeOf(output.shape) * dy.shape[1] * dy.shape[2],
      sample: affineBench.grad,
    },
  },
  (apply) => (dy, transforms, options) => {
    const known = ['interpolation', 'fillMode', 'inputShape'] as const;
    const { interpolation, fillMode, inputShape } = checkOptions('affineTransformGrad', options, known, known);
    return apply([dy, transforms], { interpolation, fillMode, inputShape: [...inputShape] });
  },
);

/** The records of this file. */
export const affineOps: readonly Op[] = [affineTransform, affineTransformGrad];

/** Runs `visit` for every output pixel: its image, its first element, and where it reads. */
function forEachPixel(
  geometry: Resampling,
  transforms: ArrayLike<number>,
  batch: number,
  visit: (image: number, element: number, position: readonly [y: number, x: number] | undefined) => void,
): void {
  const { outHeight, outWidth, channels } = geometry;
  let element = 0;
  for (let image = 0; image < batch; image++) {
    const transform = Array.from({ length: TRANSFORM_SIZE }, (_, k) => transforms[image * TRANSFORM_SIZE + k]);
    for (let y = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        visit(image, element, sourcePosition(transform, x, y, geometry));
        element += channels;
      }
    }
  }
}

function resampling(op: string, images: Aval, attrs: Omit<AffineAttrs, 'fillValue'>): Resampling {
  requireFloat(op, ['images'], [images]);
  requireRank(op, 'images', images, '[B,H,W,C]');
  const { interpolation, fillMode, size } = attrs;
  requireName(op, 'interpolation', interpolation, INTERPOLATIONS);
  requireName(op, 'fillMode', fillMode, FILL_MODES);
  const [, height, width, channels] = images.shape;
  const [outHeight, outWidth] = size ?? [height, width];
  if (size !== null && !(size.length === 2 && size.every((length) => Number.isSafeInteger(length) && length >= 1))) {
    throw new DownhillError('argument', `${op}: size must be [height, width], whole numbers ≥ 1, got ${show(size)}`);
  }
  if (height === 0 || width === 0) {
    throw new DownhillError('shape', `${op}: images of shape ${formatShape(images.shape)} have no pixels`);
  }
  return { height, width, outHeight, outWidth, channels, interpolation, fillMode };
}

function gradGeometry(dy: Aval, attrs: AffineGradAttrs): Resampling {
  const op = 'affineTransformGrad';
  requireFloat(op, ['dy'], [dy]);
  requireRank(op, 'dy', dy, '[B,OH,OW,C]');
  const image = requireShapeOption(op, 'inputShape', attrs.inputShape, '[B,H,W,C]');
  const [batch, outHeight, outWidth, channels] = dy.shape;
  if (batch !== image.shape[0] || channels !== image.shape[3]) {
    throw new DownhillError(
      'shape',
      `${op}: dy ${describe(dy)} and inputShape ${formatShape(image.shape)} must agree in images and channels`,
    );
  }
  return resampling(op, image, { ...attrs, size: [outHeight, outWidth] });
}

function requireTransforms(op: string, transforms: Aval, batch: number): void {
  requireFloat(op, ['transforms'], [transforms]);
  if (sameShape(transforms.shape, [batch, TRANSFORM_SIZE])) return;
  throw new DownhillError(
    'shape',
    `${op}: transforms must be f32[${batch},${TRANSFORM_SIZE}], one for each image, got ${describe(transforms)}`,
  );
}

function requireName(op: string, option: string, value: unknown, names: readonly string[]): void {
  if (names.includes(value as string)) return;
  throw new DownhillError('argument', `${op}: ${option} must be one of ${names.join(', ')}, got ${show(value)}`);
}
