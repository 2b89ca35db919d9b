/**
 * What `fit` trains and validates on, checked: tables or streams, validation data or a split.
 */

import type { DatasetStream } from '../data/stream.ts';
import { checkKnownOptions } from '../nn/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { show } from '../util/show.ts';
import type { BatchData, TableData } from './batch-data.ts';
import type { SampleWeight } from './example-weights.ts';
import { rowsOfTables, type Tables } from './feed.ts';
import {
  checkTables,
  type DataRules,
  datasetTables,
  type LabelledData,
  labelledTables,
  type Weighting,
} from './labelled-data.ts';
import { checkedStream, trainingStream } from './stream-data.ts';
import { isDataset, isStream, tableRows } from './table.ts';
import { checkBatchSize, type EvaluateOptions, type ValidationData, wholeOption } from './training-options.ts';

/** The options that say what to train and to validate on. */
export interface DataOptions extends Weighting {
  readonly batchSize: number;
  readonly validationSplit: number;
  readonly validationData?: ValidationData;
  readonly stepsPerEpoch?: number;
  readonly validationSteps?: number;
  /** True when `shuffle: true` was said. */
  readonly askedToShuffle?: boolean;
}

/** What to train on and, if anything is held out, what to validate on. @throws DownhillError as `checkTables`. */
export async function trainingData(
  rules: DataRules,
  given: LabelledData,
  options: DataOptions,
): Promise<{ data: BatchData; validation: BatchData | undefined }> {
  const { batchSize, validationSplit, validationData, validationSteps } = options;
  if (validationSteps !== undefined && !isStream(validationData)) throw needsStream('validationSteps');
  if (isStream(given)) {
    const data = trainingStream(rules, given, options);
    return { data, validation: await validationOf(rules, options) };
  }
  if (options.stepsPerEpoch !== undefined) throw needsStream('stepsPerEpoch');
  const all = await checkTables(rules, given, options);
  const data: TableData = { kind: 'tables', tables: all, batchSize };
  if (validationData !== undefined) return { data, validation: await validationOf(rules, options) };
  if (validationSplit === 0) return { data, validation: undefined };
  const rows = rowsOfTables(all);
  const kept = Math.floor(rows * (1 - validationSplit));
  if (kept === 0 || kept === rows) {
    const found = `of ${rows} examples, ${kept} would be left to train on`;
    throw new DownhillError(
      'argument',
      `fit: validationSplit ${validationSplit} must leave examples on both sides: ${found}`,
    );
  }
  const part = (from: number, to: number): TableData => ({
    ...data,
    tables: new Map([...all].map(([name, table]) => [name, tableRows(table, from, to)])),
  });
  return { data: part(0, kept), validation: part(kept, rows) };
}

/** What `evaluate` runs over. @throws DownhillError as `checkTables`, `argument` for an option that is not accepted. */
export async function evaluationData(
  rules: DataRules,
  given: LabelledData,
  options: EvaluateOptions,
): Promise<BatchData> {
  checkKnownOptions('evaluate', options, ['batchSize', 'sampleWeight', 'steps']);
  const batchSize = checkBatchSize('evaluate', options.batchSize);
  const { steps } = wholeOption('evaluate', 'steps', options.steps);
  const { sampleWeight } = options;
  if (!isStream(given)) {
    if (steps !== undefined) throw needsStream('steps', 'evaluate');
    const weighting = sampleWeight === undefined ? {} : { sampleWeight };
    return { kind: 'tables', tables: await checkTables(rules, given, weighting), batchSize };
  }
  if (sampleWeight === undefined) return checkedStream(rules, given, { batchSize, steps, stepsOption: 'steps' });
  const message = `evaluate: "${given.name}" is a stream, so sampleWeight would not know its examples`;
  throw new DownhillError('argument', message);
}

/** @param method whose option it is, for errors. */
export function needsStream(option: string, method = 'fit'): DownhillError {
  const message = `${method}: ${option} goes with a stream (fromGenerator); data in memory is gone through as a whole`;
  return new DownhillError('argument', message);
}

async function validationOf(
  rules: DataRules,
  { validationData, validationSteps, batchSize }: DataOptions,
): Promise<BatchData | undefined> {
  if (validationData === undefined) return undefined;
  if (isStream(validationData)) {
    return checkedStream(rules, validationData, { batchSize, steps: validationSteps, stepsOption: 'validationSteps' });
  }
  return { kind: 'tables', tables: await validationTables(rules, validationData), batchSize };
}

async function validationTables(rules: DataRules, data: Exclude<ValidationData, DatasetStream>): Promise<Tables> {
  if (isDataset(data)) return checkTables(rules, await datasetTables(data, rules));
  if (!Array.isArray(data) || data.length < 2 || data.length > 3) {
    throw new DownhillError(
      'argument',
      `fit: validationData is [x, y], [x, y, weights], a data set or a stream, found ${show(data)}`,
    );
  }
  const [x, y, sampleWeight] = data as readonly [unknown, unknown, SampleWeight?];
  const weighting = sampleWeight === undefined ? {} : { sampleWeight };
  return checkTables(rules, await labelledTables(x, y, rules, 'validation '), weighting);
}
