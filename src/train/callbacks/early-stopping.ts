/**
 * EarlyStopping: ends training when a value of the epoch logs has not improved for `patience` epochs, and can bring the
 * weights of the best epoch back. Names, defaults and counting as in Keras 3.
 * Source: keras/src/callbacks/early_stopping.py.
 */

import { numberBetween, trueOrFalse, wholeNumber } from '../../nn/check-options.ts';
import type { WeightValue } from '../weights/weight-store.ts';
import type { Callback, CallbackState, Logs, TrainedModel, TrainingParams } from './callback.ts';
import { Monitor, type MonitorOptions } from './monitor.ts';

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Training ends after this many epochs in a row without improvement (0 means 1). */
  readonly patience?: number;
  /** Epochs count as improving only while their value is better than this. */
  readonly baseline?: number;
  /** True to end with the weights of the best epoch, whether or not training was stopped; false when left out. */
  readonly restoreBestWeights?: boolean;
  /** Epochs (from 0) before this one are not looked at; 0 when left out. */
  readonly startFromEpoch?: number;
}

export class EarlyStopping implements Callback {
  readonly stateName = 'earlyStopping';
  /** Epoch (from 0) after which training ended; undefined while it has not. */
  stoppedEpoch: number | undefined;
  /** Epoch with the best value so far. */
  bestEpoch = 0;
  private readonly monitor: Monitor;
  private readonly patience: number;
  private readonly baseline: number | undefined;
  private readonly restoreBestWeights: boolean;
  private readonly startFromEpoch: number;
  private wait = 0;
  private bestWeights: readonly WeightValue[] | undefined;
  private model: TrainedModel | undefined;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: EarlyStoppingOptions = {}) {
    const name = 'earlyStopping';
    this.monitor = new Monitor(name, options, ['patience', 'baseline', 'restoreBestWeights', 'startFromEpoch']);
    this.patience = wholeNumber(name, 'patience', options.patience ?? 0, 0);
    this.baseline =
      options.baseline === undefined
        ? undefined
        : numberBetween(name, 'baseline', options.baseline, Number.NEGATIVE_INFINITY);
    this.restoreBestWeights = trueOrFalse(name, 'restoreBestWeights', options.restoreBestWeights ?? false);
    this.startFromEpoch = wholeNumber(name, 'startFromEpoch', options.startFromEpoch ?? 0, 0);
  }

  /** The best value so far. */
  get best(): number | undefined {
    return this.monitor.best;
  }

  /** @throws DownhillError `argument` when there is no such value to monitor. */
  onCheck(params: TrainingParams): void {
    this.monitor.check(params);
  }

  onTrainBegin(params: TrainingParams, model: TrainedModel): void {
    this.monitor.start(params);
    this.model = model;
    this.stoppedEpoch = undefined;
    this.bestEpoch = 0;
    this.wait = 0;
    this.bestWeights = undefined;
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    if (epoch < this.startFromEpoch) return;
    const value = this.monitor.value(logs);
    this.wait++;
    if (this.monitor.take(value)) {
      this.bestEpoch = epoch;
      if (this.restoreBestWeights) this.bestWeights = await this.model?.getWeights();
      // An epoch that is the best so far, but not better than the baseline, is one more epoch of waiting.
      if (this.baseline === undefined || this.monitor.improves(value, this.baseline)) this.wait = 0;
    } else if (this.wait >= this.patience && epoch > 0) {
      this.stoppedEpoch = epoch;
      if (this.model !== undefined) this.model.stopTraining = true;
    }
  }

  saveState(): CallbackState {
    const { stoppedEpoch, bestEpoch, wait, bestWeights: weights } = this;
    return { values: { stoppedEpoch, bestEpoch, wait, best: this.best }, ...(weights !== undefined && { weights }) };
  }

  restoreState({ values, weights }: CallbackState): void {
    const state = values as { stoppedEpoch?: number; bestEpoch: number; wait: number; best?: number };
    this.monitor.best = state.best;
    this.stoppedEpoch = state.stoppedEpoch;
    this.bestEpoch = state.bestEpoch;
    this.wait = state.wait;
    this.bestWeights = weights === undefined ? undefined : [...weights];
  }

  onTrainEnd(): void {
    if (this.bestWeights !== undefined) this.model?.restoreWeights(this.bestWeights);
    this.bestWeights = undefined;
  }
}

export const earlyStopping = (options: EarlyStoppingOptions = {}): EarlyStopping => new EarlyStopping(options);
