/**
 * ActivityRegularization: gives its input unchanged and adds l1 · Σ|x| + l2 · Σx², over the size of the batch, to the
 * loss.
 * Source: Keras 3 `layers/regularization/activity_regularization.py`.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import { checkKnownOptions, numberBetween } from '../../check-options.ts';
import { type CallContext, LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { l1l2 } from '../../regularizers.ts';
import { penalized } from '../../weight-rules.ts';

export interface ActivityRegularizationOptions extends LayerOptions {
  /** Factor of the absolute values, at least 0; 0 when left out. */
  readonly l1?: number;
  /** Factor of the squares, at least 0; 0 when left out. */
  readonly l2?: number;
}

/** x [B, …] → x; no weights. */
export class ActivityRegularization extends Layer {
  override readonly className = 'ActivityRegularization';
  private readonly factors;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: ActivityRegularizationOptions = {}) {
    checkKnownOptions('activityRegularization', options, [...LAYER_OPTIONS, 'l1', 'l2']);
    super(options);
    this.factors = {
      l1: numberBetween('activityRegularization', 'l1', options.l1 ?? 0, 0),
      l2: numberBetween('activityRegularization', 'l2', options.l2 ?? 0, 0),
    };
  }

  override get config(): LayerConfig {
    return this.factors;
  }

  override call(x: Tensor, _weights: readonly Tensor[], context: CallContext): Tensor {
    const { l1, l2 } = this.factors;
    return penalized(l1 > 0 || l2 > 0 ? l1l2(this.factors) : undefined, x, context);
  }
}

/** A penalty on the values that pass: `activityRegularization({ l1: 1e-4 })`. */
export const activityRegularization = (
  options: ActivityRegularizationOptions = {},
  ...surplus: Surplus
): ActivityRegularization => sole('activityRegularization', surplus, new ActivityRegularization(options));

/** For the conformance tests. */
export const activityRegularizationCases: readonly LayerCase[] = [
  {
    title: 'activity regularization',
    make: () => activityRegularization({ l1: 1e-3, l2: 1e-3 }),
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 0,
  },
];
