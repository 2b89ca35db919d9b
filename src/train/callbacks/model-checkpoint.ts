/**
 * ModelCheckpoint: saves the model while it trains, every epoch, every so many steps, or when a value is the best so
 * far. Where it is saved is not known here: the function `save` is handed in, and in Node it writes files.
 *
 * Invariant: what is saved after `n` steps holds the weights after exactly those steps: the read is sent before the
 * next step. Values of single steps come late, so names with `saveFreq: n` can only hold the epoch and the batch.
 * Source: keras/src/callbacks/model_checkpoint.py.
 */

import { checkKnownOptions, numberBetween, show, trueOrFalse, wholeNumber } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import type { SavedModel } from '../model/model-options.ts';
import type { Callback, CallbackState, Logs, TrainedModel, TrainingParams } from './callback.ts';
import { MONITOR_OPTIONS, Monitor, type MonitorMode } from './monitor.ts';
import { NamePattern } from './name-pattern.ts';

export interface CheckpointOptions {
  /** Looked at with `saveBestOnly`; `valLoss` when left out. */
  readonly monitor?: string;
  readonly mode?: MonitorMode;
  /** True to save only when the monitored value is the best so far; false when left out. */
  readonly saveBestOnly?: boolean;
  /** With `saveBestOnly`, only values better than this count. */
  readonly initialValueThreshold?: number;
  /** True to leave out model.json and the optimizer's state; false when left out. */
  readonly saveWeightsOnly?: boolean;
  /** `epoch`, or the number of steps after which to save, counted through the whole training. */
  readonly saveFreq?: 'epoch' | number;
}

export interface ModelCheckpointOptions extends CheckpointOptions {
  /**
   * Name of what is saved: `{epoch}` (from 1), `{batch}` (from 1, with `saveFreq: n`) and the names of logged values
   * are filled in, `{epoch:03d}` and `{valLoss:.4f}` with a format.
   */
  readonly path: string;
  /** Keeps the model's files under the filled-in name. */
  readonly save: (files: SavedModel, path: string) => unknown;
}

export const CHECKPOINT_OPTIONS = [
  ...['monitor', 'mode', 'saveBestOnly', 'initialValueThreshold', 'saveWeightsOnly', 'saveFreq'],
] as const;

export class ModelCheckpoint implements Callback {
  readonly stateName = 'modelCheckpoint';
  /** Name of what was saved last. */
  lastPath: string | undefined;
  private readonly pattern: NamePattern;
  private readonly monitor: Monitor | undefined;
  private readonly threshold: number | undefined;
  private readonly weightsOnly: boolean;
  private readonly every: number | undefined;
  private model: TrainedModel | undefined;
  private epoch = 0;
  /** Steps of this epoch that were sent, and those of the training since the last save. */
  private batch = 0;
  private unsaved = 0;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(private readonly options: ModelCheckpointOptions) {
    const name = 'modelCheckpoint';
    checkKnownOptions(name, options, ['path', 'save', ...CHECKPOINT_OPTIONS]);
    const { path, save, saveFreq = 'epoch', initialValueThreshold: threshold } = options;
    if (typeof save !== 'function') {
      throw new DownhillError('argument', `${name}: save must be a function (files, path) => …, found ${show(save)}`);
    }
    this.pattern = new NamePattern(name, path);
    this.weightsOnly = trueOrFalse(name, 'saveWeightsOnly', options.saveWeightsOnly ?? false);
    this.every = saveFreq === 'epoch' ? undefined : wholeNumber(name, 'saveFreq', saveFreq, 1);
    if (threshold !== undefined) {
      this.threshold = numberBetween(name, 'initialValueThreshold', threshold, Number.NEGATIVE_INFINITY);
    }
    const bestOnly = trueOrFalse(name, 'saveBestOnly', options.saveBestOnly ?? false);
    if (bestOnly && this.every !== undefined) {
      throw new DownhillError(
        'argument',
        `${name}: saveBestOnly looks at the values of an epoch; found it with saveFreq ${saveFreq}, expected 'epoch'`,
      );
    }
    const monitored = Object.fromEntries(
      Object.entries(options).filter(([key]) => (MONITOR_OPTIONS as readonly string[]).includes(key)),
    );
    this.monitor = bestOnly ? new Monitor(name, monitored) : undefined;
  }

  /** The best value so far; undefined without `saveBestOnly`. */
  get best(): number | undefined {
    return this.monitor?.best;
  }

  /**
   * @throws DownhillError `argument` for a name in the path or a value to monitor that this training does not have, and
   *   what `toJSON` throws of a model that cannot be saved.
   */
  onCheck(params: TrainingParams, model: TrainedModel): void {
    this.pattern.check(this.every === undefined ? ['epoch', ...params.metrics] : ['epoch', 'batch']);
    this.monitor?.check(params);
    if (!this.weightsOnly) JSON.stringify(model.toJSON());
  }

  onTrainBegin(params: TrainingParams, model: TrainedModel): void {
    this.monitor?.start(params, this.threshold);
    this.model = model;
    this.lastPath = undefined;
    this.unsaved = 0;
  }

  onEpochBegin(epoch: number): void {
    this.epoch = epoch;
    this.batch = 0;
  }

  /** Before a step is sent, all those before it have been: what is read now is what they left. */
  onBatchBegin(batch: number): void | Promise<void> {
    const due = this.dueAfter(batch);
    this.batch = batch + 1;
    this.unsaved++;
    return due;
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    if (this.every !== undefined) await this.dueAfter(this.batch);
    else if (this.monitor === undefined || this.monitor.take(this.monitor.value(logs))) {
      await this.save({ ...logs, epoch: epoch + 1 });
    }
  }

  saveState(): CallbackState {
    const { lastPath, epoch, batch, unsaved } = this;
    return { values: { best: this.best, lastPath, epoch, batch, unsaved } };
  }

  restoreState({ values }: CallbackState): void {
    const state = values as { best?: number; lastPath?: string; epoch: number; batch: number; unsaved: number };
    if (this.monitor !== undefined) this.monitor.best = state.best;
    this.lastPath = state.lastPath;
    this.epoch = state.epoch;
    this.batch = state.batch;
    this.unsaved = state.unsaved;
  }

  private dueAfter(batch: number): Promise<void> | undefined {
    if (this.every === undefined || this.unsaved < this.every) return undefined;
    this.unsaved = 0;
    return this.save({ epoch: this.epoch + 1, batch });
  }

  private async save(values: Readonly<Record<string, number>>): Promise<void> {
    const path = this.pattern.fill(values);
    const files = await this.model!.save({ optimizer: !this.weightsOnly });
    await this.options.save(files, path);
    this.lastPath = path;
  }
}

export const modelCheckpoint = (options: ModelCheckpointOptions): ModelCheckpoint => new ModelCheckpoint(options);
