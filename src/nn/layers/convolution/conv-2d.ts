/**
 * Conv2D: activation(conv2d(x, kernel) + bias) on channels-last images, with Keras' names and defaults (glorotUniform
 * kernel [KH, KW, C/groups, filters], zero bias, stride 1, `valid` padding, one group, no activation).
 */

import type { Tensor } from '../../../core/tensor.ts';
import { groupedConv2d } from '../../../ops/convolution/conv-forms.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import type { LayerCase } from '../../layer-case.ts';
import type { Padding, Pair } from '../../windows.ts';
import { GroupedConvolution, type GroupedConvolutionOptions } from './grouped-convolution.ts';

/** Sizes are one number for both axes, or [height, width]. */
export interface Conv2DOptions extends GroupedConvolutionOptions<Pair> {}

/** x [B, H, W, C] → [B, OH, OW, filters]; weights: kernel [KH, KW, C/groups, filters], bias [filters]. */
export class Conv2D extends GroupedConvolution {
  override readonly className = 'Conv2D';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: Conv2DOptions) {
    super('conv2d', 2, options);
  }

  protected override convolve(x: Tensor, [kernel]: readonly Tensor[]): Tensor {
    return groupedConv2d(x, kernel, {
      groups: this.groups,
      strides: this.strides as Pair,
      padding: this.padding as Padding,
      dilation: this.dilationRate as Pair,
    });
  }
}

/** A convolution over images: `conv2d({ filters: 6, kernelSize: 5, activation: 'relu' })`. */
export const conv2d = (options: Conv2DOptions, ...surplus: Surplus): Conv2D =>
  sole('conv2d', surplus, new Conv2D(options));

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
  {
    title: 'conv2d in groups',
    make: () => conv2d({ filters: 6, kernelSize: 3, groups: 2, padding: 'same' }),
    inputShape: [4, 5, 4],
    outputShape: [4, 5, 6],
    parameters: 114,
  },
];
