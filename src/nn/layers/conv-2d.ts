/**
 * Conv2D: activation(conv2d(x, kernel) + bias) on channels-last images, with Keras' names and defaults (glorotUniform
 * kernel [KH, KW, C, filters], zero bias, stride 1, `valid` padding, no activation).
 */

import type { Tensor } from '../../core/tensor.ts';
import { add } from '../../ops/binary.ts';
import { conv2d as conv2dOp } from '../../ops/conv.ts';
import type { Shape } from '../../util/shape.ts';
import { type ActivationLike, describeActivation, resolveActivation } from '../activations.ts';
import { checkKnownOptions, oneOf, trueOrFalse, wholeNumber } from '../check-options.ts';
import { describeInitializer, type InitializerLike, resolveInitializer } from '../initializers.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions, type WeightSpec } from '../layer.ts';
import type { LayerCase } from '../layer-case.ts';
import { checkImage, PADDINGS, type Padding, type Pair, pairOf } from '../windows.ts';

export interface Conv2DOptions extends LayerOptions {
  /** Count of output channels. */
  readonly filters: number;
  /** Height and width of the kernel. */
  readonly kernelSize: Pair;
  /** 1 when left out. */
  readonly strides?: Pair;
  /** `valid` when left out; `same` puts zeros around the image. */
  readonly padding?: Padding;
  /** 1 when left out; over 1 only with stride 1. */
  readonly dilationRate?: Pair;
  /** `linear` when left out. */
  readonly activation?: ActivationLike;
  /** True when left out. */
  readonly useBias?: boolean;
  /** `glorotUniform` when left out. */
  readonly kernelInitializer?: InitializerLike;
  /** `zeros` when left out. */
  readonly biasInitializer?: InitializerLike;
}

const OPTIONS = [
  ...LAYER_OPTIONS,
  ...['filters', 'kernelSize', 'strides', 'padding', 'dilationRate'],
  ...['activation', 'useBias', 'kernelInitializer', 'biasInitializer'],
];

/** x [B, H, W, C] → [B, OH, OW, filters]; weights: kernel [KH, KW, C, filters], bias [filters]. */
export class Conv2D extends Layer {
  override readonly className = 'Conv2D';
  private readonly options;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: Conv2DOptions) {
    checkKnownOptions('conv2d', options, OPTIONS);
    super(options);
    this.options = {
      filters: wholeNumber('conv2d', 'filters', options.filters),
      kernelSize: pairOf('conv2d', 'kernelSize', options.kernelSize),
      strides: pairOf('conv2d', 'strides', options.strides ?? 1),
      padding: oneOf('conv2d', 'padding', options.padding ?? 'valid', PADDINGS),
      dilationRate: pairOf('conv2d', 'dilationRate', options.dilationRate ?? 1),
      activation: resolveActivation('conv2d', options.activation ?? 'linear'),
      useBias: trueOrFalse('conv2d', 'useBias', options.useBias ?? true),
      kernelInitializer: resolveInitializer('conv2d', options.kernelInitializer ?? 'glorotUniform'),
      biasInitializer: resolveInitializer('conv2d', options.biasInitializer ?? 'zeros'),
    };
  }

  override get config(): LayerConfig {
    const { activation, kernelInitializer, biasInitializer, ...plain } = this.options;
    return {
      ...plain,
      activation: describeActivation(this.label, activation),
      kernelInitializer: describeInitializer(kernelInitializer),
      biasInitializer: describeInitializer(biasInitializer),
    };
  }

  override build(inputShape: Shape): readonly WeightSpec[] {
    checkImage(this.label, inputShape);
    const { filters, kernelSize, useBias, kernelInitializer, biasInitializer } = this.options;
    const shape = [...kernelSize, inputShape[2], filters];
    const kernel = { name: 'kernel', shape, initializer: kernelInitializer, trainable: true };
    const bias = { name: 'bias', shape: [filters], initializer: biasInitializer, trainable: true };
    return useBias ? [kernel, bias] : [kernel];
  }

  override call(x: Tensor, [kernel, bias]: readonly Tensor[]): Tensor {
    const { strides, padding, dilationRate: dilation, activation } = this.options;
    const product = conv2dOp(x, kernel, { strides, padding, dilation });
    return activation.apply(bias === undefined ? product : add(product, bias));
  }
}

/** A convolution over images: `conv2d({ filters: 6, kernelSize: 5, activation: 'relu' })`. */
export const conv2d = (options: Conv2DOptions): Conv2D => new Conv2D(options);

/** For the conformance tests. */
export const conv2dCases: readonly LayerCase[] = [
  {
    title: 'conv2d',
    make: () => conv2d({ filters: 4, kernelSize: 3 }),
    inputShape: [7, 6, 3],
    outputShape: [5, 4, 4],
    parameters: 112,
  },
  {
    title: 'conv2d same, strided, relu',
    make: () => conv2d({ filters: 2, kernelSize: [3, 2], strides: [2, 1], padding: 'same', activation: 'relu' }),
    inputShape: [7, 6, 3],
    outputShape: [4, 6, 2],
    parameters: 38,
  },
  {
    title: 'conv2d dilated, without bias',
    make: () => conv2d({ filters: 2, kernelSize: 3, dilationRate: 2, useBias: false }),
    inputShape: [8, 7, 1],
    outputShape: [4, 3, 2],
    parameters: 18,
  },
  {
    title: 'conv2d 1×1',
    make: () => conv2d({ filters: 3, kernelSize: 1, activation: 'tanh' }),
    inputShape: [2, 2, 2],
    outputShape: [2, 2, 3],
    parameters: 9,
  },
];
