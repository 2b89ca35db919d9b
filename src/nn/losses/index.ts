/**
 * Losses by Keras 3's names and formulas. A loss gives one number an example; the step takes their mean, weighted or
 * not (loss.ts). A new loss is its own function and a line here.
 */

import { unknownName } from '../../util/errors.ts';
import { type CustomJson, customObject } from '../custom-objects.ts';
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from './crossentropy.ts';
import { custom, type ValueFunction } from './custom.ts';
import { klDivergence, poisson } from './distribution.ts';
import { binaryFocalCrossentropy, categoricalFocalCrossentropy } from './focal.ts';
import { categoricalHinge, hinge, squaredHinge } from './hinge.ts';
import type { Loss } from './loss.ts';
import { categoricalMargin, sparseCategoricalMargin } from './margin.ts';
import {
  cosineSimilarity,
  huber,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
} from './regression.ts';
import { tripletHard } from './triplet.ts';

export type { CrossentropyOptions, SparseCrossentropyOptions } from './crossentropy.ts';
export type { CustomOptions, ValueFunction } from './custom.ts';
export type { BinaryFocalOptions, FocalOptions } from './focal.ts';
export { exampleMean, type Loss, lossValue, type TargetKind } from './loss.ts';
export type { MarginOptions } from './margin.ts';
export type { CosineSimilarityOptions, HuberOptions } from './regression.ts';
export type { TripletOptions } from './triplet.ts';

/** Losses that are made from their name and options. */
const NAMED = {
  meanSquaredError,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredLogarithmicError,
  huber,
  logCosh,
  binaryCrossentropy,
  categoricalCrossentropy,
  sparseCategoricalCrossentropy,
  binaryFocalCrossentropy,
  categoricalFocalCrossentropy,
  hinge,
  squaredHinge,
  categoricalHinge,
  categoricalMargin,
  sparseCategoricalMargin,
  klDivergence,
  poisson,
  cosineSimilarity,
  tripletHard,
};

/** All losses by name, and `custom` for a function of one's own. */
export const losses = { ...NAMED, custom };

export type LossName = keyof typeof NAMED;

/** The short names that Keras knows too. */
export const SHORT_LOSS_NAMES = {
  mse: 'meanSquaredError',
  mae: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  msle: 'meanSquaredLogarithmicError',
  bce: 'binaryCrossentropy',
  kld: 'klDivergence',
} as const satisfies Record<string, LossName>;

/**
 * A loss, the name of one with its default options, or a function (yTrue, yPred) → one number an example or an element.
 */
export type LossLike = LossName | keyof typeof SHORT_LOSS_NAMES | Loss | ValueFunction;

/** A loss of ours in JSON. */
export type LossJson = Pick<Loss, 'name' | 'config'>;

/** A loss in JSON; of one of the user its name alone. */
export function lossJson({ name, config, custom: own, targets }: Loss): CustomJson | LossJson {
  if (own || !Object.hasOwn(NAMED, name)) return { custom: name, ...(targets === 'classes' && { targets }) };
  return { name, config };
}

/** The loss that the reader of JSON handed in; undefined when there is none. */
export function customLoss({ custom: name, targets }: CustomJson): Loss | undefined {
  const own = customObject(name);
  return typeof own === 'function'
    ? custom(own as ValueFunction, { name, ...(targets && { targets }) })
    : (own as Loss);
}

/** @throws DownhillError `argument` for an unknown name, with the nearest one. */
export function resolveLoss(value: unknown, config: object = {}): Loss {
  if (typeof value === 'object' && value !== null && 'perExample' in value) return value as Loss;
  // A factory that was not called is a slip, not a loss of the user.
  if (typeof value === 'function' && !Object.values(losses).some((factory) => factory === value)) {
    return custom(value as ValueFunction, config);
  }
  const short = SHORT_LOSS_NAMES as Readonly<Record<string, LossName>>;
  const name = typeof value === 'string' && Object.hasOwn(short, value) ? short[value] : value;
  if (typeof name !== 'string' || !Object.hasOwn(NAMED, name)) {
    throw unknownName('loss', value, [...Object.keys(NAMED), ...Object.keys(short)]);
  }
  return NAMED[name as LossName](config);
}
