/**
 * BackupAndRestore: a training that was cut off goes on where it stood. After each epoch, and on request every so many
 * seconds of a long one, all that the training has come to is kept in a folder: the weights, the optimizer's state and
 * the learning rate, the place in the data, the sums over the epoch so far, what other callbacks have counted, and the
 * losses. A later `fit` with the same folder finds it.
 *
 * Invariants: the folder always leads to one whole state (`BackupFolder`). Since the order of an epoch and the random
 * numbers of a step follow from the seed and their number, a training that goes on takes the same steps, to the bit, as
 * one that was never cut off; one that could not is refused, and the folder stays as it is. A state whose loss is no
 * finite number is not kept: it would take the place of a good one.
 * Semantics: keras/src/callbacks/backup_and_restore.py. Unlike there, callbacks go on with what they had counted.
 */

import { checkKnownOptions, numberBetween, trueOrFalse, wholeNumber } from '../../nn/check-options.ts';
import { firstDifference } from '../../util/difference.ts';
import { DownhillError } from '../../util/errors.ts';
import { type Backup, BackupFolder } from './backup-folder.node.ts';
import type { Callback, Logs, ResumePoint, TrainedModel, TrainingParams, TrainingPoint } from './callback.ts';
import { checkPath } from './log-file.node.ts';

export interface BackupAndRestoreOptions {
  /** Keeps the state after every so many epochs; 1 when left out. */
  readonly every?: number;
  /** Keeps the state in the middle of an epoch too, after so many seconds; never when left out. Not of streams. */
  readonly seconds?: number;
  /** False to leave the folder when the training has ended; true when left out. */
  readonly deleteCheckpoint?: boolean;
  /**
   * At most this share of the time goes into keeping states: those that come sooner are left out. No bound when left
   * out.
   */
  readonly share?: number;
  /** Plain data that a training which goes on must have the same, beside seed, batch size, examples and order. */
  readonly identity?: Readonly<Record<string, unknown>>;
  /** Hears that a state could not be written, and the training goes on; without it the training ends with the error. */
  readonly onError?: (error: DownhillError) => void;
}

const OPTIONS = ['every', 'seconds', 'deleteCheckpoint', 'share', 'identity', 'onError'];

export class BackupAndRestore implements Callback {
  /** Epoch at which the last training went on; undefined when it began at the beginning. */
  resumedEpoch: number | undefined;
  /** What the training had come to where it went on. */
  earlier: Pick<Backup, 'point' | 'epochs' | 'losses'> | undefined;
  private readonly folder: BackupFolder;
  private readonly every: number;
  private readonly interval: number;
  private readonly share: number;
  private readonly deleteCheckpoint: boolean;
  private params!: TrainingParams;
  private model!: TrainedModel;
  private epochs: { epoch: number; logs: Logs }[] = [];
  private losses: number[] = [];
  /** When the last state was written, and how many milliseconds it took. */
  private written = 0;
  private cost = 0;

  /**
   * @param now a clock in milliseconds.
   * @throws DownhillError `argument` for an option that is not accepted.
   */
  constructor(
    folder: string,
    private readonly options: BackupAndRestoreOptions = {},
    private readonly now: () => number = () => performance.now(),
  ) {
    const name = 'backupAndRestore';
    this.folder = new BackupFolder(checkPath(name, folder));
    checkKnownOptions(name, options, OPTIONS);
    this.every = wholeNumber(name, 'every', options.every ?? 1, 1);
    const { seconds, share } = options;
    this.interval =
      seconds === undefined ? Number.POSITIVE_INFINITY : 1000 * numberBetween(name, 'seconds', seconds, 0);
    this.share = share === undefined ? Number.POSITIVE_INFINITY : numberBetween(name, 'share', share, 1e-6, 1);
    this.deleteCheckpoint = trueOrFalse(name, 'deleteCheckpoint', options.deleteCheckpoint ?? true);
  }

  /**
   * @throws DownhillError `file` for a state that is corrupt or of another model, `argument` for one of another
   *   training; nothing is changed then.
   */
  async onResume(params: TrainingParams, model: TrainedModel): Promise<ResumePoint | undefined> {
    this.resumedEpoch = undefined;
    this.earlier = undefined;
    this.epochs = [];
    this.losses = [];
    const backup = await this.folder.read();
    await this.folder.tidy();
    // Someone else leads on to a later point.
    if (backup === undefined || backup.point.epoch < params.initialEpoch) return undefined;
    this.check(backup, params, model);
    return { ...backup.point, restore: () => this.goOn(backup, model) };
  }

  private goOn({ point, epochs, losses, weights, weightsPath }: Backup, model: TrainedModel): void {
    model.restoreWeights(weights, weightsPath);
    this.resumedEpoch = point.epoch;
    this.earlier = { point, epochs, losses };
    this.epochs = [...epochs];
    this.losses = Array.from(losses);
    if (point.learningRate !== undefined && !model.followsSchedule) model.learningRate = point.learningRate;
  }

  onTrainBegin(params: TrainingParams, model: TrainedModel): void {
    this.params = params;
    this.model = model;
    this.written = this.now();
    this.cost = 0;
  }

  onBatchEnd(_batch: number, logs: Logs): void {
    this.losses.push(logs.loss);
  }

  onEpochEnd(epoch: number, logs: Logs): void {
    this.epochs.push({ epoch, logs });
  }

  wantsCheckpoint(): boolean {
    return this.now() - this.written >= Math.max(this.interval, this.cost / this.share);
  }

  async onCheckpoint(point: TrainingPoint): Promise<void> {
    if (this.losses.length > 0 && !Number.isFinite(this.losses.at(-1))) return;
    if (point.step === 0 && !this.dueAfterEpoch(point)) return;
    const started = this.now();
    try {
      await this.write(point);
    } catch (error) {
      if (this.options.onError === undefined || !(error instanceof DownhillError) || error.code !== 'file') throw error;
      this.options.onError(error);
    }
    this.written = this.now();
    this.cost = this.written - started;
  }

  async onTrainEnd(_logs: Logs, interrupted = false): Promise<void> {
    if (this.deleteCheckpoint && !interrupted) await this.folder.clear();
  }

  private dueAfterEpoch({ epoch, ended }: TrainingPoint): boolean {
    const last = ended || epoch === this.params.epochs || this.model.stopTraining;
    if (last && this.share < Number.POSITIVE_INFINITY) return true;
    return epoch % this.every === 0 && this.now() - this.written >= this.cost / this.share;
  }

  private async write(point: TrainingPoint): Promise<void> {
    const { weights } = await this.model.save({ optimizer: true });
    const { params, epochs } = this;
    const losses = Float32Array.from(this.losses);
    await this.folder.write({ model: this.model.name, point, setting: this.setting(params), epochs, losses, weights });
  }

  /** What makes another training of it, and the epochs that it is to take. */
  private setting({ epochs, batchSize, samples, steps, seed, shuffle }: TrainingParams): Backup['setting'] {
    const { identity = {} } = this.options;
    return JSON.parse(JSON.stringify({ epochs, seed, batchSize, samples, steps, shuffle, ...identity }));
  }

  private check(
    { model: name, setting: { epochs: wanted, ...setting } }: Backup,
    params: TrainingParams,
    model: TrainedModel,
  ) {
    const where = `backupAndRestore: ${this.folder.path}`;
    if (name !== model.name) {
      const found = `${where} is of model "${name}", this one is "${model.name}"`;
      throw new DownhillError('file', `${found}; give each its own folder`);
    }
    const { epochs, ...own } = this.setting(params);
    const difference = firstDifference(setting, own);
    if (difference !== undefined) {
      const { path, before, after } = difference;
      const found = `${where} is of a training with ${path} ${before}, this one has ${after}`;
      throw new DownhillError('argument', `${found}, so it cannot go on with it; nothing was changed`);
    }
    if ((epochs as number) >= (wanted as number)) return;
    const found = `${where} is of a training over ${wanted} epochs, this one ends after ${epochs}`;
    throw new DownhillError('argument', `${found}; give at least as many; nothing was changed`);
  }
}

/** Keeps the state of a training in `folder`, and goes on from there when a training was cut off. */
export const backupAndRestore = (folder: string, options: BackupAndRestoreOptions = {}): BackupAndRestore =>
  new BackupAndRestore(folder, options);
