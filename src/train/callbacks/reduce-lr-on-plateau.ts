/**
 * ReduceLROnPlateau: lowers the learning rate when a value of the epoch logs has stopped improving. The rate is a
 * scalar of the step, so nothing is compiled when it changes. Names, defaults and counting as in Keras 3.
 * Source: keras/src/callbacks/reduce_lr_on_plateau.py.
 */

import { numberBetween, wholeNumber } from '../../nn/check-options.ts';
import type { Callback, CallbackState, Logs, TrainedModel, TrainingParams } from './callback.ts';
import { assertRateCanChange } from './learning-rate-scheduler.ts';
import { Monitor, type MonitorOptions } from './monitor.ts';

/** `minDelta` is 1e-4 when left out. */
export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** The rate is multiplied by this, in [0, 1); 0.1 when left out. */
  readonly factor?: number;
  /** Epochs without improvement after which the rate is lowered; 10 when left out. */
  readonly patience?: number;
  /** Epochs after a reduction during which none counts as being without improvement; 0 when left out. */
  readonly cooldown?: number;
  /** The rate never falls below this; 0 when left out. */
  readonly minLr?: number;
}

const MIN_DELTA = 1e-4;

export class ReduceLROnPlateau implements Callback {
  readonly stateName = 'reduceLROnPlateau';
  /** The learning rate after each epoch of the last training. */
  readonly rates: number[] = [];
  private readonly monitor: Monitor;
  private readonly factor: number;
  private readonly patience: number;
  private readonly cooldown: number;
  private readonly minLr: number;
  private wait = 0;
  private cooling = 0;
  private model: TrainedModel | undefined;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: ReduceLROnPlateauOptions = {}) {
    const name = 'reduceLROnPlateau';
    this.monitor = new Monitor(name, options, ['factor', 'patience', 'cooldown', 'minLr'], MIN_DELTA);
    this.factor = numberBetween(name, 'factor', options.factor ?? 0.1, 0, 1, true);
    this.patience = wholeNumber(name, 'patience', options.patience ?? 10, 0);
    this.cooldown = wholeNumber(name, 'cooldown', options.cooldown ?? 0, 0);
    this.minLr = numberBetween(name, 'minLr', options.minLr ?? 0, 0);
  }

  /** The best value so far. */
  get best(): number | undefined {
    return this.monitor.best;
  }

  /** @throws DownhillError `argument` when there is no such value to monitor, `state` under a schedule. */
  onCheck(params: TrainingParams, model: TrainedModel): void {
    this.monitor.check(params);
    assertRateCanChange('reduceLROnPlateau', model);
  }

  onTrainBegin(params: TrainingParams, model: TrainedModel): void {
    this.monitor.start(params);
    this.model = model;
    this.rates.length = 0;
    this.wait = 0;
    this.cooling = 0;
  }

  onEpochEnd(_epoch: number, logs: Logs): void {
    const { model } = this;
    if (model === undefined) return;
    if (this.cooling > 0) {
      this.cooling--;
      this.wait = 0;
    }
    if (this.monitor.take(this.monitor.value(logs))) this.wait = 0;
    else if (this.cooling === 0 && ++this.wait >= this.patience && model.learningRate > this.minLr) {
      model.learningRate = Math.max(model.learningRate * this.factor, this.minLr);
      this.cooling = this.cooldown;
      this.wait = 0;
    }
    this.rates.push(model.learningRate);
  }

  saveState(): CallbackState {
    return { values: { best: this.best, wait: this.wait, cooling: this.cooling, rates: [...this.rates] } };
  }

  restoreState({ values }: CallbackState): void {
    const state = values as { best?: number; wait: number; cooling: number; rates: readonly number[] };
    this.monitor.best = state.best;
    this.wait = state.wait;
    this.cooling = state.cooling;
    this.rates.splice(0, this.rates.length, ...state.rates);
  }
}

export const reduceLROnPlateau = (options: ReduceLROnPlateauOptions = {}): ReduceLROnPlateau =>
  new ReduceLROnPlateau(options);
