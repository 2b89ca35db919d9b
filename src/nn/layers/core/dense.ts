/**
 * Dense: activation(x @ kernel + bias) on the last axis, with Keras' names and defaults (glorotUniform kernel, zero
 * bias, no activation).
 */

import type { Tensor } from '../../../core/tensor.ts';
import { add } from '../../../ops/elementwise/binary.ts';
import { matmul } from '../../../ops/matmul/matmul.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import type { Shape } from '../../../util/shape.ts';
import { type ActivationLike, describeActivation, resolveActivation } from '../../activations.ts';
import { checkKnownOptions, trueOrFalse, wholeNumber } from '../../check-options.ts';
import { describeInitializer, type InitializerLike, resolveInitializer } from '../../initializers.ts';
import {
  type CallContext,
  LAYER_OPTIONS,
  Layer,
  type LayerConfig,
  type LayerOptions,
  type WeightSpec,
} from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import {
  type ActivityOptions,
  describeActivity,
  describeRules,
  penalized,
  resolveActivity,
  resolveRules,
  type WeightRuleOptions,
  weightRuleNames,
} from '../../weight-rules.ts';

export interface DenseOptions extends LayerOptions, ActivityOptions, WeightRuleOptions<'kernel' | 'bias'> {
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

const OPTIONS = [
  ...LAYER_OPTIONS,
  ...['units', 'activation', 'useBias', 'kernelInitializer', 'biasInitializer', 'activityRegularizer'],
  ...weightRuleNames('kernel', 'bias'),
];

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
      kernelRules: resolveRules('dense', 'kernel', options),
      biasRules: resolveRules('dense', 'bias', options),
      activity: resolveActivity('dense', options),
    };
  }

  override get config(): LayerConfig {
    const { units, activation, useBias, kernelInitializer, biasInitializer, ...rules } = this.options;
    return {
      units,
      activation: describeActivation(activation),
      useBias,
      kernelInitializer: describeInitializer(kernelInitializer),
      biasInitializer: describeInitializer(biasInitializer),
      ...describeRules('kernel', rules.kernelRules),
      ...describeRules('bias', rules.biasRules),
      ...describeActivity(rules.activity),
    };
  }

  override build(inputShape: Shape): readonly WeightSpec[] {
    const { units, useBias, kernelInitializer, biasInitializer, kernelRules, biasRules } = this.options;
    const channels = inputShape.at(-1);
    if (channels === undefined) {
      throw new DownhillError('shape', `${this.label}: examples are scalars; it needs at least one axis, such as [1]`);
    }
    const kernel = {
      name: 'kernel',
      shape: [channels, units],
      initializer: kernelInitializer,
      trainable: true,
      ...kernelRules,
    };
    const bias = { name: 'bias', shape: [units], initializer: biasInitializer, trainable: true, ...biasRules };
    return useBias ? [kernel, bias] : [kernel];
  }

  override call(x: Tensor, [kernel, bias]: readonly Tensor[], context: CallContext): Tensor {
    const product = matmul(x, kernel);
    const { activation, activity } = this.options;
    return penalized(activity, activation.apply(bias === undefined ? product : add(product, bias)), context);
  }
}

/** A fully connected layer: `dense({ units: 10, activation: 'softmax' })`. */
export const dense = (options: DenseOptions, ...surplus: Surplus): Dense => sole('dense', surplus, new Dense(options));

/** For the conformance tests. */
export const denseCases: readonly LayerCase[] = [
  {
    title: 'dense with penalties and a constraint',
    make: () => dense({ units: 3, kernelRegularizer: 'l2', biasConstraint: 'nonNeg', activityRegularizer: 'l1' }),
    inputShape: [4],
    outputShape: [3],
    parameters: 15,
  },
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
