/**
 * EarlyStopping: ends training when a value of the epoch logs has not improved for `patience` epochs. Names and
 * defaults as in Keras 3 (`monitor: 'valLoss'`, `minDelta: 0`, `patience: 0`, `mode: 'auto'`).
 */

import { checkKnownOptions, numberBetween, oneOf, wholeNumber } from '../../nn/check-options.ts';
import { DownhillError, nearestName } from '../../util/errors.ts';
import type { Callback, Logs, TrainedModel, TrainingParams } from './callback.ts';

export interface EarlyStoppingOptions {
  /** Name in the epoch's logs; `valLoss` when left out. */
  readonly monitor?: string;
  /** Smallest change that counts as an improvement. */
  readonly minDelta?: number;
  /** Training ends after this many epochs in a row without improvement (0 means 1). */
  readonly patience?: number;
  /** `auto`: `max` for accuracies, `min` otherwise. */
  readonly mode?: 'auto' | 'min' | 'max';
}

export class EarlyStopping implements Callback {
  /** Epoch (from 0) after which training ended; undefined while it has not. */
  stoppedEpoch: number | undefined;
  /** Epoch with the best value so far. */
  bestEpoch = 0;
  /** The best value so far. */
  best: number | undefined;
  private readonly options: Required<EarlyStoppingOptions>;
  private readonly sign: number;
  private model: TrainedModel | undefined;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: EarlyStoppingOptions = {}) {
    checkKnownOptions('earlyStopping', options, ['monitor', 'minDelta', 'patience', 'mode']);
    const mode = oneOf('earlyStopping', 'mode', options.mode ?? 'auto', ['auto', 'min', 'max']);
    const monitor = options.monitor ?? 'valLoss';
    this.options = {
      monitor,
      mode,
      minDelta: numberBetween('earlyStopping', 'minDelta', options.minDelta ?? 0, 0),
      patience: wholeNumber('earlyStopping', 'patience', options.patience ?? 0, 0),
    };
    this.sign = mode === 'max' || (mode === 'auto' && /acc/i.test(monitor)) ? -1 : 1;
  }

  onTrainBegin(params: TrainingParams, model: TrainedModel): void {
    const { monitor } = this.options;
    if (!params.metrics.includes(monitor)) {
      const near = nearestName(monitor, params.metrics);
      const hint = near === undefined ? '.' : `; did you mean "${near}"?`;
      const advice = monitor.startsWith('val') ? ' (val… needs validation data)' : '';
      throw new DownhillError(
        'argument',
        `earlyStopping: there is no "${monitor}" to monitor${hint} Known: ${params.metrics.join(', ')}${advice}`,
      );
    }
    this.model = model;
    this.stoppedEpoch = undefined;
    this.best = undefined;
  }

  onEpochEnd(epoch: number, logs: Logs): void {
    const { monitor, minDelta, patience } = this.options;
    const value = logs[monitor];
    if (!Number.isNaN(value) && (this.best === undefined || this.sign * (this.best - value) > minDelta)) {
      this.best = value;
      this.bestEpoch = epoch;
    } else if (epoch - this.bestEpoch >= Math.max(1, patience)) {
      this.stoppedEpoch = epoch;
      if (this.model !== undefined) this.model.stopTraining = true;
    }
  }
}

export const earlyStopping = (options: EarlyStoppingOptions = {}): EarlyStopping => new EarlyStopping(options);
