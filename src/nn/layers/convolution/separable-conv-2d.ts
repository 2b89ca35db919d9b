/**
 * SeparableConv2D: a depthwise convolution, then a 1×1 convolution over its channels, plus bias and activation; Keras'
 * names and defaults. Source: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions" (2017).
 */

import type { Tensor } from '../../../core/tensor.ts';
import { conv2d } from '../../../ops/convolution/conv.ts';
import { depthwiseConv2d } from '../../../ops/convolution/depthwise.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import type { Shape } from '../../../util/shape.ts';
import { wholeNumber } from '../../check-options.ts';
import type { InitializerLike } from '../../initializers.ts';
import type { LayerCase } from '../../layer-case.ts';
import type { WeightRuleOptions } from '../../weight-rules.ts';
import type { Padding, Pair } from '../../windows.ts';
import { Convolution, type ConvolutionOptions } from './convolution.ts';

export interface SeparableConv2DOptions extends ConvolutionOptions<Pair>, WeightRuleOptions<'depthwise' | 'pointwise'> {
  /** Count of output channels. */
  readonly filters: number;
  /** Depthwise filters of each channel; 1 when left out. */
  readonly depthMultiplier?: number;
  /** `glorotUniform` when left out. */
  readonly depthwiseInitializer?: InitializerLike;
  /** `glorotUniform` when left out. */
  readonly pointwiseInitializer?: InitializerLike;
}

/**
 * x [B, H, W, C] → [B, OH, OW, filters]; weights: depthwiseKernel [KH, KW, C, M], pointwiseKernel [1, 1, C·M, filters],
 * bias [filters]; M is depthMultiplier.
 */
export class SeparableConv2D extends Convolution {
  override readonly className = 'SeparableConv2D';
  private readonly filters: number;
  private readonly depthMultiplier: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: SeparableConv2DOptions) {
    const owner = 'separableConv2d';
    const filters = wholeNumber(owner, 'filters', options?.filters);
    const depthMultiplier = wholeNumber(owner, 'depthMultiplier', options.depthMultiplier ?? 1);
    const kernels = ['depthwiseInitializer', 'pointwiseInitializer'];
    super(options, { owner, axes: 2, own: { filters, depthMultiplier }, kernels });
    this.filters = filters;
    this.depthMultiplier = depthMultiplier;
  }

  protected override kernelShapes(inputShape: Shape) {
    const [channels, M] = [inputShape[2], this.depthMultiplier];
    return [
      ['depthwiseKernel', [...this.kernelSize, channels, M]],
      ['pointwiseKernel', [1, 1, channels * M, this.filters]],
    ] as const;
  }

  protected override outputChannels(): number {
    return this.filters;
  }

  protected override convolve(x: Tensor, [depthwise, pointwise]: readonly Tensor[]): Tensor {
    const { strides, padding, dilationRate } = this;
    const window = { strides: strides as Pair, padding: padding as Padding, dilation: dilationRate as Pair };
    return conv2d(depthwiseConv2d(x, depthwise, window), pointwise);
  }
}

/** A depthwise and a 1×1 convolution: `separableConv2d({ filters: 32, kernelSize: 3 })`. */
export const separableConv2d = (options: SeparableConv2DOptions, ...surplus: Surplus): SeparableConv2D =>
  sole('separableConv2d', surplus, new SeparableConv2D(options));

/** For the conformance tests. */
export const separableConv2dCases: readonly LayerCase[] = [
  {
    title: 'separable conv2d',
    make: () => separableConv2d({ filters: 4, kernelSize: 3, depthMultiplier: 2, activation: 'relu' }),
    inputShape: [5, 6, 3],
    outputShape: [3, 4, 4],
    parameters: 82,
  },
];
