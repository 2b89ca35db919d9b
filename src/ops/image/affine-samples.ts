/**
 * Calls that tests, benches and documentation make of affineTransform and its adjoint, from one table. Positions keep
 * away from where `nearest` or `wrap` jump, so that rounding in f32 cannot pick another pixel.
 */

import type { Reject, Sample, SampleInput } from '../../core/op.ts';
import type { Shape } from '../../util/shape.ts';
import type { AffineAttrs, AffineGradAttrs, FillMode, Interpolation } from './affine-geometry.ts';

const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0];
/** Half a pixel and more to the left, far up: most of what is read is outside. */
const SHIFT = [1, 0, 0.7, 0, 1, -5.3, 0, 0];
/** A turn of 0.6 radians and a zoom. */
const TURN = [0.9, -0.58, 1.17, 0.61, 0.77, -0.71, 0, 0];
const MIRROR = [-1, 0, 3, 0, 1, 0, 0, 0];
const PERSPECTIVE = [0.9, 0.1, 0.26, -0.1, 1.1, 0.32, 0.013, -0.021];

interface Case {
  readonly title: string;
  readonly images: Shape;
  readonly transforms: readonly (readonly number[])[];
  readonly attrs: AffineAttrs;
}

function options(interpolation: Interpolation, fillMode: FillMode, fillValue = 0, size: AffineAttrs['size'] = null) {
  return { interpolation, fillMode, fillValue, size };
}

const CASES: readonly Case[] = [
  {
    title: 'turned, a constant outside',
    images: [2, 4, 5, 2],
    transforms: [TURN, SHIFT],
    attrs: options('bilinear', 'constant', 0.5),
  },
  {
    title: 'turned, edges outside',
    images: [2, 4, 5, 2],
    transforms: [TURN, SHIFT],
    attrs: options('bilinear', 'nearest'),
  },
  {
    title: 'turned, mirrored outside',
    images: [2, 4, 5, 2],
    transforms: [TURN, SHIFT],
    attrs: options('bilinear', 'reflect'),
  },
  {
    title: 'turned, wrapped',
    images: [2, 4, 5, 2],
    transforms: [TURN, SHIFT],
    attrs: options('bilinear', 'wrap'),
  },
  { title: 'nearest pixels', images: [2, 5, 4, 1], transforms: [TURN, MIRROR], attrs: options('nearest', 'reflect') },
  {
    title: 'nearest pixels, wrapped',
    images: [1, 5, 4, 3],
    transforms: [SHIFT],
    attrs: options('nearest', 'wrap'),
  },
  {
    title: 'the images themselves',
    images: [1, 7, 3, 1],
    transforms: [IDENTITY],
    attrs: options('bilinear', 'constant'),
  },
  {
    title: 'perspective, another size',
    images: [2, 4, 4, 1],
    transforms: [PERSPECTIVE, TURN],
    attrs: options('bilinear', 'constant', -1, [3, 6]),
  },
  { title: 'one pixel', images: [1, 1, 1, 2], transforms: [TURN], attrs: options('bilinear', 'reflect') },
  { title: 'one pixel, wrapped', images: [1, 1, 1, 1], transforms: [SHIFT], attrs: options('nearest', 'wrap') },
];

export const affineSamples: readonly Sample<AffineAttrs>[] = [
  ...CASES.map(({ title, images, transforms, attrs }) => ({
    title,
    inputs: [{ shape: images }, rows(transforms)],
    attrs,
  })),
  {
    title: 'NaN stays where it is',
    inputs: [{ shape: [1, 2, 2, 1], values: [1, Number.NaN, 2, 3] }, rows([IDENTITY])],
    attrs: options('bilinear', 'constant'),
  },
  {
    title: 'a position at infinity',
    inputs: [{ shape: [1, 2, 2, 1], values: [1, 2, 4, 3] }, rows([[1, 0, 0, 0, 1, 0, -1, 0]])],
    attrs: options('bilinear', 'constant', 9),
  },
  {
    title: 'no images',
    inputs: [{ shape: [0, 2, 2, 1] }, { shape: [0, 8] }],
    attrs: options('bilinear', 'constant'),
  },
];

export const affineGradSamples: readonly Sample<AffineGradAttrs>[] = CASES.map(
  ({ title, images, transforms, attrs }) => {
    const [batch, height, width, channels] = images;
    const { interpolation, fillMode, size } = attrs;
    return {
      title,
      inputs: [{ shape: [batch, ...(size ?? [height, width]), channels] }, rows(transforms)],
      attrs: { interpolation, fillMode, inputShape: images },
    };
  },
);

const CALL = options('bilinear', 'constant');

export const affineRejects: readonly Reject<AffineAttrs>[] = [
  {
    title: 'an image without a batch axis',
    inputs: [{ shape: [4, 4, 1] }, rows([IDENTITY])],
    attrs: CALL,
    message: /^affineTransform: images needs 4 axes \[B,H,W,C\], got f32\[4,4,1\]/,
  },
  {
    title: 'a transform for all images',
    inputs: [{ shape: [2, 4, 4, 1] }, rows([IDENTITY])],
    attrs: CALL,
    message: /^affineTransform: transforms must be f32\[2,8\], one for each image, got f32\[1,8\]/,
  },
  {
    title: 'a fill mode of another library',
    inputs: [{ shape: [1, 4, 4, 1] }, rows([IDENTITY])],
    attrs: { ...CALL, fillMode: 'mirror' as FillMode },
    message: /^affineTransform: fillMode must be one of constant, nearest, reflect, wrap, got "mirror"/,
  },
  {
    title: 'an unknown interpolation',
    inputs: [{ shape: [1, 4, 4, 1] }, rows([IDENTITY])],
    attrs: { ...CALL, interpolation: 'bilinaer' as Interpolation },
    message: /^affineTransform: interpolation must be one of nearest, bilinear, got "bilinaer"/,
  },
  {
    title: 'an infinite fill value',
    inputs: [{ shape: [1, 4, 4, 1] }, rows([IDENTITY])],
    attrs: { ...CALL, fillValue: Number.POSITIVE_INFINITY },
    message: /^affineTransform: fillValue must be a finite f32, got Infinity/,
  },
  {
    title: 'a size of half a pixel',
    inputs: [{ shape: [1, 4, 4, 1] }, rows([IDENTITY])],
    attrs: { ...CALL, size: [0.5, 4] },
    message: /^affineTransform: size must be \[height, width\], whole numbers ≥ 1, got \[0\.5,4\]/,
  },
  {
    title: 'images without pixels',
    inputs: [{ shape: [1, 0, 4, 1] }, rows([IDENTITY])],
    attrs: CALL,
    message: /^affineTransform: images of shape \[1,0,4,1\] have no pixels/,
  },
];

export const affineGradRejects: readonly Reject<AffineGradAttrs>[] = [
  {
    title: 'dy of other images',
    inputs: [{ shape: [1, 4, 4, 2] }, rows([IDENTITY])],
    attrs: { interpolation: 'bilinear', fillMode: 'constant', inputShape: [1, 4, 4, 1] },
    message: /^affineTransformGrad: dy f32\[1,4,4,2\] and inputShape \[1,4,4,1\] must agree in images and channels/,
  },
];

export const affineBench = {
  forward: {
    inputs: [{ shape: [64, 32, 32, 3] }, rows(new Array<number[]>(64).fill(TURN))],
    attrs: options('bilinear', 'reflect'),
  },
  grad: {
    inputs: [{ shape: [4, 16, 16, 3] }, rows(new Array<number[]>(4).fill(TURN))],
    attrs: { interpolation: 'bilinear', fillMode: 'reflect', inputShape: [4, 16, 16, 3] },
  },
} satisfies { readonly forward: Sample<AffineAttrs>; readonly grad: Sample<AffineGradAttrs> };

function rows(transforms: readonly (readonly number[])[]): SampleInput {
  return { shape: [transforms.length, 8], values: transforms.flat() };
}
