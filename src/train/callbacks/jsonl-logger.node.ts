/**
 * JSONLLogger: the values of each epoch as one JSON object a line, for programs that follow a training.
 *
 * Invariant: every line is JSON by itself. NaN and infinities, which JSON does not have, are the texts "NaN",
 * "Infinity" and "-Infinity".
 */

import { checkKnownOptions, trueOrFalse } from '../../nn/check-options.ts';
import type { Callback, CallbackState, Logs, TrainedModel, TrainingParams } from './callback.ts';
import { checkPath, LogFile } from './log-file.node.ts';

export interface JsonlLoggerOptions {
  /** True to go on after the lines that are there; false when left out. */
  readonly append?: boolean;
  /** True to write a line for each step too, `{"epoch":0,"batch":3,"loss":…}`; false when left out. */
  readonly batches?: boolean;
}

export class JSONLLogger implements Callback {
  readonly stateName = 'jsonlLogger';
  private readonly file: LogFile;
  private readonly append: boolean;
  private readonly batches: boolean;
  private model: TrainedModel | undefined;
  private epoch = 0;
  /** Lines of steps since the last write: they come many at once. */
  private pending = '';

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(path: string, options: JsonlLoggerOptions = {}) {
    checkKnownOptions('jsonlLogger', options, ['append', 'batches']);
    this.file = new LogFile('jsonlLogger', checkPath('jsonlLogger', path));
    this.append = trueOrFalse('jsonlLogger', 'append', options.append ?? false);
    this.batches = trueOrFalse('jsonlLogger', 'batches', options.batches ?? false);
  }

  /** @throws DownhillError `file` when the file cannot be written. */
  async onTrainBegin({ resumed = false }: TrainingParams, model: TrainedModel): Promise<void> {
    this.model = model;
    this.pending = '';
    await this.file.begin(this.append || resumed);
  }

  saveState(): CallbackState {
    return { values: { length: this.file.length, pending: this.pending } };
  }

  restoreState({ values }: CallbackState): Promise<void> {
    this.pending = values.pending as string;
    return this.file.goBack(values.length as number);
  }

  onEpochBegin(epoch: number): void {
    this.epoch = epoch;
  }

  onBatchEnd(batch: number, logs: Logs): void {
    if (this.batches) this.pending += line({ epoch: this.epoch, batch, ...logs });
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const text = this.pending + line({ epoch, learningRate: this.model?.learningRate, ...logs });
    this.pending = '';
    await this.file.append(text);
  }
}

function line(values: Readonly<Record<string, unknown>>): string {
  const plain = (_key: string, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  return `${JSON.stringify(values, plain)}\n`;
}

/** Writes `epoch` (from 0), `learningRate` and the values of each epoch to the file `path`. */
export const jsonlLogger = (path: string, options: JsonlLoggerOptions = {}): JSONLLogger =>
  new JSONLLogger(path, options);
