/**
 * Callback: what a user hooks into training. Every method is optional and may return a promise, which is awaited; what one
 * throws, at once or by its promise, ends the training with that error.
 *
 * Invariant: losses are read back a few steps late, so `onBatchEnd` is called late too, but once for each step, in
 * order, and always before the `onEpochEnd` of its epoch.
 */

import type { SavedModel } from '../model-options.ts';
import type { LayerOutput } from '../single-batches.ts';
import type { DataInput } from '../table.ts';
import type { WeightValue } from '../weight-store.ts';

/** The values of one step or one epoch by name: `loss`, `accuracy`, `valLoss`, `valAccuracy`. */
export type Logs = Readonly<Record<string, number>>;

/** What is known when training starts. */
export interface TrainingParams {
  /** Epoch at which training would end. */
  readonly epochs: number;
  readonly initialEpoch: number;
  /** Steps of one epoch, the last, smaller batch included; undefined for a stream of unknown length. */
  readonly steps: number | undefined;
  readonly batchSize: number;
  /** Training examples; undefined for a stream of unknown length. */
  readonly samples: number | undefined;
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
  /** Updates that were sent so far, those of trainings before included. */
  readonly iterations: number;
  /** The values of all weights, after the steps that were sent so far. */
  getWeights(): Promise<WeightValue[]>;
  /**
   * Replaces all weights; bytes of a weights file replace the optimizer's state too where they hold it. For callbacks:
   * in `onTrainBegin`, `onEpochBegin`, `onEpochEnd` and `onTrainEnd`, when no step is under way, and in `onBatchBegin`,
   * where the steps sent before still see the old values.
   * @throws DownhillError `state` at any other time, `argument` or `file` for weights that do not fit.
   */
  restoreWeights(values: readonly WeightValue[] | Uint8Array, file?: string): void;
  /** The model without its weights, as plain data. */
  toJSON(): unknown;
  /** The model as two files. */
  save(options?: { readonly optimizer?: boolean }): Promise<SavedModel>;
  /** Loss, metrics and the gradient of each trainable weight at the present weights; nothing is updated. */
  gradientsOnBatch(x: DataInput, y: DataInput): Promise<{ logs: Logs; gradients: WeightValue[] }>;
  /** What each layer gives for the batch `x` at inference. */
  activationsOnBatch(x: DataInput): Promise<LayerOutput[]>;
}

export interface Callback {
  /**
   * Called of all callbacks before anything else happens: nothing was written, restored or trained yet. What this training
   * cannot give a callback is refused here.
   */
  onCheck?(params: TrainingParams, model: TrainedModel): void | Promise<void>;
  /**
   * Called before `onTrainBegin`, to go on with a training that was cut off: the number of the epoch at which to start,
   * or undefined for that of the options. The largest of all callbacks counts.
   */
  onResume?(params: TrainingParams, model: TrainedModel): number | undefined | Promise<number | undefined>;
  /** Called once, before anything else; `model` stays the same during the training. */
  onTrainBegin?(params: TrainingParams, model: TrainedModel): void | Promise<void>;
  /** While the training's kernels are being built, `built` of `total`; a promise is waited for before the first epoch. */
  onCompile?(built: number, total: number): void | Promise<void>;
  /** `epoch` counts from 0. */
  onEpochBegin?(epoch: number): void | Promise<void>;
  /** Before step `batch` (from 0) of the epoch is sent to the device. */
  onBatchBegin?(batch: number): void | Promise<void>;
  /** When the values of step `batch` have been read back: `logs` over its examples, `running` over the epoch so far. */
  onBatchEnd?(batch: number, logs: Logs, running: Logs): void | Promise<void>;
  /** When step `batch` of the validation has been sent; `steps` in all, undefined for a stream of unknown length. */
  onValidationBatchEnd?(batch: number, steps: number | undefined): void | Promise<void>;
  /** With the values over the epoch and, where there is validation data, `valLoss` and so on. */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  /** With the logs of the last epoch. */
  onTrainEnd?(logs: Logs): void | Promise<void>;
}

/** Several callbacks as one; each is called in turn, in the order given. */
export class CallbackList {
  /** Hooks that are called while kernels are built, where nothing can wait for them. */
  private readonly compiling: Promise<void>[] = [];
  private failure: { readonly error: unknown } | undefined;
  /** True inside a hook that the next step waits for. */
  betweenSteps = false;

  constructor(private readonly callbacks: readonly Callback[]) {}

  onCheck(params: TrainingParams, model: TrainedModel): Promise<void> {
    return this.inEach((callback) => callback.onCheck?.(params, model));
  }

  /** The epoch at which to start. */
  async onResume(params: TrainingParams, model: TrainedModel): Promise<number> {
    let epoch = params.initialEpoch;
    await this.inEach(async (callback) => {
      epoch = Math.max(epoch, (await callback.onResume?.(params, model)) ?? 0);
    });
    return epoch;
  }

  onTrainBegin(params: TrainingParams, model: TrainedModel): Promise<void> {
    return this.inEach((callback) => callback.onTrainBegin?.(params, model));
  }

  /** Never throws: `compiled` tells what went wrong. */
  onCompile(built: number, total: number): void {
    const failed = (error: unknown): void => void (this.failure ??= { error });
    for (const callback of this.callbacks) {
      // Not an async function: what a hook does at once shall be done before the next kernel is built.
      try {
        const pending: unknown = callback.onCompile?.(built, total);
        if (isPromise(pending)) this.compiling.push(Promise.resolve(pending).then(() => undefined, failed));
      } catch (error) {
        failed(error);
      }
    }
  }

  /** When every `onCompile` is done. @throws what the first of them that failed did. */
  async compiled(): Promise<void> {
    await Promise.all(this.compiling.splice(0));
    if (this.failure !== undefined) throw this.failure.error;
  }

  onEpochBegin(epoch: number): Promise<void> {
    return this.inEach((callback) => callback.onEpochBegin?.(epoch));
  }

  /** A promise only when a callback asks for one: a steady step must not wait. */
  onBatchBegin(batch: number): void | Promise<void> {
    this.betweenSteps = true;
    const pending = inTurn(this.callbacks.map((callback) => () => callback.onBatchBegin?.(batch)));
    if (pending === undefined) {
      this.betweenSteps = false;
      return;
    }
    return pending.finally(() => {
      this.betweenSteps = false;
    });
  }

  onBatchEnd(batch: number, logs: Logs, running: Logs): void | Promise<void> {
    return inTurn(this.callbacks.map((callback) => () => callback.onBatchEnd?.(batch, logs, running)));
  }

  onValidationBatchEnd(batch: number, steps: number | undefined): void | Promise<void> {
    return inTurn(this.callbacks.map((callback) => () => callback.onValidationBatchEnd?.(batch, steps)));
  }

  onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    return this.inEach((callback) => callback.onEpochEnd?.(epoch, logs));
  }

  onTrainEnd(logs: Logs): Promise<void> {
    return this.inEach((callback) => callback.onTrainEnd?.(logs));
  }

  private async inEach(call: (callback: Callback) => void | Promise<void>): Promise<void> {
    this.betweenSteps = true;
    try {
      for (const callback of this.callbacks) await call(callback);
    } finally {
      this.betweenSteps = false;
    }
  }
}

/** True for whatever can be awaited. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Runs `calls` one after the other, synchronously for as long as none returns a promise. */
function inTurn(calls: readonly (() => void | Promise<void>)[], from = 0): void | Promise<void> {
  for (let k = from; k < calls.length; k++) {
    // A hook such as `(batch) => list.push(batch)` returns something else.
    const pending: unknown = calls[k]();
    if (isPromise(pending)) return Promise.resolve(pending).then(() => inTurn(calls, k + 1));
  }
}
