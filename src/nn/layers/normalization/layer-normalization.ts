/**
 * LayerNormalization: each example by itself taken to mean 0 and variance 1 over the chosen axes, then scaled and moved by
 * learned gamma and beta, which have the sizes of these axes. Training and inference are the same.
 *
 * Source: Ba, Kiros and Hinton, "Layer Normalization" (2016); Keras 3 for defaults.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { standardize } from '../../../ops/reduction/normalize.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { DownhillError } from '../../../util/errors.ts';
import type { Shape } from '../../../util/shape.ts';
import { checkKnownOptions, show } from '../../check-options.ts';
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

export interface LayerNormalizationOptions extends AffineOptions {
  /** The axis that is normalised, or several, counted with the batch axis or from the end; -1 when left out. */
  readonly axis?: number | readonly number[];
}

/** x [B, …] → the same shape; weights: gamma and beta, of the sizes of the axes. */
export class LayerNormalization extends Layer {
  override readonly className = 'LayerNormalization';
  private readonly options;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: LayerNormalizationOptions = {}) {
    checkKnownOptions('layerNormalization', options, [...LAYER_OPTIONS, ...AFFINE_OPTIONS, 'axis']);
    super(options);
    this.options = {
      axis: checkAxes(options.axis ?? -1),
      ...resolveAffine('layerNormalization', options),
    };
  }

  override get config(): LayerConfig {
    return { axis: this.options.axis, ...affineConfig(this.options) };
  }

  override build(inputShape: Shape): readonly WeightSpec[] {
    const axes = this.axesOf(inputShape);
    return affineWeights(
      this.options,
      axes.map((axis) => inputShape[axis - 1]),
    );
  }

  override call(x: Tensor, weights: readonly Tensor[]): Tensor {
    const axes = this.axesOf(x.shape.slice(1));
    const shape = x.shape.map((size, axis) => (axes.includes(axis) ? size : 1));
    const named = weightsByName(this.build(x.shape.slice(1)), weights);
    return applyAffine(standardize(x, { axes, epsilon: this.options.epsilon }), named, shape);
  }

  /** Sorted. @throws DownhillError `shape` when there is no such axis, `argument` when one is named twice. */
  private axesOf(inputShape: Shape): number[] {
    const { axis } = this.options;
    const axes = [axis].flat().map((one) => channelAxis(this.label, one, inputShape));
    if (new Set(axes).size === axes.length) return axes.sort((a, b) => a - b);
    throw new DownhillError('argument', `${this.label}: axis ${show(axis)} names an axis twice`);
  }
}

/** @throws DownhillError `argument` unless `value` is the number of an axis or a list of some. */
function checkAxes(value: unknown): number | readonly number[] {
  if (!Array.isArray(value)) return wholeAxis('layerNormalization', value);
  if (value.length > 0) return value.map((axis) => wholeAxis('layerNormalization', axis));
  throw new DownhillError('argument', 'layerNormalization: axis is an empty list; name at least one axis, such as -1');
}

/** Normalises each example: `layerNormalization()`. */
export const layerNormalization = (options: LayerNormalizationOptions = {}, ...surplus: Surplus): LayerNormalization =>
  sole('layerNormalization', surplus, new LayerNormalization(options));

/** For the conformance tests. */
export const layerNormalizationCases: readonly LayerCase[] = [
  {
    title: 'layer normalization',
    make: () => layerNormalization(),
    inputShape: [4, 5],
    outputShape: [4, 5],
    parameters: 10,
  },
  {
    title: 'layer normalization over two axes, without scale',
    make: () => layerNormalization({ axis: [1, 2], scale: false, epsilon: 1e-5 }),
    inputShape: [3, 4, 2],
    outputShape: [3, 4, 2],
    parameters: 12,
  },
];
