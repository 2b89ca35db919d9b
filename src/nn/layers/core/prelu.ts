/**
 * PReLU: a leaky relu whose slope below 0 is learned, one for each value of an example, or shared along some axes.
 * Source: He, Zhang, Ren and Sun (2015); Keras 3 `layers/activations/prelu.py`.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { relu as reluOp } from '../../../ops/elementwise/activations.ts';
import { mul, sub } from '../../../ops/elementwise/binary.ts';
import { neg } from '../../../ops/elementwise/neg.ts';
import { type Surplus, sole } from '../../../util/check-options.ts';
import type { Shape } from '../../../util/shape.ts';
import { checkKnownOptions } from '../../check-options.ts';
import { describeInitializer, type InitializerLike, initializers, resolveInitializer } from '../../initializers.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions, type WeightSpec } from '../../layer.ts';
import type { LayerCase } from '../../layer-case.ts';
import { describeRules, resolveRules, type WeightRuleOptions, weightRuleNames } from '../../weight-rules.ts';
import { channelAxis, wholeAxis } from '../affine.ts';

export interface PReLUOptions extends LayerOptions, WeightRuleOptions<'alpha'> {
  /** `zeros` when left out. */
  readonly alphaInitializer?: InitializerLike;
  /** Axes along which one slope serves, counted with the batch axis: [1, 2] for one slope a channel of an image. */
  readonly sharedAxes?: number | readonly number[] | null;
}

/** x [B, …] → the same shape; weight: alpha, of the shape of an example with 1 at the shared axes. */
export class PReLU extends Layer {
  override readonly className = 'PReLU';
  private readonly options;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: PReLUOptions = {}) {
    checkKnownOptions('prelu', options, [
      ...LAYER_OPTIONS,
      'alphaInitializer',
      'sharedAxes',
      ...weightRuleNames('alpha'),
    ]);
    super(options);
    this.options = {
      alphaInitializer: resolveInitializer('prelu', options.alphaInitializer ?? 'zeros'),
      sharedAxes: checkShared(options.sharedAxes ?? null),
      alphaRules: resolveRules('prelu', 'alpha', options),
    };
  }

  override get config(): LayerConfig {
    return {
      alphaInitializer: describeInitializer(this.options.alphaInitializer),
      sharedAxes: this.options.sharedAxes,
      ...describeRules('alpha', this.options.alphaRules),
    };
  }

  override build(inputShape: Shape): readonly WeightSpec[] {
    const { alphaInitializer, sharedAxes, alphaRules } = this.options;
    const shared = (sharedAxes ?? []).map((axis) => channelAxis(this.label, axis, inputShape));
    const shape = inputShape.map((size, k) => (shared.includes(k + 1) ? 1 : size));
    return [{ name: 'alpha', shape, initializer: alphaInitializer, trainable: true, ...alphaRules }];
  }

  override call(x: Tensor, [alpha]: readonly Tensor[]): Tensor {
    return sub(reluOp(x), mul(alpha, reluOp(neg(x))));
  }
}

function checkShared(axes: number | readonly number[] | null): readonly number[] | null {
  return axes === null ? null : [axes].flat().map((axis) => wholeAxis('prelu', axis));
}

/** A relu with a learned slope: `prelu({ sharedAxes: [1, 2] })`. */
export const prelu = (options: PReLUOptions = {}, ...surplus: Surplus): PReLU =>
  sole('prelu', surplus, new PReLU(options));

/** For the conformance tests. */
export const preluCases: readonly LayerCase[] = [
  {
    title: 'prelu',
    make: () => prelu({ alphaInitializer: initializers.constant({ value: 0.2 }) }),
    inputShape: [3, 4],
    outputShape: [3, 4],
    parameters: 12,
  },
  {
    title: 'prelu, one slope a channel',
    make: () => prelu({ sharedAxes: [1, 2] }),
    inputShape: [3, 2, 4],
    outputShape: [3, 2, 4],
    parameters: 4,
  },
];
