/**
 * CSVLogger: the values of each epoch as a line of a CSV file, under a header. Fields are quoted as RFC 4180 says.
 * Source: keras/src/callbacks/csv_logger.py; columns keep the order of the logs here, Keras sorts them.
 */

import { checkKnownOptions, show, trueOrFalse } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Callback, CallbackState, Logs, TrainingParams } from './callback.ts';
import { checkPath, LogFile } from './log-file.node.ts';

export interface CsvLoggerOptions {
  /** One character between fields; `,` when left out. */
  readonly separator?: string;
  /** True to go on after the lines that are there; false when left out. */
  readonly append?: boolean;
}

export class CSVLogger implements Callback {
  readonly stateName = 'csvLogger';
  private readonly file: LogFile;
  private readonly separator: string;
  private readonly append: boolean;
  private columns: readonly string[] = [];

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(path: string, options: CsvLoggerOptions = {}) {
    checkKnownOptions('csvLogger', options, ['separator', 'append']);
    this.file = new LogFile('csvLogger', checkPath('csvLogger', path));
    this.append = trueOrFalse('csvLogger', 'append', options.append ?? false);
    const { separator = ',' } = options;
    if (typeof separator !== 'string' || separator.length !== 1 || /["\r\n]/.test(separator)) {
      throw new DownhillError(
        'argument',
        `csvLogger: separator must be one character, no quote and no line break, found ${show(separator)}`,
      );
    }
    this.separator = separator;
  }

  /** @throws DownhillError `file` when the file has other columns than this training, which goes on with it. */
  async onCheck({ metrics }: TrainingParams): Promise<void> {
    if (this.append) this.checkColumns(await this.file.read(), metrics);
  }

  /** Writes the header. @throws DownhillError `file` when the file cannot be written, or as `onCheck`. */
  async onTrainBegin({ metrics, resumed = false }: TrainingParams): Promise<void> {
    this.columns = metrics;
    const text = await this.file.begin(this.append || resumed);
    if (text === '') return this.file.append(this.header(metrics));
    this.checkColumns(text, metrics);
  }

  private checkColumns(text: string, metrics: readonly string[]): void {
    if (text === '') return;
    const header = this.header(metrics);
    const found = `${text.split('\n', 1)[0].replace(/\r$/, '')}\n`;
    if (found === header) return;
    throw new DownhillError(
      'file',
      `csvLogger: ${this.file.path} has the columns ${show(found.trimEnd())}; ` +
        `this training would append ${show(header.trimEnd())}`,
    );
  }

  onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    return this.file.append(this.line([epoch, ...this.columns.map((name) => logs[name] ?? 'NA')]));
  }

  saveState(): CallbackState {
    return { values: { length: this.file.length } };
  }

  restoreState({ values }: CallbackState): Promise<void> {
    return this.file.goBack(values.length as number);
  }

  private header(metrics: readonly string[]): string {
    return this.line(['epoch', ...metrics]);
  }

  private line(fields: readonly (string | number)[]): string {
    return `${fields.map((field) => this.quoted(String(field))).join(this.separator)}\n`;
  }

  private quoted(field: string): string {
    if (!field.includes(this.separator) && !/["\r\n]/.test(field)) return field;
    return `"${field.replaceAll('"', '""')}"`;
  }
}

/** Writes `epoch` (from 0) and the values of each epoch to the file `path`. */
export const csvLogger = (path: string, options: CsvLoggerOptions = {}): CSVLogger => new CSVLogger(path, options);
