/**
 * TensorBoard: a training as event files, `train/` and `validation/` in a log folder, with Keras' tags: `epoch_loss` by
 * epoch in both, `epoch_learning_rate`, `evaluation_loss_vs_iterations`, on request `batch_loss` by step and
 * `dense/kernel/histogram`.
 * Source: keras/src/callbacks/tensorboard.py. Unlike there, steps of a training that goes on count from its first
 * epoch, where an epoch's steps are known.
 *
 * Invariant: each file begins with its version and grows by whole records; every epoch is on its way to the disk when
 * its end has been heard.
 */

import { hostname } from 'node:os';
import { join } from 'node:path';
import { checkKnownOptions, show, wholeNumber } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { writeFileAtomic } from '../../util/files.node.ts';
import { joinBytes } from '../../util/join-bytes.ts';
import { validationName } from '../step/report.ts';
import { histogramEvent, scalarEvent, versionEvent } from '../tensorboard/events.ts';
import type { Callback, CallbackState, Logs, TrainedModel, TrainingParams } from './callback.ts';
import { LogFile } from './log-file.node.ts';

export interface TensorBoardOptions {
  /**
   * When the values of steps are written too, as means over the epoch so far: every step (`'batch'`), every so many
   * steps, or not at all (`'epoch'`, when left out).
   */
  readonly updateFreq?: 'epoch' | 'batch' | number;
  /** Writes histograms of the weights after every so many epochs, the first included; 0, never, when left out. */
  readonly histogramFreq?: number;
}

/** Values of steps wait for at most this many milliseconds for their way to the disk. */
const FLUSH_INTERVAL = 5000;

/** Event files that were begun by this process, so that their names differ. */
let filesBegun = 0;

export class TensorBoard implements Callback {
  readonly stateName = 'tensorBoard';
  private readonly logDir: string;
  /** Steps between two of which values are written; 0 for none. */
  private readonly every: number;
  private readonly histogramFreq: number;
  private model: TrainedModel | undefined;
  private train: EventFile | undefined;
  private validation: EventFile | undefined;
  /** `valLoss` → `loss`. */
  private measured: ReadonlyMap<string, string> = new Map();
  /** Steps of this training, those of the epochs before it included. */
  private step = 0;
  private lastFlush = 0;

  /**
   * @param now milliseconds since 1970; tests hand in their own.
   * @throws DownhillError `argument` for an option that is not accepted.
   */
  constructor(
    logDir: string,
    options: TensorBoardOptions = {},
    private readonly now: () => number = Date.now,
  ) {
    if (typeof logDir !== 'string' || logDir === '') {
      throw new DownhillError('argument', `tensorBoard: expected the path of a folder, found ${show(logDir)}`);
    }
    checkKnownOptions('tensorBoard', options, ['updateFreq', 'histogramFreq']);
    this.logDir = logDir;
    this.every = stepsBetween(options.updateFreq ?? 'epoch');
    this.histogramFreq = wholeNumber('tensorBoard', 'histogramFreq', options.histogramFreq ?? 0, 0);
  }

  /** Begins the files. @throws DownhillError `file` when they cannot be written. */
  async onTrainBegin({ initialEpoch, steps, metrics }: TrainingParams, model: TrainedModel): Promise<void> {
    this.model = model;
    this.step = initialEpoch * (steps ?? 0);
    this.lastFlush = this.now();
    this.train = await EventFile.begin(join(this.logDir, 'train'), this.now());
    const measured = metrics.map((name) => [validationName(name), name] as const);
    this.measured = new Map(measured.filter(([name]) => metrics.includes(name)));
    this.validation =
      this.measured.size === 0 ? undefined : await EventFile.begin(join(this.logDir, 'validation'), this.now());
  }

  onBatchEnd(_batch: number, _logs: Logs, running: Logs): void | Promise<void> {
    this.step++;
    if (this.train === undefined || this.every === 0 || this.step % this.every !== 0) return;
    const at = this.at(this.step);
    for (const [name, value] of Object.entries(running)) this.train.add(scalarEvent(at, `batch_${name}`, value));
    if (this.now() - this.lastFlush >= FLUSH_INTERVAL) return this.flush();
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const { model, train, validation } = this;
    if (model === undefined || train === undefined) return;
    const at = this.at(epoch);
    for (const [name, value] of Object.entries(logs)) {
      const measured = this.measured.get(name);
      if (measured === undefined) train.add(scalarEvent(at, `epoch_${name}`, value));
      else {
        validation?.add(scalarEvent(at, `epoch_${measured}`, value));
        validation?.add(scalarEvent(this.at(model.iterations), `evaluation_${measured}_vs_iterations`, value));
      }
    }
    train.add(scalarEvent(at, 'epoch_learning_rate', model.learningRate));
    if (this.histogramFreq > 0 && epoch % this.histogramFreq === 0) {
      for (const { name, data } of await model.getWeights()) train.add(histogramEvent(at, `${name}/histogram`, data));
    }
    await this.flush();
  }

  saveState(): CallbackState {
    const files = [this.train, this.validation].flatMap((file) => (file === undefined ? [] : [file.state]));
    return { values: { step: this.step, files } };
  }

  /** The files of the training that was cut off end where this one goes on; what it adds is in files of its own. */
  async restoreState({ values }: CallbackState): Promise<void> {
    const { step, files } = values as { step: number; files: readonly EventFileState[] };
    this.step = step;
    for (const state of files) await EventFile.restore(state);
  }

  private at(step: number) {
    return { wallTime: this.now() / 1000, step };
  }

  private async flush(): Promise<void> {
    this.lastFlush = this.now();
    await this.train?.flush();
    await this.validation?.flush();
  }
}

function stepsBetween(updateFreq: unknown): number {
  if (updateFreq === 'epoch') return 0;
  if (updateFreq === 'batch') return 1;
  if (typeof updateFreq === 'number') return wholeNumber('tensorBoard', 'updateFreq', updateFreq, 1);
  throw new DownhillError(
    'argument',
    `tensorBoard: updateFreq must be 'epoch', 'batch' or a count of steps, found ${show(updateFreq)}`,
  );
}

interface EventFileState {
  readonly path: string;
  readonly length: number;
  /** Records that were not written yet, in base64. */
  readonly pending: string;
}

/** One file of events that grows. */
class EventFile {
  private pending: Uint8Array[] = [];

  private constructor(private readonly file: LogFile) {}

  /** A new file in `folder`, which is made if need be; its name sorts by time. @param now milliseconds since 1970. */
  static async begin(folder: string, now: number): Promise<EventFile> {
    const seconds = Math.floor(now / 1000);
    const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${filesBegun++}.v2`;
    const path = join(folder, name);
    const version = versionEvent(now / 1000);
    await writeFileAtomic(path, version);
    return new EventFile(new LogFile('tensorBoard', path, version.length));
  }

  /** Makes a file that was begun before what it was at `state`. */
  static async restore({ path, length, pending }: EventFileState): Promise<void> {
    const file = new LogFile('tensorBoard', path);
    await file.goBack(length);
    if (file.length === length && pending !== '') await file.append(Buffer.from(pending, 'base64'));
  }

  get state(): EventFileState {
    const { path, length } = this.file;
    return { path, length, pending: Buffer.from(joinBytes(this.pending)).toString('base64') };
  }

  add(record: Uint8Array): void {
    this.pending.push(record);
  }

  /** @throws DownhillError `file` naming the path and the system's reason. */
  async flush(): Promise<void> {
    const bytes = joinBytes(this.pending);
    this.pending = [];
    if (bytes.length > 0) await this.file.append(bytes);
  }
}

/** Writes event files for TensorBoard into `logDir`; `tensorboard --logdir logDir` shows them. */
export const tensorBoard = (logDir: string, options: TensorBoardOptions = {}): TensorBoard =>
  new TensorBoard(logDir, options);
