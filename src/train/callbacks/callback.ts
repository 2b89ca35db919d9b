/**
 * Callback: what a user hooks into training. Every method is optional and may return a promise, which is awaited; what
 * one throws, at once or by its promise, ends the training with that error.
 *
 * Invariant: losses are read back a few steps late, so `onBatchEnd` is called late too, but once for each step, in
 * order, and always before the `onEpochEnd` of its epoch.
 */

import type { DataInput } from '../data/table.ts';
import type { LayerOutput } from '../loop/single-batches.ts';
import type { SavedModel } from '../model/model-options.ts';
import type { Logs, ReportSums } from '../step/report.ts';
import type { WeightValue } from '../weights/weight-store.ts';

export type { Logs };

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
  /** Seeds the order and the dropout. Always known in `fit`. */
  readonly seed?: number;
  /** True when each epoch has another order. Always known in `fit`. */
  readonly shuffle?: boolean;
  /** True when callbacks get back what they had counted, by `restoreState`: a log goes on then. */
  readonly resumed?: boolean;
}

/** What a callback has counted so far. */
export interface CallbackState {
  /** Plain data, as JSON holds it; numbers may be NaN or infinite. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Weights that it keeps, such as the best ones. */
  readonly weights?: readonly WeightValue[];
}

/**
 * The position of a training between two steps. With the weights and the optimizer's state of that moment it goes on to
 * the bit, also in the middle of an epoch.
 */
export interface TrainingPoint {
  /** Whole epochs made: the number of the epoch that comes next, or is under way. */
  readonly epoch: number;
  /** Steps made of that epoch. */
  readonly step: number;
  /** True when a callback has ended the training there, as `earlyStopping` does. */
  readonly ended: boolean;
  /** Undefined when the optimizer follows a schedule. */
  readonly learningRate: number | undefined;
  /** Over the steps of the epoch under way; undefined at the beginning of an epoch. */
  readonly report: ReportSums | undefined;
  /** By the names of callbacks. */
  readonly callbacks: ReadonlyMap<string, CallbackState>;
}

/** A point that a callback leads on to. */
export interface ResumePoint extends TrainingPoint {
  /** Called when no other callback leads on to a later one. */
  restore?(): void;
}

/** The model as a callback sees it. */
export interface TrainedModel {
  readonly name: string;
  /** Set it to true to end training after the current step. */
  stopTraining: boolean;
  /** The optimizer's learning rate, positive; a change holds from the next step on. */
  learningRate: number;
  /** True when the optimizer's learning rate comes from a schedule; it cannot be set then. */
  readonly followsSchedule: boolean;
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
  /** Under which name `saveState` is kept; without one it is not asked. */
  readonly stateName?: string;
  /** What it has counted, so that a training that goes on in another process goes on with it. */
  saveState?(): CallbackState;
  /** Called after `onTrainBegin` of a training that goes on (after `onEpochBegin` in the middle of an epoch). */
  restoreState?(state: CallbackState): void | Promise<void>;
  /**
   * Called of all callbacks before anything else happens: nothing was written, restored or trained yet. What this
   * training cannot give a callback is refused here.
   */
  onCheck?(params: TrainingParams, model: TrainedModel): void | Promise<void>;
  /**
   * Called before `onTrainBegin`, to go on with a training that was cut off: the point or the number of the epoch at
   * which to start, or undefined for that of the options. The latest of all callbacks counts.
   */
  onResume?(
    params: TrainingParams,
    model: TrainedModel,
  ): ResumePoint | number | undefined | Promise<ResumePoint | number | undefined>;
  /** Called once, before anything else; `model` stays the same during the training. */
  onTrainBegin?(params: TrainingParams, model: TrainedModel): void | Promise<void>;
  /**
   * While the training's kernels are being built, `built` of `total`; a promise is waited for before the first epoch.
   */
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
  /** Asked before each step but an epoch's first: true to wait for all steps before it, and then `onCheckpoint`. */
  wantsCheckpoint?(batch: number): boolean;
  /**
   * At a moment when nothing is under way: after each whole epoch, when all callbacks have heard of its end; before a
   * step for which some callback wants it; and where a training is stopped in the middle of an epoch. Of a stream after
   * whole epochs only.
   */
  onCheckpoint?(point: TrainingPoint): void | Promise<void>;
  /**
   * With the logs of the last epoch. @param interrupted true when the training was stopped (`stopTraining`) before the
   * end of its epochs, other than by a callback at an epoch's end.
   */
  onTrainEnd?(logs: Logs, interrupted?: boolean): void | Promise<void>;
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

  /** Where to start, when that is later than the options say. */
  async onResume(params: TrainingParams, model: TrainedModel): Promise<TrainingPoint | undefined> {
    let latest: ResumePoint | undefined;
    await this.inEach(async (callback) => {
      const found = await callback.onResume?.(params, model);
      const point = typeof found === 'number' ? epochPoint(found) : found;
      if (point === undefined || point.epoch < params.initialEpoch) return;
      if (latest !== undefined && (point.epoch - latest.epoch || point.step - latest.step) <= 0) return;
      latest = point;
    });
    this.betweenSteps = true;
    latest?.restore?.();
    this.betweenSteps = false;
    return latest;
  }

  /** What the callbacks have counted. */
  saveStates(): ReadonlyMap<string, CallbackState> {
    return new Map(
      this.named().flatMap(([name, callback]) => {
        const state = callback.saveState?.();
        return state === undefined ? [] : [[name, state] as const];
      }),
    );
  }

  restoreStates(states: ReadonlyMap<string, CallbackState>): Promise<void> {
    const names = new Map(this.named().map(([name, callback]) => [callback, name]));
    return this.inEach((callback) => {
      const state = states.get(names.get(callback) ?? '');
      if (state !== undefined) return callback.restoreState?.(state);
    });
  }

  wantsCheckpoint(batch: number): boolean {
    // All are asked: a callback may count the steps.
    return this.callbacks.filter((callback) => callback.wantsCheckpoint?.(batch) === true).length > 0;
  }

  onCheckpoint(point: TrainingPoint): Promise<void> {
    return this.inEach((callback) => callback.onCheckpoint?.(point));
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

  onTrainEnd(logs: Logs, interrupted: boolean): Promise<void> {
    return this.inEach((callback) => callback.onTrainEnd?.(logs, interrupted));
  }

  /** Those whose state is kept; the second of a name is called `name 2`. */
  private named(): [string, Callback][] {
    const counts = new Map<string, number>();
    return this.callbacks.flatMap((callback) => {
      const { stateName } = callback;
      if (stateName === undefined) return [];
      const count = (counts.get(stateName) ?? 0) + 1;
      counts.set(stateName, count);
      return [[count === 1 ? stateName : `${stateName} ${count}`, callback] as [string, Callback]];
    });
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

/** The beginning of an epoch, with nothing else to go on with. */
function epochPoint(epoch: number): TrainingPoint {
  return { epoch, step: 0, ended: false, learningRate: undefined, report: undefined, callbacks: new Map() };
}

/** Runs `calls` one after the other, synchronously for as long as none returns a promise. */
function inTurn(calls: readonly (() => void | Promise<void>)[], from = 0): void | Promise<void> {
  for (let k = from; k < calls.length; k++) {
    // A hook such as `(batch) => list.push(batch)` returns something else.
    const pending: unknown = calls[k]();
    if (isPromise(pending)) return Promise.resolve(pending).then(() => inTurn(calls, k + 1));
  }
}
