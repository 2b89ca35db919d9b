/**
 * learningRateFinder: the learning rate range test. The rate grows exponentially from step to step while the loss is
 * watched; where the loss falls steepest is a rate to train with.
 *
 * Invariants: the model ends as it began, weights, optimizer's state and learning rate included. One program serves all
 * steps: the rate is a scalar of the step. The loss of a step is that before its update, so `losses[k]` shows what the
 * rates up to `rates[k - 1]` did.
 * Source: Smith, "Cyclical Learning Rates for Training Neural Networks" (2017), section 3.3; the smoothing and the end
 * at four times the best loss as in Gugger's account of it ("How Do You Find A Good Learning Rate", 2018).
 */

import type { ArrayDataset } from '../../data/dataset.ts';
import { checkKnownOptions, numberBetween, wholeNumber } from '../../nn/check-options.ts';
import { refuseSurplus } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Callback, TrainedModel } from '../callbacks/callback.ts';
import { assertRateCanChange } from '../callbacks/learning-rate-scheduler.ts';
import { type DataInput, isDataset } from '../data/table.ts';
import type { History } from './history.ts';
import type { FitOptions } from './training-options.ts';

export interface LearningRateFinderOptions {
  /** Rate of the first step; 1e-7 when left out. */
  readonly minRate?: number;
  /** Rate of the last step; 10 when left out. */
  readonly maxRate?: number;
  /** Steps of the ramp; the data is gone through again as often as needed. 100 when left out. */
  readonly steps?: number;
  /** 32 when left out. */
  readonly batchSize?: number;
  /** How much of the smoothed loss is kept from step to step, in [0, 1); 0.9 when left out. */
  readonly smoothing?: number;
  /** The test ends when the smoothed loss is above this many times its least value; 4 when left out. */
  readonly divergence?: number;
  /** Seeds the order of the examples; the model's seed when left out. */
  readonly seed?: number;
}

export interface LearningRateCurve {
  /** Rates of the steps that were taken, rising. */
  readonly rates: readonly number[];
  /** The loss of each of them, smoothed. */
  readonly losses: readonly number[];
  /** The same as the steps gave it. */
  readonly rawLosses: readonly number[];
  /**
   * The rate at which the smoothed loss falls steepest over the logarithm of the rate; undefined when it never falls.
   */
  readonly suggestion: number | undefined;
  /** True when the test ended because the loss grew too large. */
  readonly diverged: boolean;
}

/** What the finder needs of a model. */
export interface FindableModel extends TrainedModel {
  fit(dataset: ArrayDataset, options?: FitOptions): Promise<History>;
  fit(x: DataInput, y: DataInput, options?: FitOptions): Promise<History>;
  loadWeights(bytes: Uint8Array, file?: string): void;
}

/**
 * Tries learning rates on the data x, y or on a data set; the model is compiled and stays as it is.
 * @throws DownhillError `argument` for an option that is not accepted, `state` when the optimizer follows a schedule,
 *   and as `fit` does.
 */
export async function learningRateFinder(
  model: FindableModel,
  dataset: ArrayDataset,
  options?: LearningRateFinderOptions,
): Promise<LearningRateCurve>;
export async function learningRateFinder(
  model: FindableModel,
  x: DataInput,
  y: DataInput,
  options?: LearningRateFinderOptions,
): Promise<LearningRateCurve>;
export async function learningRateFinder(
  model: FindableModel,
  first: DataInput | ArrayDataset,
  second?: DataInput | LearningRateFinderOptions,
  ...rest: readonly unknown[]
): Promise<LearningRateCurve> {
  const whole = isDataset(first);
  refuseSurplus('learningRateFinder', rest, whole ? 0 : 1);
  const [third] = rest;
  const options = ((whole ? second : third) ?? {}) as LearningRateFinderOptions;
  const ramp = new RateRamp(options);
  const { batchSize, seed } = options;
  const fit: FitOptions = {
    // The ramp ends the training; an epoch has at least one step.
    epochs: ramp.steps,
    verbose: 0,
    callbacks: [ramp],
    ...(batchSize !== undefined && { batchSize }),
    ...(seed !== undefined && { seed }),
  };
  try {
    await (whole ? model.fit(first, fit) : model.fit(first, second as DataInput, fit));
  } catch (error) {
    // The first error is the one to tell: a lost device cannot take weights back either.
    try {
      ramp.restore(model);
    } catch {}
    throw error;
  }
  ramp.restore(model);
  return ramp.curve();
}

const OPTIONS = ['minRate', 'maxRate', 'steps', 'batchSize', 'smoothing', 'divergence', 'seed'];

/** The callback that raises the rate and watches the loss. */
class RateRamp implements Callback {
  readonly steps: number;
  private readonly minRate: number;
  private readonly maxRate: number;
  private readonly smoothing: number;
  private readonly divergence: number;
  private readonly raw: number[] = [];
  private readonly smoothed: number[] = [];
  private average = 0;
  private least = Number.POSITIVE_INFINITY;
  private sent = 0;
  private diverged = false;
  private model: TrainedModel | undefined;
  private before: { readonly weights: Uint8Array; readonly learningRate: number } | undefined;

  constructor(options: LearningRateFinderOptions) {
    const name = 'learningRateFinder';
    checkKnownOptions(name, options, OPTIONS);
    this.minRate = numberBetween(name, 'minRate', options.minRate ?? 1e-7, Number.MIN_VALUE);
    this.maxRate = numberBetween(name, 'maxRate', options.maxRate ?? 10, 0);
    this.steps = wholeNumber(name, 'steps', options.steps ?? 100, 2);
    this.smoothing = numberBetween(name, 'smoothing', options.smoothing ?? 0.9, 0, 1, true);
    this.divergence = numberBetween(name, 'divergence', options.divergence ?? 4, 1);
    if (this.maxRate > this.minRate) return;
    throw new DownhillError(
      'argument',
      `${name}: maxRate must be above minRate, found minRate ${this.minRate}, maxRate ${this.maxRate}`,
    );
  }

  onCheck(_params: unknown, model: TrainedModel): void {
    assertRateCanChange('learningRateFinder', model);
  }

  async onTrainBegin(_params: unknown, model: TrainedModel): Promise<void> {
    this.model = model;
    const { weights } = await model.save({ optimizer: true });
    this.before = { weights, learningRate: model.learningRate };
  }

  onBatchBegin(): void {
    this.model!.learningRate = this.rate(this.sent);
    this.sent++;
    if (this.sent === this.steps) this.model!.stopTraining = true;
  }

  onBatchEnd(_batch: number, { loss }: { readonly loss?: number }): void {
    if (this.diverged || loss === undefined) return;
    this.average = this.smoothing * this.average + (1 - this.smoothing) * loss;
    // Without the correction, the first averages would be drawn to the zero from which they start.
    const value = this.average / (1 - this.smoothing ** (this.smoothed.length + 1));
    this.raw.push(loss);
    this.smoothed.push(value);
    this.least = Math.min(this.least, value);
    // Losses may be below zero: the bound is above the smallest one in any case.
    const bound = this.least + (this.divergence - 1) * Math.abs(this.least);
    if (Number.isFinite(value) && value <= bound) return;
    this.diverged = true;
    this.model!.stopTraining = true;
  }

  /** Gives the model back what it had. */
  restore(model: FindableModel): void {
    if (this.before === undefined) return;
    model.loadWeights(this.before.weights);
    model.learningRate = this.before.learningRate;
  }

  curve(): LearningRateCurve {
    const { raw, smoothed, diverged } = this;
    const rates = smoothed.map((_, k) => this.rate(k));
    return { rates, losses: smoothed, rawLosses: raw, suggestion: steepest(rates, smoothed), diverged };
  }

  private rate(step: number): number {
    return this.minRate * (this.maxRate / this.minRate) ** (step / (this.steps - 1));
  }
}

/** The rate at the most negative central difference of `losses`; the rates are evenly spaced in their logarithms. */
function steepest(rates: readonly number[], losses: readonly number[]): number | undefined {
  let found: number | undefined;
  let least = 0;
  for (let k = 1; k < losses.length - 1; k++) {
    const slope = losses[k + 1] - losses[k - 1];
    if (slope < least) {
      least = slope;
      found = rates[k];
    }
  }
  return found;
}
