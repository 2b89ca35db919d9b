/**
 * LearningRateScheduler: the learning rate of each epoch as a function of its number and the present rate. The rate is
 * a scalar of the step, so nothing is compiled when it changes.
 * Source: keras/src/callbacks/learning_rate_scheduler.py.
 */

import { show } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Callback, CallbackState, TrainedModel, TrainingParams } from './callback.ts';

/** @param epoch from 0. @param learningRate the present one. @returns the rate of this epoch, at least 0. */
export type EpochSchedule = (epoch: number, learningRate: number) => number;

export class LearningRateScheduler implements Callback {
  readonly stateName = 'learningRateScheduler';
  /** The rate of each epoch of the last training. */
  readonly rates: number[] = [];
  private model: TrainedModel | undefined;

  /** @throws DownhillError `argument` unless `schedule` is a function. */
  constructor(private readonly schedule: EpochSchedule) {
    if (typeof schedule === 'function') return;
    const example = '(epoch, rate) => (epoch < 10 ? rate : rate * 0.9)';
    throw new DownhillError('argument', `learningRateScheduler takes a function ${example}, found ${show(schedule)}`);
  }

  /** @throws DownhillError `state` when the optimizer follows a schedule of its own. */
  onCheck(_params: TrainingParams, model: TrainedModel): void {
    assertRateCanChange('learningRateScheduler', model);
  }

  onTrainBegin(_params: TrainingParams, model: TrainedModel): void {
    this.model = model;
    this.rates.length = 0;
  }

  /** @throws DownhillError `argument` when the function gives something else than a finite number of at least 0. */
  onEpochBegin(epoch: number): void {
    if (this.model === undefined) return;
    const rate: unknown = this.schedule(epoch, this.model.learningRate);
    if (typeof rate !== 'number' || !Number.isFinite(rate) || rate < 0) {
      throw new DownhillError(
        'argument',
        `learningRateScheduler: the function must give a finite number of at least 0, it gave ${show(rate)} for ` +
          `epoch ${epoch}`,
      );
    }
    this.model.learningRate = rate;
    this.rates.push(rate);
  }

  saveState(): CallbackState {
    return { values: { rates: [...this.rates] } };
  }

  restoreState({ values }: CallbackState): void {
    this.rates.splice(0, this.rates.length, ...(values.rates as readonly number[]));
  }
}

export const learningRateScheduler = (schedule: EpochSchedule): LearningRateScheduler =>
  new LearningRateScheduler(schedule);

/** @throws DownhillError `state` naming `owner` when the model's learning rate follows a schedule. */
export function assertRateCanChange(owner: string, model: TrainedModel): void {
  const rate = model.learningRate;
  try {
    model.learningRate = rate;
  } catch (cause) {
    if (!(cause instanceof DownhillError)) throw cause;
    throw new DownhillError(cause.code, `${owner} sets the learning rate. ${cause.message}`, { cause });
  }
}
