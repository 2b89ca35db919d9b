/**
 * TerminateOnNaN: ends training when a step's loss is NaN or infinite. Losses are read late, so a few more steps have
 * run by then; the weights are already spoilt in any case.
 */

import type { Callback, Logs, TrainedModel, TrainingParams } from './callback.ts';

export class TerminateOnNaN implements Callback {
  /** Step of the epoch whose loss was the first that is not finite. */
  stoppedBatch: number | undefined;
  private model: TrainedModel | undefined;

  onTrainBegin(_params: TrainingParams, model: TrainedModel): void {
    this.model = model;
    this.stoppedBatch = undefined;
  }

  onBatchEnd(batch: number, logs: Logs): void {
    if (Number.isFinite(logs.loss) || this.model === undefined) return;
    this.stoppedBatch ??= batch;
    this.model.stopTraining = true;
  }
}

export const terminateOnNaN = (): TerminateOnNaN => new TerminateOnNaN();
