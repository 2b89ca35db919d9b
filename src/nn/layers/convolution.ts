/**
 * What the convolution layers share: options with Keras' names and defaults, their checks, activation(convolve + bias).
 *
 * Invariant: a subclass says how many axes windows slide along, which weights there are and how they are convolved; the
 * bias, one for each output channel, is the last weight.
 * Source: Keras 3 `keras/src/layers/convolutional/base_conv.py` and its neighbours.
 */

import type { Tensor } from '../../core/tensor.ts';
import { add } from '../../ops/binary.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape } from '../../util/shape.ts';
import { type ActivationLike, describeActivation, resolveActivation } from '../activations.ts';
import { checkKnownOptions, oneOf, trueOrFalse } from '../check-options.ts';
import { describeInitializer, type InitializerLike, resolveInitializer } from '../initializers.ts';
import { LAYER_OPTIONS, Layer, type LayerConfig, type LayerOptions, type WeightSpec } from '../layer.ts';
import { checkFits, checkSpatial, PADDINGS, type Padding, type Sizes, sizesOf } from '../windows.ts';

export interface ConvolutionOptions<S extends Sizes> extends LayerOptions {
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
  /** Options beside the common ones, checked, as they stand in the configuration. */
  readonly own: Readonly<Record<string, unknown>>;
  /** Options that are initializers of kernels; `glorotUniform` when left out. */
  readonly kernels: readonly string[];
  readonly paddings?: readonly string[];
}

const COMMON = ['kernelSize', 'strides', 'padding', 'dilationRate', 'activation', 'useBias', 'biasInitializer'];

/** x [B, ...sizes, C] → [B, ...sizes, filters]. */
export abstract class Convolution extends Layer {
  protected readonly kernelSize: readonly number[];
  protected readonly strides: readonly number[];
  protected readonly padding: string;
  protected readonly dilationRate: readonly number[];
  private readonly kind: Kind;
  private readonly rest;
  private readonly initializers;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: ConvolutionOptions<Sizes>, kind: Kind) {
    const { owner, axes } = kind;
    checkKnownOptions(owner, options, [...LAYER_OPTIONS, ...Object.keys(kind.own), ...COMMON, ...kind.kernels]);
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
    };
    const given = options as unknown as Readonly<Record<string, InitializerLike | undefined>>;
    this.initializers = kind.kernels.map((name) => resolveInitializer(owner, given[name] ?? 'glorotUniform'));
    if (Math.max(...this.strides) > 1 && Math.max(...this.dilationRate) > 1) {
      const found = `strides ${formatShape(this.strides)} and dilationRate ${formatShape(this.dilationRate)}`;
      throw new DownhillError('argument', `${owner}: ${found} cannot both exceed 1; set one of them to 1`);
    }
  }

  override get config(): LayerConfig {
    const { kernelSize, strides, padding, dilationRate, kind } = this;
    const { activation, useBias, biasInitializer } = this.rest;
    const kernels = kind.kernels.map((name, k) => [name, describeInitializer(this.initializers[k])]);
    return {
      ...kind.own,
      ...{ kernelSize, strides, padding, dilationRate },
      activation: describeActivation(this.label, activation),
      useBias,
      ...Object.fromEntries(kernels),
      biasInitializer: describeInitializer(biasInitializer),
    };
  }

  /** Shapes of the kernels by name, in the order of `kernels`, for examples of `inputShape`. */
  protected abstract kernelShapes(inputShape: Shape): readonly (readonly [name: string, shape: Shape])[];

  /** Count of output channels. */
  protected abstract outputChannels(inputShape: Shape): number;

  protected abstract convolve(x: Tensor, kernels: readonly Tensor[]): Tensor;

  /** Whether windows must lie inside the example: not so for the transposed convolution. */
  protected get slides(): boolean {
    return true;
  }

  override build(inputShape: Shape): readonly WeightSpec[] {
    checkSpatial(this.label, inputShape, this.kind.axes);
    const { kernelSize, padding, dilationRate } = this;
    if (this.slides) checkFits(this.label, 'kernelSize', inputShape, { kernelSize, padding, dilationRate });
    const specs = this.kernelShapes(inputShape).map(
      ([name, shape], k): WeightSpec => ({ name, shape, initializer: this.initializers[k], trainable: true }),
    );
    if (!this.rest.useBias) return specs;
    const shape = [this.outputChannels(inputShape)];
    return [...specs, { name: 'bias', shape, initializer: this.rest.biasInitializer, trainable: true }];
  }

  override call(x: Tensor, weights: readonly Tensor[]): Tensor {
    const { activation, useBias } = this.rest;
    if (!useBias) return activation.apply(this.convolve(x, weights));
    return activation.apply(add(this.convolve(x, weights.slice(0, -1)), weights[weights.length - 1]));
  }
}
