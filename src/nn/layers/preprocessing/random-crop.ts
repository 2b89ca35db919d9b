/**
 * RandomCrop: a window of given size, at a random position of each image in training and at its centre at inference.
 * Images that are smaller than the window give their largest part of the window's proportions, resized to it.
 *
 * Source: Keras 3, RandomCrop, by its documentation, CenterCrop and smart_resize. Keras draws one position for a batch,
 * and its code gives back whole images at inference; a layer's shape is one here.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { scalar } from '../../../ops/create.ts';
import { add, mod, mul } from '../../../ops/elementwise/binary.ts';
import { cast } from '../../../ops/elementwise/cast.ts';
import { affineTransform } from '../../../ops/image/affine-transform.ts';
import { slice } from '../../../ops/layout/slice.ts';
import { randomBits } from '../../../ops/random/random.ts';
import { broadcastTo } from '../../../ops/reduction/sum.ts';
import { tensor } from '../../../runtime/tensor.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, wholeNumber } from '../../check-options.ts';
import { type CallContext, LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { checkImage } from '../../windows.ts';

export interface RandomCropOptions extends LayerOptions {
  /** Height of the window. */
  readonly height: number;
  /** Width of the window. */
  readonly width: number;
}

/** x [B, H, W, C] → [B, height, width, C]; no weights. */
export class RandomCrop extends Layer {
  override readonly className = 'RandomCrop';
  private readonly height: number;
  private readonly width: number;

  /** @throws DownhillError `argument` for sizes that are not whole numbers of at least 1. */
  constructor(options: RandomCropOptions) {
    checkKnownOptions('randomCrop', options, ['height', 'width', ...LAYER_OPTIONS]);
    super(options);
    this.height = wholeNumber('randomCrop', 'height', options.height);
    this.width = wholeNumber('randomCrop', 'width', options.width);
  }

  override get config(): LayerConfig {
    return { height: this.height, width: this.width };
  }

  override call(x: Tensor, _weights: readonly Tensor[], { training, key, stream }: CallContext): Tensor {
    checkImage(this.label, x.shape.slice(1));
    const [batch, H, W] = x.shape;
    if (H < this.height || W < this.width) return this.resize(x);
    if (!training || key === undefined) return this.centre(x, this.height, this.width);
    const position = (index: number, places: number): Tensor =>
      cast(mod(randomBits(key, { shape: [batch, 1], stream: stream + index }), scalar(places, 'u32')), 'f32');
    const down = mul(position(0, H - this.height + 1), tensor([0, 0, 0, 0, 0, 1, 0, 0]));
    const right = mul(position(1, W - this.width + 1), tensor([0, 0, 1, 0, 0, 0, 0, 0]));
    const transforms = add(add(down, right), tensor([1, 0, 0, 0, 1, 0, 0, 0]));
    return affineTransform(x, transforms, { interpolation: 'nearest', size: [this.height, this.width] });
  }

  private centre(x: Tensor, height: number, width: number): Tensor {
    const [batch, H, W, channels] = x.shape;
    const begin = [0, Math.floor((H - height) / 2), Math.floor((W - width) / 2), 0];
    return slice(x, begin, [batch, height, width, channels]);
  }

  /** The largest centred part of the window's proportions, resized with pixels as areas (their centres at ½). */
  private resize(x: Tensor): Tensor {
    const { height, width } = this;
    const [batch, H, W] = x.shape;
    const part = (whole: number, other: number, own: number, of: number): number =>
      Math.max(Math.min(whole, Math.floor((other * own) / of)), 1);
    const window = this.centre(x, part(H, W, height, width), part(W, H, width, height));
    const [sy, sx] = [window.shape[1] / height, window.shape[2] / width];
    const transform = tensor([[sx, 0, sx / 2 - 0.5, 0, sy, sy / 2 - 0.5, 0, 0]]);
    return affineTransform(window, broadcastTo(transform, [batch, 8]), { fillMode: 'nearest', size: [height, width] });
  }
}

/** A random part of each image while training: `randomCrop({ height: 28, width: 28 })`. */
export const randomCrop = (options: RandomCropOptions, ...surplus: Surplus): RandomCrop =>
  sole('randomCrop', surplus, new RandomCrop(options));

/** For the conformance tests. */
export const randomCropCases: readonly LayerCase[] = [
  {
    title: 'randomCrop',
    make: () => randomCrop({ height: 4, width: 3 }),
    inputShape: [5, 5, 2],
    outputShape: [4, 3, 2],
    parameters: 0,
  },
  {
    title: 'randomCrop of smaller images',
    make: () => randomCrop({ height: 4, width: 6 }),
    inputShape: [5, 3, 1],
    outputShape: [4, 6, 1],
    parameters: 0,
  },
];
