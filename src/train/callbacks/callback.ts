/**
 * Callback: what a user hooks into training. Every method is optional and may return a promise, which is awaited.
 *
 * Invariant: losses are read back a few steps late, so `onBatchEnd` is called late too, but once for each step, in
 * order, and always before the `onEpochEnd` of its epoch.
 */

/** The values of one step or one epoch by name: `loss`, `accuracy`, `valLoss`, `valAccuracy`. */
export type Logs = Readonly<Record<string, number>>;

/** What is known when training starts. */
export interface TrainingParams {
  /** Epoch at which training would end. */
  readonly epochs: number;
  readonly initialEpoch: number;
  /** Steps of one epoch, the last, smaller batch included. */
  readonly steps: number;
  readonly batchSize: number;
  /** Training examples. */
  readonly samples: number;
  /** Names of the values in the logs of an epoch, in order. */
  readonly metrics: readonly string[];
}

/** The model as a callback sees it. */
export interface TrainedModel {
  readonly name: string;
  /** Set it to true to end training after the current step. */
  stopTraining: boolean;
  /** The optimizer's learning rate, positive; a change holds from the next step on. */
  learningRate: number;
  getWeights(): Promise<readonly unknown[]>;
}

export interface Callback {
  /** Called once, before anything else; `model` stays the same during the training. */
  onTrainBegin?(params: TrainingParams, model: TrainedModel): void | Promise<void>;
  /** While the training's kernels are being built, `built` of `total`; before the first epoch. */
  onCompile?(built: number, total: number): void;
  /** `epoch` counts from 0. */
  onEpochBegin?(epoch: number): void | Promise<void>;
  /** Before step `batch` (from 0) of the epoch is sent to the device. */
  onBatchBegin?(batch: number): void | Promise<void>;
  /** When the values of step `batch` have been read back. */
  onBatchEnd?(batch: number, logs: Logs): void | Promise<void>;
  /** With the means over the epoch and, where there is validation data, `valLoss` and so on. */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  /** With the logs of the last epoch. */
  onTrainEnd?(logs: Logs): void | Promise<void>;
}

/** Several callbacks as one; each is called in turn, in the order given. */
export class CallbackList {
  constructor(private readonly callbacks: readonly Callback[]) {}

  async onTrainBegin(params: TrainingParams, model: TrainedModel): Promise<void> {
    for (const callback of this.callbacks) await callback.onTrainBegin?.(params, model);
  }

  onCompile(built: number, total: number): void {
    for (const callback of this.callbacks) callback.onCompile?.(built, total);
  }

  async onEpochBegin(epoch: number): Promise<void> {
    for (const callback of this.callbacks) await callback.onEpochBegin?.(epoch);
  }

  /** A promise only when a callback asks for one: a steady step must not wait. */
  onBatchBegin(batch: number): void | Promise<void> {
    return inTurn(this.callbacks.map((callback) => () => callback.onBatchBegin?.(batch)));
  }

  onBatchEnd(batch: number, logs: Logs): void | Promise<void> {
    return inTurn(this.callbacks.map((callback) => () => callback.onBatchEnd?.(batch, logs)));
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    for (const callback of this.callbacks) await callback.onEpochEnd?.(epoch, logs);
  }

  async onTrainEnd(logs: Logs): Promise<void> {
    for (const callback of this.callbacks) await callback.onTrainEnd?.(logs);
  }
}

/** Runs `calls` one after the other, synchronously for as long as none returns a promise. */
function inTurn(calls: readonly (() => void | Promise<void>)[], from = 0): void | Promise<void> {
  for (let k = from; k < calls.length; k++) {
    const pending = calls[k]();
    if (pending !== undefined) return pending.then(() => inTurn(calls, k + 1));
  }
}
