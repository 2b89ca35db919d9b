/**
 * Options that the models of the zoo take, and their defaults. Shapes are those of one example, channels last; what is
 * left out gives the published model.
 */

import type { ActivationName } from '../nn/activations.ts';
import { checkKnownOptions, numberBetween, oneOf, wholeNumber } from '../nn/check-options.ts';
import type { Shape } from '../util/shape.ts';

export interface ZooOptions {
  /** Shape of one example; the published one when left out. */
  readonly inputShape?: Shape;
  /** Seeds the initial weights; 0 when left out. */
  readonly seed?: number;
}

/** The last activation: probabilities of classes, one probability, or plain numbers. */
export type Head = 'softmax' | 'sigmoid' | 'linear';

const HEADS: readonly Head[] = ['softmax', 'sigmoid', 'linear'];

export interface ClassifierOptions extends ZooOptions {
  /** Count of outputs, which are classes under a softmax; the published count when left out. */
  readonly classes?: number;
  /** `softmax` when left out; `linear` for regression, `sigmoid` for answers that are yes or no. */
  readonly head?: Head;
}

export interface ImageNetOptions extends ClassifierOptions {
  /** Factor of every layer's count of maps and units but the last one's; 1, the published network, when left out. */
  readonly width?: number;
}

export const CLASSIFIER_OPTIONS = ['inputShape', 'classes', 'seed', 'head'];

/** What a classifier is made from. */
export interface CheckedClassifier {
  readonly inputShape: Shape;
  readonly classes: number;
  readonly seed: number;
  readonly head: ActivationName & Head;
}

/**
 * The options with their defaults: 28×28 grey images and ten classes unless `defaults` says otherwise.
 * @param more names of further options that the model takes.
 * @throws DownhillError `argument` for one that is not accepted.
 */
export function classifier(
  owner: string,
  options: ClassifierOptions,
  defaults: { readonly inputShape?: Shape; readonly classes?: number } = {},
  more: readonly string[] = [],
): CheckedClassifier {
  checkKnownOptions(owner, options, [...CLASSIFIER_OPTIONS, ...more]);
  const { inputShape = defaults.inputShape ?? [28, 28, 1], classes = defaults.classes ?? 10, seed = 0 } = options;
  const head = oneOf(owner, 'head', options.head ?? 'softmax', HEADS);
  return { inputShape, classes: wholeNumber(owner, 'classes', classes, head === 'softmax' ? 2 : 1), seed, head };
}

/** Makes a layer's count of maps or units out of the published one. */
export type Scale = (published: number) => number;

/**
 * The options of a network for ImageNet: 224×224 images in colour and 1000 classes unless said otherwise.
 * @throws as `classifier`.
 */
export function imageNet(
  owner: string,
  options: ImageNetOptions,
  inputShape: Shape = [224, 224, 3],
  more: readonly string[] = [],
): CheckedClassifier & { readonly scale: Scale } {
  const checked = classifier(owner, options, { inputShape, classes: 1000 }, ['width', ...more]);
  const width = numberBetween(owner, 'width', options.width ?? 1, 0.001, 16);
  return { ...checked, scale: (published) => Math.max(1, Math.round(published * width)) };
}
