/**
 * What the layers with a learned scale and offset share: Keras' options for the learned scale gamma and offset beta,
 * and the axis of the channels. Axes are counted with the batch axis, as in Keras, so 0 is refused: it is the batch.
 */

import type { Tensor } from '../../core/tensor.ts';
import { add, mul } from '../../ops/elementwise/binary.ts';
import { reshape } from '../../ops/layout/shape.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Shape } from '../../util/shape.ts';
import { formatShape } from '../../util/shape.ts';
import { numberBetween, show, trueOrFalse } from '../check-options.ts';
import { describeInitializer, type Initializer, type InitializerLike, resolveInitializer } from '../initializers.ts';
import type { LayerConfig, LayerOptions, WeightSpec } from '../layer.ts';
import {
  describeRules,
  resolveRules,
  type WeightRuleOptions,
  type WeightRules,
  weightRuleNames,
} from '../weight-rules.ts';

export interface AffineOptions extends LayerOptions, WeightRuleOptions<'gamma' | 'beta'> {
  /** Added to the variance; 0.001 when left out. */
  readonly epsilon?: number;
  /** Whether the offset beta is learned; true when left out. */
  readonly center?: boolean;
  /** Whether the scale gamma is learned; true when left out. */
  readonly scale?: boolean;
  /** `zeros` when left out. */
  readonly betaInitializer?: InitializerLike;
  /** `ones` when left out. */
  readonly gammaInitializer?: InitializerLike;
}

export interface Affine {
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  readonly betaInitializer: Initializer;
  readonly gammaInitializer: Initializer;
  readonly gammaRules: WeightRules;
  readonly betaRules: WeightRules;
}

export const AFFINE_OPTIONS: readonly string[] = [
  ...['epsilon', 'center', 'scale', 'betaInitializer', 'gammaInitializer'],
  ...weightRuleNames('beta', 'gamma'),
];

/** The smallest epsilon: 1 / √epsilon is still far from f32's end. */
const LEAST_EPSILON = 1e-12;

/** @throws DownhillError `argument` for an option that is not accepted. */
export function resolveAffine(owner: string, options: AffineOptions): Affine {
  return {
    epsilon: numberBetween(owner, 'epsilon', options.epsilon ?? 1e-3, LEAST_EPSILON),
    center: trueOrFalse(owner, 'center', options.center ?? true),
    scale: trueOrFalse(owner, 'scale', options.scale ?? true),
    betaInitializer: resolveInitializer(owner, options.betaInitializer ?? 'zeros'),
    gammaInitializer: resolveInitializer(owner, options.gammaInitializer ?? 'ones'),
    gammaRules: resolveRules(owner, 'gamma', options),
    betaRules: resolveRules(owner, 'beta', options),
  };
}

export function affineConfig(affine: Affine): LayerConfig {
  const { epsilon, center, scale, betaInitializer, gammaInitializer } = affine;
  return {
    epsilon,
    center,
    scale,
    betaInitializer: describeInitializer(betaInitializer),
    gammaInitializer: describeInitializer(gammaInitializer),
    ...describeRules('beta', affine.betaRules),
    ...describeRules('gamma', affine.gammaRules),
  };
}

/** gamma and beta of `shape`, as far as they are learned. */
export function affineWeights(affine: Affine, shape: Shape): WeightSpec[] {
  const gamma = { name: 'gamma', shape, initializer: affine.gammaInitializer, trainable: true, ...affine.gammaRules };
  const beta = { name: 'beta', shape, initializer: affine.betaInitializer, trainable: true, ...affine.betaRules };
  return [...(affine.scale ? [gamma] : []), ...(affine.center ? [beta] : [])];
}

/** `weights` by the names that `specs`, which asked for them, gave them. */
export function weightsByName(specs: readonly WeightSpec[], weights: readonly Tensor[]): NamedWeights {
  return Object.fromEntries(specs.map(({ name }, k) => [name, weights[k]]));
}

/** The tensors of a layer's weights; undefined for a name that the layer did not ask for. */
export type NamedWeights = Readonly<Record<string, Tensor | undefined>>;

/** `normal` times gamma plus beta, as far as they are learned; `shape` is theirs with 1 where they broadcast. */
export function applyAffine(normal: Tensor, { gamma, beta }: NamedWeights, shape: Shape): Tensor {
  const scaled = gamma === undefined ? normal : mul(normal, reshape(gamma, shape));
  return beta === undefined ? scaled : add(scaled, reshape(beta, shape));
}

/** `value` as the number of an axis. @throws DownhillError `argument`; 0 is the batch axis. */
export function wholeAxis(owner: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value !== 0) return value;
  const rule = 'a whole number other than 0, which is the batch axis, such as -1, the last';
  throw new DownhillError('argument', `${owner}: axis must be ${rule}, found ${show(value)}`);
}

/**
 * `axis` counted from the batch axis, for examples of `inputShape`.
 * @throws DownhillError `shape` when there is no such axis.
 */
export function channelAxis(owner: string, axis: number, inputShape: Shape): number {
  const rank = inputShape.length + 1;
  const found = axis < 0 ? axis + rank : axis;
  if (found >= 1 && found < rank) return found;
  const fits = rank < 2 ? 'they are scalars' : `axes run from 1 to ${rank - 1}, or from -${rank - 1} to -1`;
  throw new DownhillError(
    'shape',
    `${owner}: axis ${axis} is not one of examples of shape ${formatShape(inputShape)}; ${fits}`,
  );
}
