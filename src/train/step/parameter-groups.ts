/**
 * Parameter-group options: what training does with each weight. A weight is frozen with its layer, has a learning rate
 * of its own, or no weight decay. Decided at `compile`, as in Keras; the store groups weights with equal options.
 */

import { numberBetween, show } from '../../nn/check-options.ts';
import type { Layer } from '../../nn/layer.ts';
import type { Optimizer } from '../../nn/optimizers/optimizer.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';
import { markFrozen } from '../model/build-layers.ts';
import type { Weight } from '../weights/weight-layout.ts';

/** What layers, by name (`dense_1`) or by a pattern of weight paths (`/^block[12]/`), multiply the learning rate by. */
export type LearningRateMultipliers = Readonly<Record<string, number>>;

/** @throws DownhillError `argument` unless it maps words to finite numbers of at least 0. */
export function checkMultipliers(value: unknown): LearningRateMultipliers {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const example = "{ dense_1: 0.1, '/^block1/': 0 }";
    throw new DownhillError(
      'argument',
      `compile: learningRateMultipliers must be an object such as ${example}, found ${show(value)}`,
    );
  }
  for (const [name, rate] of Object.entries(value)) {
    numberBetween('compile', `learningRateMultipliers["${name}"]`, rate, 0);
    patternOf(name);
  }
  return { ...value };
}

/**
 * `weights` with their marks: `frozen` by their layers as they are now, `rate` by `multipliers` (of several that fit
 * one weight the product), `decay` by the optimizer's `excludeFromWeightDecay`, `rule` by the optimizer.
 * @throws DownhillError `argument` for a multiplier that fits no weight, with the nearest layer.
 */
export function withGroupOptions(
  weights: readonly Weight[],
  layers: readonly Layer[],
  optimizer: Optimizer,
  multipliers: LearningRateMultipliers = {},
): Weight[] {
  const { excludeFromWeightDecay, weightDecay } = optimizer.common;
  const entries = Object.entries(multipliers);
  for (const [name] of entries) {
    if (weights.some((weight) => fitsAny(name, pathsOf(weight, layers)))) continue;
    throw unknownName('layer with weights in learningRateMultipliers:', name, layerNames(weights));
  }
  return markFrozen(weights, layers).map((weight) => {
    const paths = pathsOf(weight, layers);
    const rate = entries.reduce((product, [name, by]) => (fitsAny(name, paths) ? product * by : product), 1);
    const decay = weightDecay === undefined || !excludeFromWeightDecay.some((word) => weight.path.includes(word));
    return { ...weight, rate, decay, rule: optimizer.ruleOf(weight.path, weight.spec.shape) };
  });
}

/** The paths of a weight: one for each use of its layer in the model. */
function pathsOf({ uses }: Weight, layers: readonly Layer[]): string[] {
  return uses.map(({ layer, name }) => `${layers[layer].name}/${name}`);
}

function fitsAny(name: string, paths: readonly string[]): boolean {
  return paths.some((path) => fits(name, path));
}

function fits(name: string, path: string): boolean {
  return patternOf(name)?.test(path) ?? (path.startsWith(`${name}/`) || path.includes(`/${name}/`));
}

/** The pattern of a name written `/…/`. */
function patternOf(name: string): RegExp | undefined {
  if (!/^\/.+\/$/.test(name)) return undefined;
  try {
    return new RegExp(name.slice(1, -1));
  } catch (cause) {
    throw new DownhillError('argument', `compile: learningRateMultipliers: ${name} is not a regular expression`, {
      cause,
    });
  }
}

function layerNames(weights: readonly Weight[]): string[] {
  return [...new Set(weights.flatMap(({ path }) => path.split('/').slice(0, -1)))];
}
