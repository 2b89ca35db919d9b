/**
 * Conv2DTranspose: the transposed convolution, which makes large images of small ones, plus bias and activation; Keras'
 * names, defaults and output sizes (ops/convolution/conv-forms.ts), kernel [KH, KW, filters, C].
 */

import type { Tensor } from '../../../core/tensor.ts';
import { conv2dTranspose as conv2dTransposeOp } from '../../../ops/convolution/conv-forms.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import { formatShape, type Shape } from '../../../util/shape.ts';
import { wholeNumber } from '../../check-options.ts';
import type { InitializerLike } from '../../initializers.ts';
import type { LayerCase } from '../../layer-case.ts';
import type { WeightRuleOptions } from '../../weight-rules.ts';
import { type Padding, type Pair, sizesOf } from '../../windows.ts';
import { Convolution, type ConvolutionOptions } from './convolution.ts';

export interface Conv2DTransposeOptions extends ConvolutionOptions<Pair>, WeightRuleOptions<'kernel'> {
  /** Count of output channels. */
  readonly filters: number;
  /** Elements added at the far end, less than the stride; null, the default: `same` gives size · stride. */
  readonly outputPadding?: Pair | null;
  /** `glorotUniform` when left out. */
  readonly kernelInitializer?: InitializerLike;
}

/** x [B, H, W, C] → [B, OH, OW, filters]; weights: kernel [KH, KW, filters, C], bias [filters]. */
export class Conv2DTranspose extends Convolution {
  override readonly className = 'Conv2DTranspose';
  private readonly filters: number;
  private readonly outputPadding: Pair | null;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: Conv2DTransposeOptions) {
    const owner = 'conv2dTranspose';
    const filters = wholeNumber(owner, 'filters', options?.filters);
    const more = options.outputPadding ?? null;
    const outputPadding = more === null ? null : (sizesOf(owner, 'outputPadding', more, 2, 0) as Pair);
    super(options, { owner, axes: 2, own: { filters, outputPadding }, kernels: ['kernelInitializer'] });
    this.filters = filters;
    this.outputPadding = outputPadding;
    const added = outputPadding as readonly number[] | null;
    if (added?.some((p, k) => p >= this.strides[k])) {
      const found = `outputPadding ${formatShape(added)} with strides ${formatShape(this.strides)}`;
      throw new DownhillError('argument', `${owner}: outputPadding must be below the stride, found ${found}`);
    }
  }

  protected override get slides(): boolean {
    return false;
  }

  protected override kernelShapes(inputShape: Shape) {
    return [['kernel', [...this.kernelSize, this.filters, inputShape[2]]]] as const;
  }

  protected override outputChannels(): number {
    return this.filters;
  }

  protected override convolve(x: Tensor, [kernel]: readonly Tensor[]): Tensor {
    const { strides, padding, dilationRate, outputPadding } = this;
    return conv2dTransposeOp(x, kernel, {
      strides: strides as Pair,
      padding: padding as Padding,
      dilation: dilationRate as Pair,
      outputPadding,
    });
  }
}

/** A transposed convolution: `conv2dTranspose({ filters: 3, kernelSize: 4, strides: 2, padding: 'same' })`. */
export const conv2dTranspose = (options: Conv2DTransposeOptions, ...surplus: Surplus): Conv2DTranspose =>
  sole('conv2dTranspose', surplus, new Conv2DTranspose(options));

/** For the conformance tests. */
export const conv2dTransposeCases: readonly LayerCase[] = [
  {
    title: 'transposed conv2d, same',
    make: () => conv2dTranspose({ filters: 3, kernelSize: [4, 3], strides: 2, padding: 'same', activation: 'tanh' }),
    inputShape: [3, 4, 2],
    outputShape: [6, 8, 3],
    parameters: 75,
  },
  {
    title: 'transposed conv2d with output padding',
    make: () => conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, outputPadding: [1, 0] }),
    inputShape: [2, 3, 1],
    outputShape: [6, 8, 2],
    parameters: 10,
  },
];
