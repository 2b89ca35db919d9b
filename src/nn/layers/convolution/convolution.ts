/**
 * What the convolution layers share: options with Keras' names and defaults, their checks, activation(convolve + bias).
 *
 * Invariant: a subclass says how many axes windows slide along, which weights there are and how they are convolved; the
 * bias, one for each output channel, is the last weight.
 * Source: Keras 3 `keras/src/layers/convolutional/base_conv.py` and its neighbours.
 */

import type { Tensor } from '../../../core/tensor.ts';
import { add } from '../../../ops/elementwise/binary.ts';
import { DownhillError } from '../../../util/errors.ts';
import { formatShape, type Shape } from '../../../util/shape.ts';
import { type ActivationLike, describeActivation, resolveActivation } from '../../activations.ts';
import { checkKnownOptions, oneOf, trueOrFalse } from '../../check-options.ts';
import { describeInitializer, type InitializerLike, resolveInitializer } from '../../initializers.ts';
import {
  type CallContext,
  LAYER_OPTIONS,
  Layer,
  type LayerConfig,
  type LayerOptions,
  type WeightSpec,
} from '../../layer.ts';
import {
  type ActivityOptions,
  describeActivity,
  describeRules,
  penalized,
  resolveActivity,
  resolveRules,
  type WeightRuleOptions,
  type WeightRules,
  weightRuleNames,
} from '../../weight-rules.ts';
import { checkFits, checkSpatial, PADDINGS, type Padding, type Sizes, sizesOf } from '../../windows.ts';

export interface ConvolutionOptions<S extends Sizes> extends LayerOptions, ActivityOptions, WeightRuleOptions<'bias'> {
  /** Size of the kernel along each axis. */
  readonly kernelSize: S;
  /** 1 when left out. */
  readonly strides?: S;
  /** `valid` when left out; `same` puts zeros around the example. */
  readonly padding?: Padding;
  /** 1 when left out; over 1 only with stride 1. */
  readonly dilationRate?: S;
  /** `linear` when left out. */
  readonly activation?: ActivationLike;
  /** True when left out. */
  readonly useBias?: boolean;
  /** `zeros` when left out. */
  readonly biasInitializer?: InitializerLike;
}

/** What a subclass tells of itself. */
interface Kind {
  /** The factory's name, for errors. */
  readonly owner: string;
  /** Along how many axes windows slide. */
  readonly axes: number;
  /** Options beside the common ones, checked, as the configuration holds them. */
  readonly own: Readonly<Record<string, unknown>>;
  /** Options that are initializers of kernels; `glorotUniform` when left out. */
  readonly kernels: readonly string[];
  readonly paddings?: readonly string[];
}

const COMMON = [
  ...['kernelSize', 'strides', 'padding', 'dilationRate', 'activation', 'useBias', 'biasInitializer'],
  ...weightRuleNames('bias'),
  'activityRegularizer',
];

/** `kernelInitializer` → `kernel`: what the options of a kernel's rules begin with. */
const stem = (initializer: string): string => initializer.replace(/Initializer$/, '');

/** x [B, ...sizes, C] → [B, ...sizes, filters]. */
export abstract class Convolution extends Layer {
  protected readonly kernelSize: readonly number[];
  protected readonly strides: readonly number[];
  protected readonly padding: string;
  protected readonly dilationRate: readonly number[];
  private readonly kind: Kind;
  private readonly rest;
  private readonly initializers;
  private readonly kernelRules: readonly WeightRules[];

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: ConvolutionOptions<Sizes>, kind: Kind) {
    const { owner, axes } = kind;
    const known = [...Object.keys(kind.own), ...COMMON, ...kind.kernels, ...weightRuleNames(...kind.kernels.map(stem))];
    checkKnownOptions(owner, options, [...LAYER_OPTIONS, ...known]);
    super(options);
    this.kind = kind;
    this.kernelSize = sizesOf(owner, 'kernelSize', options.kernelSize, axes);
    this.strides = sizesOf(owner, 'strides', options.strides ?? 1, axes);
    this.padding = oneOf(owner, 'padding', options.padding ?? 'valid', kind.paddings ?? PADDINGS);
    this.dilationRate = sizesOf(owner, 'dilationRate', options.dilationRate ?? 1, axes);
    this.rest = {
      activation: resolveActivation(owner, options.activation ?? 'linear'),
      useBias: trueOrFalse(owner, 'useBias', options.useBias ?? true),
      biasInitializer: resolveInitializer(owner, options.biasInitializer ?? 'zeros'),
      biasRules: resolveRules(owner, 'bias', options),
      activity: resolveActivity(owner, options),
    };
    const given = options as unknown as Readonly<Record<string, InitializerLike | undefined>>;
    this.initializers = kind.kernels.map((name) => resolveInitializer(owner, given[name] ?? 'glorotUniform'));
    this.kernelRules = kind.kernels.map((name) => resolveRules(owner, stem(name), options));
    if (Math.max(...this.strides) > 1 && Math.max(...this.dilationRate) > 1) {
      const found = `strides ${formatShape(this.strides)} and dilationRate ${formatShape(this.dilationRate)}`;
      throw new DownhillError('argument', `${owner}: ${found} cannot both exceed 1; set one of them to 1`);
    }
  }

  override get config(): LayerConfig {
    const { kernelSize, strides, padding, dilationRate, kind } = this;
    const { activation, useBias, biasInitializer, biasRules, activity } = this.rest;
    const kernels = kind.kernels.map((name, k) => [name, describeInitializer(this.initializers[k])]);
    return {
      ...kind.own,
      ...{ kernelSize, strides, padding, dilationRate },
      activation: describeActivation(activation),
      useBias,
      ...Object.fromEntries(kernels),
      biasInitializer: describeInitializer(biasInitializer),
      ...Object.assign({}, ...kind.kernels.map((name, k) => describeRules(stem(name), this.kernelRules[k]))),
      ...describeRules('bias', biasRules),
      ...describeActivity(activity),
    };
  }

  /** Shapes of the kernels by name, in the order of `kernels`, for examples of `inputShape`. */
  protected abstract kernelShapes(inputShape: Shape): readonly (readonly [name: string, shape: Shape])[];

  /** Count of output channels. */
  protected abstract outputChannels(inputShape: Shape): number;

  protected abstract convolve(x: Tensor, kernels: readonly Tensor[]): Tensor;

  /** Whether windows must be inside the example: not so for the transposed convolution. */
  protected get slides(): boolean {
    return true;
  }

  override build(inputShape: Shape): readonly WeightSpec[] {
    checkSpatial(this.label, inputShape, this.kind.axes);
    const { kernelSize, padding, dilationRate } = this;
    if (this.slides) checkFits(this.label, 'kernelSize', inputShape, { kernelSize, padding, dilationRate });
    const specs = this.kernelShapes(inputShape).map(
      ([name, shape], k): WeightSpec => ({
        name,
        shape,
        initializer: this.initializers[k],
        trainable: true,
        ...this.kernelRules[k],
      }),
    );
    if (!this.rest.useBias) return specs;
    const shape = [this.outputChannels(inputShape)];
    const { biasInitializer: initializer, biasRules } = this.rest;
    return [...specs, { name: 'bias', shape, initializer, trainable: true, ...biasRules }];
  }

  override call(x: Tensor, weights: readonly Tensor[], context: CallContext): Tensor {
    const { activation, useBias, activity } = this.rest;
    const kernels = useBias ? weights.slice(0, -1) : weights;
    const product = this.convolve(x, kernels);
    const sum = useBias ? add(product, weights[weights.length - 1]) : product;
    return penalized(activity, activation.apply(sum), context);
  }
}
