/**
 * Conv3D: activation(conv3d(x, kernel) + bias) over volumes [D, H, W, C], with Keras' names and defaults.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { conv3d as conv3dOp, type Triple } from '../../../ops/convolution/conv-forms.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import type { LayerCase } from '../../layer-case.ts';
import type { Padding } from '../../windows.ts';
import { GroupedConvolution, type GroupedConvolutionOptions } from './grouped-convolution.ts';

/** Sizes are one number for all axes, or [depth, height, width]. */
export interface Conv3DOptions extends GroupedConvolutionOptions<Triple> {}

/** x [B, D, H, W, C] → [B, OD, OH, OW, filters]; weights: kernel [KD, KH, KW, C/groups, filters], bias [filters]. */
export class Conv3D extends GroupedConvolution {
  override readonly className = 'Conv3D';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: Conv3DOptions) {
    super('conv3d', 3, options);
  }

  protected override convolve(x: Tensor, [kernel]: readonly Tensor[]): Tensor {
    return conv3dOp(x, kernel, {
      groups: this.groups,
      strides: this.strides as Triple,
      padding: this.padding as Padding,
      dilation: this.dilationRate as Triple,
    });
  }
}

/** A convolution over volumes: `conv3d({ filters: 8, kernelSize: 3 })`. */
export const conv3d = (options: Conv3DOptions, ...surplus: Surplus): Conv3D =>
  sole('conv3d', surplus, new Conv3D(options));

/** For the conformance tests. */
export const conv3dCases: readonly LayerCase[] = [
  {
    title: 'conv3d, same, strided',
    make: () => conv3d({ filters: 3, kernelSize: [2, 3, 1], strides: [2, 1, 1], padding: 'same' }),
    inputShape: [3, 4, 2, 2],
    outputShape: [2, 4, 2, 3],
    parameters: 39,
  },
];
