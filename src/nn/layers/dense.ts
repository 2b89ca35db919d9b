/**
 * Dense: activation(x @ kernel + bias) on the last axis, with Keras' names and defaults (glorotUniform kernel, zero
 * bias, no activation).
 */

import type { Tensor } from '../../core/tensor.ts';
import { add } from '../../ops/binary.ts';
import { matmul } from '../../ops/matmul.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Shape } from '../../util/shape.ts';
import { type ActivationLike, describeActivation, resolveActivation } from '../activations.ts';
import { checkKnownOptions, trueOrFalse, wholeNumber } from '../check-options.ts';
import { describeInitializer, type InitializerLike, resolveInitializer } from '../initializers.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions, type WeightSpec } from '../layer.ts';
import type { LayerCase } from '../layer-case.ts';

export interface DenseOptions extends LayerOptions {
  /** Size of the output's last axis. */
  readonly units: number;
  /** `linear` when left out. */
  readonly activation?: ActivationLike;
  /** True when left out. */
  readonly useBias?: boolean;
  /** `glorotUniform` when left out. */
  readonly kernelInitializer?: InitializerLike;
  /** `zeros` when left out. */
  readonly biasInitializer?: InitializerLike;
}

const OPTIONS = [...LAYER_OPTIONS, 'units', 'activation', 'useBias', 'kernelInitializer', 'biasInitializer'];

/** x [B, …, C] → [B, …, units]; weights: kernel [C, units], bias [units]. */
export class Dense extends Layer {
  override readonly className = 'Dense';
  private readonly options;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: DenseOptions) {
    checkKnownOptions('dense', options, OPTIONS);
    super(options);
    this.options = {
      units: wholeNumber('dense', 'units', options.units),
      activation: resolveActivation('dense', options.activation ?? 'linear'),
      useBias: trueOrFalse('dense', 'useBias', options.useBias ?? true),
      kernelInitializer: resolveInitializer('dense', options.kernelInitializer ?? 'glorotUniform'),
      biasInitializer: resolveInitializer('dense', options.biasInitializer ?? 'zeros'),
    };
  }

  override get config(): LayerConfig {
    const { units, activation, useBias, kernelInitializer, biasInitializer } = this.options;
    return {
      units,
      activation: describeActivation(this.label, activation),
      useBias,
      kernelInitializer: describeInitializer(kernelInitializer),
      biasInitializer: describeInitializer(biasInitializer),
    };
  }

  override build(inputShape: Shape): readonly WeightSpec[] {
    const { units, useBias, kernelInitializer, biasInitializer } = this.options;
    const channels = inputShape.at(-1);
    if (channels === undefined) {
      throw new DownhillError('shape', `${this.label}: examples are scalars; it needs at least one axis, such as [1]`);
    }
    const kernel = { name: 'kernel', shape: [channels, units], initializer: kernelInitializer, trainable: true };
    const bias = { name: 'bias', shape: [units], initializer: biasInitializer, trainable: true };
    return useBias ? [kernel, bias] : [kernel];
  }

  override call(x: Tensor, [kernel, bias]: readonly Tensor[]): Tensor {
    const product = matmul(x, kernel);
    return this.options.activation.apply(bias === undefined ? product : add(product, bias));
  }
}

/** A fully connected layer: `dense({ units: 10, activation: 'softmax' })`. */
export const dense = (options: DenseOptions): Dense => new Dense(options);

/** For the conformance tests. */
export const denseCases: readonly LayerCase[] = [
  { title: 'dense', make: () => dense({ units: 4 }), inputShape: [5], outputShape: [4], parameters: 24 },
  {
    title: 'dense without bias, relu',
    make: () => dense({ units: 3, activation: 'relu', useBias: false, kernelInitializer: 'heNormal' }),
    inputShape: [7],
    outputShape: [3],
    parameters: 21,
  },
  {
    title: 'dense on the last of three axes',
    make: () => dense({ units: 2, activation: 'tanh' }),
    inputShape: [3, 4],
    outputShape: [3, 2],
    parameters: 10,
  },
  {
    title: 'dense of one unit',
    make: () => dense({ units: 1, activation: 'sigmoid', biasInitializer: 'ones' }),
    inputShape: [1],
    outputShape: [1],
    parameters: 2,
  },
];
