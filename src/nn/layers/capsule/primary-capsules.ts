/**
 * PrimaryCapsules: a convolution whose output channels are cut into capsules, vectors of `dimension` values at each
 * place of each of `channels` kinds, squashed to a length below 1.
 * Source: Sabour, Frosst, Hinton, "Dynamic routing between capsules", NeurIPS 2017, section 4.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { conv2d } from '../../../ops/convolution/conv.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import type { Shape } from '../../../util/shape.ts';
import { wholeNumber } from '../../check-options.ts';
import type { InitializerLike } from '../../initializers.ts';
import type { CallContext } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { squash } from '../../squash.ts';
import type { WeightRuleOptions } from '../../weight-rules.ts';
import type { Padding, Pair } from '../../windows.ts';
import { Convolution, type ConvolutionOptions } from '../convolution/convolution.ts';

export interface PrimaryCapsulesOptions extends ConvolutionOptions<Pair>, WeightRuleOptions<'kernel'> {
  /** Kinds of capsules at each position. */
  readonly channels: number;
  /** Values of a capsule. */
  readonly dimension: number;
  /** `glorotUniform` when left out. */
  readonly kernelInitializer?: InitializerLike;
}

/** x [B, H, W, C] → [B, OH · OW · channels, dimension]; weights: kernel [KH, KW, C, channels · dimension], bias. */
export class PrimaryCapsules extends Convolution {
  override readonly className = 'PrimaryCapsules';
  private readonly channels: number;
  private readonly dimension: number;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: PrimaryCapsulesOptions) {
    const owner = 'primaryCapsules';
    const channels = wholeNumber(owner, 'channels', options?.channels);
    const dimension = wholeNumber(owner, 'dimension', options.dimension);
    super(options, { owner, axes: 2, own: { channels, dimension }, kernels: ['kernelInitializer'] });
    this.channels = channels;
    this.dimension = dimension;
  }

  protected override kernelShapes(inputShape: Shape) {
    return [['kernel', [...this.kernelSize, inputShape[2], this.outputChannels()]]] as const;
  }

  protected override outputChannels(): number {
    return this.channels * this.dimension;
  }

  protected override convolve(x: Tensor, [kernel]: readonly Tensor[]): Tensor {
    return conv2d(x, kernel, {
      strides: this.strides as Pair,
      padding: this.padding as Padding,
      dilation: this.dilationRate as Pair,
    });
  }

  override call(x: Tensor, weights: readonly Tensor[], context: CallContext): Tensor {
    const maps = super.call(x, weights, context);
    return squash(reshape(maps, [x.shape[0], -1, this.dimension]));
  }
}

/**
 * The first capsules over images or maps: `primaryCapsules({ channels: 32, dimension: 8, kernelSize: 9, strides: 2 })`.
 */
export const primaryCapsules = (options: PrimaryCapsulesOptions, ...surplus: Surplus): PrimaryCapsules =>
  sole('primaryCapsules', surplus, new PrimaryCapsules(options));

/** For the conformance tests. */
export const primaryCapsulesCases: readonly LayerCase[] = [
  {
    title: 'primary capsules',
    make: () => primaryCapsules({ channels: 2, dimension: 3, kernelSize: 3, strides: 2 }),
    inputShape: [7, 5, 2],
    outputShape: [12, 3],
    parameters: 114,
  },
  {
    title: 'primary capsules, same padding, no bias',
    make: () =>
      primaryCapsules({
        channels: 1,
        dimension: 4,
        kernelSize: [2, 3],
        padding: 'same',
        useBias: false,
        activation: 'relu',
      }),
    inputShape: [3, 4, 1],
    outputShape: [12, 4],
    parameters: 24,
  },
];
