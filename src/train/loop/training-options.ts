/**
 * The options of `fit`, `evaluate` and `predict`, with Keras' names and defaults, and their checks.
 */

import type { ArrayDataset } from '../../data/dataset.ts';
import type { DatasetStream } from '../../data/stream.ts';
import { checkKnownOptions, numberBetween, show, trueOrFalse, wholeNumber } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Callback } from '../callbacks/callback.ts';
import type { ClassWeight, SampleWeight } from '../data/example-weights.ts';
import type { ModelData } from '../data/labelled-data.ts';

export interface BatchOptions {
  /** Examples of a step; 32 when left out. The last batch of a pass may be smaller. */
  readonly batchSize?: number;
}

/** Held-out data: [x, y], [x, y, weights of the examples], a data set or a stream. */
export type ValidationData =
  | readonly [x: ModelData, y: ModelData]
  | readonly [x: ModelData, y: ModelData, sampleWeight: SampleWeight]
  | ArrayDataset
  | DatasetStream;

/** Options of passes over data that a stream may give. */
interface PassOptions extends BatchOptions {
  /** Of a stream: batches after which to end; the whole pass when left out. */
  readonly steps?: number;
}

/** Options of `predict` and `predictAll`. */
export interface PredictOptions extends PassOptions {
  /**
   * True to run the layers as they run in training: dropout drops, augmentation changes images, batch normalisation
   * uses the batch's own statistics; nothing is updated. False when left out. Keras: `model(x, training=True)`.
   */
  readonly training?: boolean;
  /** What the layers draw when `training`; the model's seed when left out. */
  readonly seed?: number;
}

/** Options of `evaluate`. */
export interface EvaluateOptions extends PassOptions {
  /** One number an example: how much it counts; 1 each when left out. For several outputs also by output. */
  readonly sampleWeight?: SampleWeight;
}

/** Options of `trainOnBatch` and `gradientsOnBatch`, as those of `fit`. */
export interface TrainOnBatchOptions {
  readonly sampleWeight?: SampleWeight;
  readonly classWeight?: ClassWeight;
}

export interface FitOptions extends BatchOptions {
  /** Number of the epoch at which to end; 1 when left out. */
  readonly epochs?: number;
  /** Number of the epoch at which to start, when a training goes on; 0 when left out. */
  readonly initialEpoch?: number;
  /** Number of the step within `initialEpoch` at which to start, when an epoch goes on; 0 when left out. */
  readonly initialStep?: number;
  /**
   * Milliseconds of work that may be queued on the device ahead of anything else, where something else wants the device
   * too: 8 keeps a web page smooth. Left out, the device is kept as busy as it can be.
   */
  readonly frameBudget?: number;
  readonly validationData?: ValidationData;
  /** Share of the examples, taken from the end before shuffling, that is held out; 0 when left out. */
  readonly validationSplit?: number;
  /**
   * True when left out: each epoch sees the examples in another order. Streams come in the order of their generator.
   */
  readonly shuffle?: boolean;
  /** Seeds the order and the dropout; the model's seed when left out. */
  readonly seed?: number;
  readonly callbacks?: readonly Callback[];
  /** One number an example: how much it counts; 1 each when left out. For several outputs also by output. */
  readonly sampleWeight?: SampleWeight;
  /** How much the examples of each class count: `{ 0: 1, 1: 5 }`; excludes `sampleWeight`. */
  readonly classWeight?: ClassWeight;
  /** Of a stream: steps of an epoch, over which its passes flow on; an epoch is a pass when left out. */
  readonly stepsPerEpoch?: number;
  /** Of a stream as validation data: batches after which each validation ends; the whole pass when left out. */
  readonly validationSteps?: number;
  /** 1 shows a progress bar, 0 nothing; 1 when left out. */
  readonly verbose?: 0 | 1 | boolean;
}

/** Options without a default. */
type OptionalOption =
  | 'validationData'
  | 'sampleWeight'
  | 'classWeight'
  | 'frameBudget'
  | 'stepsPerEpoch'
  | 'validationSteps';

export type CheckedFitOptions = Required<Omit<FitOptions, OptionalOption | 'verbose'>> &
  Pick<FitOptions, OptionalOption> & { readonly verbose: boolean };

const FIT_OPTIONS = [
  ...['epochs', 'batchSize', 'validationData', 'validationSplit', 'shuffle', 'seed', 'callbacks', 'verbose'],
  ...['initialEpoch', 'initialStep', 'sampleWeight', 'classWeight', 'frameBudget', 'stepsPerEpoch', 'validationSteps'],
];

/** @throws DownhillError `argument` for an option that is not accepted. */
export function checkFitOptions(options: FitOptions, modelSeed: number): CheckedFitOptions {
  checkKnownOptions('fit', options, FIT_OPTIONS);
  const { callbacks = [], verbose = 1, validationData, sampleWeight, classWeight, frameBudget } = options;
  if (!Array.isArray(callbacks) || callbacks.some((callback) => typeof callback !== 'object' || callback === null)) {
    throw new DownhillError('argument', `fit: callbacks must be an array of callbacks, found ${show(callbacks)}`);
  }
  const epochs = wholeNumber('fit', 'epochs', options.epochs ?? 1, 1);
  const initialEpoch = wholeNumber('fit', 'initialEpoch', options.initialEpoch ?? 0, 0);
  if (initialEpoch >= epochs) {
    const found = `initialEpoch ${initialEpoch}, epochs ${epochs}`;
    throw new DownhillError(
      'argument',
      `fit: initialEpoch must be below epochs, the epoch at which to end; found ${found}`,
    );
  }
  const validationSplit = numberBetween('fit', 'validationSplit', options.validationSplit ?? 0, 0, 1, true);
  if (validationSplit > 0 && validationData !== undefined) {
    throw new DownhillError('argument', 'fit: validationData and validationSplit exclude each other; give one of them');
  }
  if (![0, 1, true, false].includes(verbose)) {
    throw new DownhillError('argument', `fit: verbose must be 0 or 1, found ${show(verbose)}`);
  }
  return {
    epochs,
    initialEpoch,
    initialStep: wholeNumber('fit', 'initialStep', options.initialStep ?? 0, 0),
    ...(frameBudget !== undefined && { frameBudget: checkFrameBudget(frameBudget) }),
    batchSize: checkBatchSize('fit', options.batchSize),
    ...(validationData !== undefined && { validationData }),
    ...(sampleWeight !== undefined && { sampleWeight }),
    ...(classWeight !== undefined && { classWeight: isRecord(classWeight) ? { ...classWeight } : classWeight }),
    ...wholeOption('fit', 'stepsPerEpoch', options.stepsPerEpoch),
    ...wholeOption('fit', 'validationSteps', options.validationSteps),
    validationSplit,
    shuffle: trueOrFalse('fit', 'shuffle', options.shuffle ?? true),
    seed: checkSeed('fit', options.seed ?? modelSeed),
    callbacks: [...callbacks],
    verbose: Boolean(verbose),
  };
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * `value` under its name when it is given. @throws DownhillError `argument` unless it is a whole number of at least 1.
 */
export function wholeOption<K extends string>(owner: string, name: K, value: unknown): { readonly [N in K]?: number } {
  if (value === undefined) return {};
  return { [name]: wholeNumber(owner, name, value, 1) } as { readonly [N in K]?: number };
}

/** @throws DownhillError `argument`. */
export function checkBatchSize(owner: string, batchSize: unknown = 32): number {
  return wholeNumber(owner, 'batchSize', batchSize, 1);
}

function checkFrameBudget(milliseconds: unknown): number {
  if (typeof milliseconds === 'number' && milliseconds > 0 && Number.isFinite(milliseconds)) return milliseconds;
  throw new DownhillError('argument', `fit: frameBudget must be milliseconds above 0, found ${show(milliseconds)}`);
}

/** A seed is a u32. @throws DownhillError `argument`. */
export function checkSeed(owner: string, seed: unknown): number {
  wholeNumber(owner, 'seed', seed, 0);
  return numberBetween(owner, 'seed', seed, 0, 2 ** 32 - 1);
}
