/**
 * DepthwiseConv2D: each channel convolved by itself with depthMultiplier filters, plus bias and activation; Keras'
 * names and defaults, output channel c · depthMultiplier + m. Strides may differ along the axes (TensorFlow's may not).
 */

import type { Tensor } from '../../../core/tensor.ts';
import { depthwiseConv2d as depthwiseConv2dOp } from '../../../ops/convolution/depthwise.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import type { Shape } from '../../../util/shape.ts';
import { wholeNumber } from '../../check-options.ts';
import type { InitializerLike } from '../../initializers.ts';
import type { LayerCase } from '../../layer-case.ts';
import type { WeightRuleOptions } from '../../weight-rules.ts';
import type { Padding, Pair } from '../../windows.ts';
import { Convolution, type ConvolutionOptions } from './convolution.ts';

export interface DepthwiseConv2DOptions extends ConvolutionOptions<Pair>, WeightRuleOptions<'depthwise'> {
  /** Filters of each channel; 1 when left out. */
  readonly depthMultiplier?: number;
  /** `glorotUniform` when left out. */
  readonly depthwiseInitializer?: InitializerLike;
}

/** x [B, H, W, C] → [B, OH, OW, C·M]; weights: kernel [KH, KW, C, M], bias [C·M]; M is depthMultiplier. */
export class DepthwiseConv2D extends Convolution {
  override readonly className = 'DepthwiseConv2D';
  private readonly depthMultiplier: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: DepthwiseConv2DOptions) {
    const owner = 'depthwiseConv2d';
    const depthMultiplier = wholeNumber(owner, 'depthMultiplier', options?.depthMultiplier ?? 1);
    super(options, { owner, axes: 2, own: { depthMultiplier }, kernels: ['depthwiseInitializer'] });
    this.depthMultiplier = depthMultiplier;
  }

  protected override kernelShapes(inputShape: Shape) {
    return [['kernel', [...this.kernelSize, inputShape[2], this.depthMultiplier]]] as const;
  }

  protected override outputChannels(inputShape: Shape): number {
    return inputShape[2] * this.depthMultiplier;
  }

  protected override convolve(x: Tensor, [kernel]: readonly Tensor[]): Tensor {
    const { strides, padding, dilationRate } = this;
    return depthwiseConv2dOp(x, kernel, {
      strides: strides as Pair,
      padding: padding as Padding,
      dilation: dilationRate as Pair,
    });
  }
}

/** A convolution of each channel by itself: `depthwiseConv2d({ kernelSize: 3, padding: 'same' })`. */
export const depthwiseConv2d = (options: DepthwiseConv2DOptions, ...surplus: Surplus): DepthwiseConv2D =>
  sole('depthwiseConv2d', surplus, new DepthwiseConv2D(options));

/** For the conformance tests. */
export const depthwiseConv2dCases: readonly LayerCase[] = [
  {
    title: 'depthwise conv2d, two filters a channel, strided',
    make: () => depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same', depthMultiplier: 2 }),
    inputShape: [5, 6, 3],
    outputShape: [3, 3, 6],
    parameters: 60,
  },
];
