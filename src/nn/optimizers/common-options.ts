/**
 * The options that every optimizer takes besides those of its rule, with Keras 3's names, defaults and refusals
 * (keras/src/optimizers/base_optimizer.py). What they do to an update is in apply.ts.
 */

import { DownhillError } from '../../util/errors.ts';
import { numberBetween, show, trueOrFalse, wholeNumber } from '../check-options.ts';

export interface CommonOptions {
  /** Before each update a weight w loses w · weightDecay · learning rate; no decay when left out. */
  readonly weightDecay?: number;
  /** Weights whose path (`dense/bias`) contains one of these words are left out of the decay. */
  readonly excludeFromWeightDecay?: readonly string[];
  /** Each value of the gradient is held in [-clipValue, clipValue]. One kind of clipping at most. */
  readonly clipValue?: number;
  /** The gradient of each weight is scaled down to this norm. */
  readonly clipNorm?: number;
  /** The gradient of all weights together is scaled down to this norm. */
  readonly globalClipNorm?: number;
  /** True to keep a moving average of the weights, which `fit` leaves in their place at its end; false when left out. */
  readonly useEma?: boolean;
  /** Share of the old average that stays at each update, in [0, 1]; 0.99 when left out. */
  readonly emaMomentum?: number;
  /** The average replaces the weights every so many updates; only at the end of `fit` when left out. */
  readonly emaOverwriteFrequency?: number;
  /** An update every so many steps (at least 2), by the mean of their gradients; at each step when left out. */
  readonly gradientAccumulationSteps?: number;
}

/** The same, checked. */
export interface CommonRules {
  readonly weightDecay: number | undefined;
  readonly excludeFromWeightDecay: readonly string[];
  readonly clipValue: number | undefined;
  readonly clipNorm: number | undefined;
  readonly globalClipNorm: number | undefined;
  readonly useEma: boolean;
  readonly emaMomentum: number;
  readonly emaOverwriteFrequency: number | undefined;
  /** 1 for an update at each step. */
  readonly gradientAccumulationSteps: number;
  /** Those that were given, for JSON. */
  readonly config: Readonly<Record<string, number | boolean | readonly string[]>>;
}

export const COMMON_OPTIONS = [
  ...['weightDecay', 'excludeFromWeightDecay', 'clipValue', 'clipNorm', 'globalClipNorm'],
  ...['useEma', 'emaMomentum', 'emaOverwriteFrequency', 'gradientAccumulationSteps'],
];

/** @throws DownhillError `argument` for a value that is not accepted, and for two kinds of clipping. */
export function checkCommonOptions(owner: string, options: CommonOptions): CommonRules {
  const given = Object.entries(options).filter(([name, value]) => COMMON_OPTIONS.includes(name) && value !== undefined);
  const clips = given.map(([name]) => name).filter((name) => /clip/i.test(name));
  if (clips.length > 1) {
    throw new DownhillError('argument', `${owner}: ${clips.join(' and ')} are given; the gradient is clipped one way`);
  }
  const { weightDecay, excludeFromWeightDecay = [], emaOverwriteFrequency, gradientAccumulationSteps } = options;
  return {
    weightDecay: weightDecay === undefined ? undefined : numberBetween(owner, 'weightDecay', weightDecay, 0),
    excludeFromWeightDecay: checkWords(owner, excludeFromWeightDecay),
    clipValue: positive(owner, 'clipValue', options.clipValue),
    clipNorm: positive(owner, 'clipNorm', options.clipNorm),
    globalClipNorm: positive(owner, 'globalClipNorm', options.globalClipNorm),
    useEma: trueOrFalse(owner, 'useEma', options.useEma ?? false),
    emaMomentum: numberBetween(owner, 'emaMomentum', options.emaMomentum ?? 0.99, 0, 1),
    emaOverwriteFrequency:
      emaOverwriteFrequency === undefined
        ? undefined
        : wholeNumber(owner, 'emaOverwriteFrequency', emaOverwriteFrequency),
    gradientAccumulationSteps:
      gradientAccumulationSteps === undefined
        ? 1
        : wholeNumber(owner, 'gradientAccumulationSteps', gradientAccumulationSteps, 2),
    config: Object.fromEntries(given),
  };
}

function positive(owner: string, option: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new DownhillError('argument', `${owner}: ${option} must be a finite number above 0, found ${show(value)}`);
}

function checkWords(owner: string, words: unknown): readonly string[] {
  if (Array.isArray(words) && words.every((word) => typeof word === 'string' && word !== '')) return [...words];
  throw new DownhillError(
    'argument',
    `${owner}: excludeFromWeightDecay must be a list of words such as ['bias'], found ${show(words)}`,
  );
}
