/**
 * GroupNormalization: the channels of each example in groups, each group taken to mean 0 and variance 1 over its channels
 * and all pixels, then scaled and moved by gamma and beta, one of each a channel. One group a channel is instance
 * normalisation. Training and inference are the same.
 *
 * Source: Wu and He, "Group Normalization" (2018); Keras 3 for defaults.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { reshape } from '../../../ops/layout/shape.ts';
import { standardize } from '../../../ops/reduction/normalize.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import type { Shape } from '../../../util/shape.ts';
import { checkKnownOptions, wholeNumber } from '../../check-options.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type WeightSpec } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

import {
  AFFINE_OPTIONS,
  type AffineOptions,
  affineConfig,
  affineWeights,
  applyAffine,
  channelAxis,
  resolveAffine,
  weightsByName,
  wholeAxis,
} from '../affine.ts';

export interface GroupNormalizationOptions extends AffineOptions {
  /** Count of groups, which must divide the channels; -1 for a group a channel; 32 when left out. */
  readonly groups?: number;
  /** The axis of the channels, counted with the batch axis, or from the end; -1 when left out. */
  readonly axis?: number;
}

/** x [B, …] → the same shape; weights: gamma [C], beta [C], C of the chosen axis. */
export class GroupNormalization extends Layer {
  override readonly className = 'GroupNormalization';
  private readonly options;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: GroupNormalizationOptions = {}) {
    checkKnownOptions('groupNormalization', options, [...LAYER_OPTIONS, ...AFFINE_OPTIONS, 'groups', 'axis']);
    super(options);
    const { groups = 32, axis = -1 } = options;
    this.options = {
      groups: groups === -1 ? -1 : wholeNumber('groupNormalization', 'groups', groups),
      axis: wholeAxis('groupNormalization', axis),
      ...resolveAffine('groupNormalization', options),
    };
  }

  override get config(): LayerConfig {
    return { groups: this.options.groups, axis: this.options.axis, ...affineConfig(this.options) };
  }

  override build(inputShape: Shape): readonly WeightSpec[] {
    return affineWeights(this.options, [inputShape[this.split(inputShape).axis - 1]]);
  }

  override call(x: Tensor, weights: readonly Tensor[]): Tensor {
    const { axis, groups } = this.split(x.shape.slice(1));
    const grouped = [...x.shape.slice(0, axis), groups, x.shape[axis] / groups, ...x.shape.slice(axis + 1)];
    const axes = grouped.flatMap((_, k) => (k === 0 || k === axis ? [] : [k]));
    const normal = reshape(standardize(reshape(x, grouped), { axes, epsilon: this.options.epsilon }), x.shape);
    const shape = x.shape.map((size, k) => (k === axis ? size : 1));
    return applyAffine(normal, weightsByName(this.build(x.shape.slice(1)), weights), shape);
  }

  /** The axis of the channels and the count of groups. @throws DownhillError `shape` unless they divide. */
  private split(inputShape: Shape): { axis: number; groups: number } {
    const axis = channelAxis(this.label, this.options.axis, inputShape);
    const channels = inputShape[axis - 1];
    const groups = this.options.groups === -1 ? channels : this.options.groups;
    if (channels % groups === 0) return { axis, groups };
    throw new DownhillError(
      'shape',
      `${this.label}: ${channels} channels do not divide into ${groups} groups; choose groups among the divisors of ${channels}, or -1`,
    );
  }
}

/** Normalises groups of channels: `groupNormalization({ groups: 8 })`. */
export const groupNormalization = (options: GroupNormalizationOptions = {}, ...surplus: Surplus): GroupNormalization =>
  sole('groupNormalization', surplus, new GroupNormalization(options));

/** For the conformance tests. */
export const groupNormalizationCases: readonly LayerCase[] = [
  {
    title: 'group normalization',
    make: () => groupNormalization({ groups: 2 }),
    inputShape: [3, 2, 4],
    outputShape: [3, 2, 4],
    parameters: 8,
  },
  {
    title: 'group normalization, a group a channel, of the first axis',
    make: () => groupNormalization({ groups: -1, axis: 1, center: false }),
    inputShape: [3, 5],
    outputShape: [3, 5],
    parameters: 3,
  },
];
