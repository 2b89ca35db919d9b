/**
 * Conv1D: activation(conv1d(x, kernel) + bias) over sequences, with Keras' names and defaults. `causal` padding puts
 * dilationRate · (kernelSize − 1) zeros in front, so that no step sees a later one (van den Oord et al., "WaveNet",
 * 2016).
 */

import type { Tensor } from '../../../core/tensor.ts';
import { conv1d as conv1dOp } from '../../../ops/convolution/conv-forms.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import type { LayerCase } from '../../layer-case.ts';
import type { Padding } from '../../windows.ts';
import { GroupedConvolution, type GroupedConvolutionOptions } from './grouped-convolution.ts';

/** Sizes are one number, or a list of one as in Keras. */
export interface Conv1DOptions extends Omit<GroupedConvolutionOptions<number | readonly [number]>, 'padding'> {
  /** `valid` when left out; `same` puts zeros on both sides, `causal` in front only. */
  readonly padding?: Padding | 'causal';
}

/** x [B, L, C] → [B, OL, filters]; weights: kernel [K, C/groups, filters], bias [filters]. */
export class Conv1D extends GroupedConvolution {
  override readonly className = 'Conv1D';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: Conv1DOptions) {
    super('conv1d', 1, options as GroupedConvolutionOptions<number>, ['valid', 'same', 'causal']);
  }

  protected override convolve(x: Tensor, [kernel]: readonly Tensor[]): Tensor {
    return conv1dOp(x, kernel, {
      groups: this.groups,
      strides: this.strides[0],
      padding: this.padding as Padding | 'causal',
      dilation: this.dilationRate[0],
    });
  }
}

/** A convolution over sequences: `conv1d({ filters: 8, kernelSize: 3, padding: 'causal' })`. */
export const conv1d = (options: Conv1DOptions, ...surplus: Surplus): Conv1D =>
  sole('conv1d', surplus, new Conv1D(options));

/** For the conformance tests. */
export const conv1dCases: readonly LayerCase[] = [
  {
    title: 'conv1d causal, dilated, relu',
    make: () => conv1d({ filters: 4, kernelSize: 3, padding: 'causal', dilationRate: 2, activation: 'relu' }),
    inputShape: [7, 3],
    outputShape: [7, 4],
    parameters: 40,
  },
  {
    title: 'conv1d strided, in groups',
    make: () => conv1d({ filters: 2, kernelSize: [3], strides: 2, groups: 2 }),
    inputShape: [8, 4],
    outputShape: [3, 2],
    parameters: 14,
  },
];
