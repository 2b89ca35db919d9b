/**
 * What the augmentation layers share: they act on images in training and leave them alone at inference, with numbers of
 * each example's own, drawn from Philox streams of the layer (the same bits on CPU and GPU), and they are one more
 * kernel in the training step: no image comes back to the host.
 *
 * Sources: Keras 3, BaseImagePreprocessingLayer and the layers beside it, for factors, ranges and transforms.
 */

import type { Tensor } from '../core/tensor.ts';
import { add, mul } from '../ops/elementwise/binary.ts';
import { FILL_MODES, type FillMode, INTERPOLATIONS, type Interpolation } from '../ops/image/affine-geometry.ts';
import { affineTransform } from '../ops/image/affine-transform.ts';
import { reshape } from '../ops/layout/shape.ts';
import { randomUniform } from '../ops/random/random.ts';
import { tensor } from '../runtime/tensor.ts';
import { DownhillError } from '../util/errors.ts';
import { oneOf, show } from './check-options.ts';
import { type CallContext, Layer, type LayerOptions } from './layer.ts';
import { checkImage } from './windows.ts';

/** Draws numbers for the examples of a batch. */
export interface Draw {
  /** u32[2]. */
  readonly key: Tensor;
  /** The first of the layer's streams. */
  readonly stream: number;
  readonly batch: number;
}

/** The two ends that an amount is drawn between. */
export type Range = readonly [low: number, high: number];

/** A layer that changes images at random in training and not at all at inference. x [B, H, W, C] → the same shape. */
export abstract class AugmentationLayer extends Layer {
  override call(x: Tensor, _weights: readonly Tensor[], { training, key, stream }: CallContext): Tensor {
    checkImage(this.label, x.shape.slice(1));
    if (!training || key === undefined) return x;
    return this.augment(x, { key, stream, batch: x.shape[0] });
  }

  /** The images changed, each by numbers of its own. */
  protected abstract augment(images: Tensor, draw: Draw): Tensor;
}

/** Options of the layers that move pixels. */
export interface ResamplingOptions extends LayerOptions {
  /** What is outside of the image: `constant`, `nearest`, `reflect` (when left out) or `wrap`. */
  readonly fillMode?: FillMode;
  /** Value outside for `constant`; 0 when left out. */
  readonly fillValue?: number;
  /** `bilinear` when left out, or `nearest`. */
  readonly interpolation?: Interpolation;
}

/** The names of ResamplingOptions' own. */
export const RESAMPLING_OPTIONS = ['fillMode', 'fillValue', 'interpolation'];

/** An augmentation that resamples images under a random transform each. */
export abstract class ResamplingLayer extends AugmentationLayer {
  protected readonly resampling: Required<Pick<ResamplingOptions, 'fillMode' | 'fillValue' | 'interpolation'>>;

  /** @throws DownhillError `argument` for a mode or value that is not accepted. */
  constructor(owner: string, options: ResamplingOptions) {
    super(options);
    const { fillMode = 'reflect', fillValue = 0, interpolation = 'bilinear' } = options;
    this.resampling = {
      fillMode: oneOf(owner, 'fillMode', fillMode, FILL_MODES),
      fillValue: finite(owner, 'fillValue', fillValue),
      interpolation: oneOf(owner, 'interpolation', interpolation, INTERPOLATIONS),
    };
  }

  /**
   * The images resampled; the transforms [B,8] are linear in two numbers of each example: constant + a · first + b ·
   * second.
   * @param amounts f32 [B] each.
   */
  protected resample(
    images: Tensor,
    [a, b]: readonly [Tensor, Tensor],
    [constant, first, second]: readonly (readonly number[])[],
  ): Tensor {
    const column = (amount: Tensor): Tensor => reshape(amount, [images.shape[0], 1]);
    const linear = add(mul(column(a), tensor(first)), mul(column(b), tensor(second)));
    return affineTransform(images, add(linear, tensor(constant)), this.resampling);
  }
}

/** A number for each example, uniform in `range`, from the layer's stream number `index`: f32 [B]. */
export function drawUniform({ key, stream, batch }: Draw, index: number, [min, max]: Range): Tensor {
  return randomUniform(key, { shape: [batch], stream: stream + index, min, max });
}

/**
 * A factor as Keras takes it: a number f for [-f, f], or [low, high]. It is given back as the ends.
 * @throws DownhillError `argument` for something else, or ends outside of [least, most].
 */
export function factorRange(owner: string, option: string, value: unknown, least = -1, most = 1): Range {
  const fits = (end: unknown): end is number => typeof end === 'number' && end >= least && end <= most;
  if (typeof value === 'number' && fits(value)) return [Math.max(-Math.abs(value), least), Math.abs(value)];
  if (Array.isArray(value) && value.length === 2 && value.every(fits)) {
    return [Math.min(value[0], value[1]), Math.max(value[0], value[1])];
  }
  throw new DownhillError(
    'argument',
    `${owner}: ${option} must be a number or [low, high] within [${least}, ${most}], found ${show(value)}`,
  );
}

/** `value` as [low, high], for the values that images may have. @throws DownhillError `argument`. */
export function valueRangeOf(owner: string, value: unknown): Range {
  const isRange = Array.isArray(value) && value.length === 2 && value.every((end) => Number.isFinite(end));
  if (isRange && value[0] < value[1]) return [value[0], value[1]];
  throw new DownhillError('argument', `${owner}: valueRange must be [low, high], found ${show(value)}`);
}

function finite(owner: string, option: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new DownhillError('argument', `${owner}: ${option} must be a finite number, found ${show(value)}`);
}
