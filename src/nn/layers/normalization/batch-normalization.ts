/**
 * BatchNormalization: each channel taken to mean 0 and variance 1 over the batch (and over the pixels), then scaled and
 * moved by learned gamma and beta. At inference, and in training while the layer is frozen, moving averages of mean and
 * variance stand in for the batch's.
 *
 * Source: Ioffe and Szegedy (2015); Keras 3 `layers/normalization/batch_normalization.py` for defaults and for the moving
 * averages, which follow the population variance (divided by n), not the sample's as in the paper.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { ones, zeros } from '../../../ops/create.ts';
import { add, mul, sub } from '../../../ops/elementwise/binary.ts';
import { rsqrt } from '../../../ops/elementwise/unary.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { batchNorm } from '../../../ops/reduction/normalize.ts';
import { mean } from '../../../ops/reduction/reduce.ts';
import { variance } from '../../../ops/reduction/reduce-composite.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import type { Shape } from '../../../util/shape.ts';
import { checkKnownOptions, numberBetween } from '../../check-options.ts';
import { describeInitializer, type InitializerLike, resolveInitializer } from '../../initializers.ts';
import { type CallContext, LAYER_OPTIONS, Layer, type LayerConfig, type WeightSpec } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import {
  AFFINE_OPTIONS,
  type AffineOptions,
  affineConfig,
  affineWeights,
  channelAxis,
  resolveAffine,
  weightsByName,
  wholeAxis,
} from '../affine.ts';

export interface BatchNormalizationOptions extends AffineOptions {
  /** The axis of the channels, counted with the batch axis, or from the end; -1 when left out. */
  readonly axis?: number;
  /** Share of the old moving averages that stays at each step, in [0, 1]; 0.99 when left out. */
  readonly momentum?: number;
  /** `zeros` when left out. */
  readonly movingMeanInitializer?: InitializerLike;
  /** `ones` when left out. */
  readonly movingVarianceInitializer?: InitializerLike;
}

const OPTIONS = [
  ...LAYER_OPTIONS,
  ...AFFINE_OPTIONS,
  ...['axis', 'momentum', 'movingMeanInitializer', 'movingVarianceInitializer'],
];

/** x [B, …] → the same shape; weights: gamma [C], beta [C], movingMean [C], movingVariance [C], C of the chosen axis. */
export class BatchNormalization extends Layer {
  override readonly className = 'BatchNormalization';
  private readonly options;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: BatchNormalizationOptions = {}) {
    const owner = 'batchNormalization';
    checkKnownOptions(owner, options, OPTIONS);
    super(options);
    this.options = {
      axis: wholeAxis(owner, options.axis ?? -1),
      momentum: numberBetween(owner, 'momentum', options.momentum ?? 0.99, 0, 1),
      ...resolveAffine(owner, options),
      movingMeanInitializer: resolveInitializer(owner, options.movingMeanInitializer ?? 'zeros'),
      movingVarianceInitializer: resolveInitializer(owner, options.movingVarianceInitializer ?? 'ones'),
    };
  }

  override get config(): LayerConfig {
    const { axis, momentum, movingMeanInitializer, movingVarianceInitializer } = this.options;
    return {
      axis,
      momentum,
      ...affineConfig(this.options),
      movingMeanInitializer: describeInitializer(movingMeanInitializer),
      movingVarianceInitializer: describeInitializer(movingVarianceInitializer),
    };
  }

  override build(inputShape: Shape): readonly WeightSpec[] {
    const { movingMeanInitializer, movingVarianceInitializer } = this.options;
    const shape = [inputShape[channelAxis(this.label, this.options.axis, inputShape) - 1]];
    return [
      ...affineWeights(this.options, shape),
      { name: 'movingMean', shape, initializer: movingMeanInitializer, trainable: false },
      { name: 'movingVariance', shape, initializer: movingVarianceInitializer, trainable: false },
    ];
  }

  override call(x: Tensor, weights: readonly Tensor[], { training, frozen, assign }: CallContext): Tensor {
    const { epsilon, momentum } = this.options;
    const axis = channelAxis(this.label, this.options.axis, x.shape.slice(1));
    const channels = x.shape[axis];
    const kept = x.shape.map((size, k) => (k === axis ? size : 1));
    const named = weightsByName(this.build(x.shape.slice(1)), weights);
    const { movingMean, movingVariance } = named as { readonly movingMean: Tensor; readonly movingVariance: Tensor };
    const gamma = named.gamma === undefined ? ones(kept) : reshape(named.gamma, kept);
    const beta = named.beta === undefined ? zeros(kept) : reshape(named.beta, kept);
    if (!training || (frozen?.has(this) ?? !this.trainable)) {
      const factor = mul(rsqrt(add(reshape(movingVariance, kept), epsilon)), gamma);
      return add(mul(sub(x, reshape(movingMean, kept)), factor), beta);
    }
    const axes = x.shape.flatMap((_, k) => (k === axis ? [] : [k]));
    const move = (old: Tensor, value: Tensor) => add(mul(old, momentum), mul(reshape(value, [channels]), 1 - momentum));
    assign('movingMean', move(movingMean, mean(x, { axes, keepDims: true })));
    assign('movingVariance', move(movingVariance, variance(x, { axes, keepDims: true })));
    return batchNorm(x, gamma, beta, { axes, epsilon });
  }
}

/** Normalises over the batch: `batchNormalization()`. */
export const batchNormalization = (options: BatchNormalizationOptions = {}, ...surplus: Surplus): BatchNormalization =>
  sole('batchNormalization', surplus, new BatchNormalization(options));

/** For the conformance tests. */
export const batchNormalizationCases: readonly LayerCase[] = [
  {
    title: 'batch normalization',
    make: () => batchNormalization(),
    inputShape: [5],
    outputShape: [5],
    parameters: 20,
  },
  {
    title: 'batch normalization of images',
    make: () => batchNormalization({ momentum: 0.9, epsilon: 1e-5 }),
    inputShape: [4, 3, 2],
    outputShape: [4, 3, 2],
    parameters: 8,
  },
  {
    title: 'batch normalization of the first axis, without scale',
    make: () => batchNormalization({ axis: 1, scale: false, momentum: 0.5 }),
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 9,
  },
  {
    title: 'batch normalization, frozen',
    make: () => batchNormalization({ trainable: false, center: false }),
    inputShape: [2, 3],
    outputShape: [2, 3],
    parameters: 9,
  },
];
