/**
 * Activation: a function of the activations table as a layer of its own.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { type ActivationLike, describeActivation, resolveActivation } from '../../activations.ts';
import { checkKnownOptions } from '../../check-options.ts';
import { Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';

export interface ActivationOptions extends LayerOptions {
  readonly activation: ActivationLike;
}

/** x [B, …] → the same shape; no weights. */
export class Activation extends Layer {
  override readonly className = 'Activation';
  private readonly activation;

  /** @throws DownhillError `argument` for an unknown name, with the nearest one. */
  constructor(options: ActivationOptions) {
    checkKnownOptions('activation', options, ['activation', 'name']);
    super(options);
    this.activation = resolveActivation('activation', options.activation);
  }

  override get config(): LayerConfig {
    return { activation: describeActivation(this.activation) };
  }

  override call(x: Tensor): Tensor {
    return this.activation.apply(x);
  }
}

/** An activation as a layer: `activation({ activation: 'relu' })`. */
export const activation = (options: ActivationOptions, ...surplus: Surplus): Activation =>
  sole('activation', surplus, new Activation(options));

/** For the conformance tests. */
export const activationCases: readonly LayerCase[] = [
  {
    title: 'activation relu',
    make: () => activation({ activation: 'relu' }),
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 0,
  },
  {
    title: 'activation softmax',
    make: () => activation({ activation: 'softmax' }),
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 0,
  },
  {
    title: 'activation gelu',
    make: () => activation({ activation: 'gelu' }),
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 0,
  },
];
