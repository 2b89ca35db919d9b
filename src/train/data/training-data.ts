/**
 * What `fit` trains and validates on, checked: tables or streams, validation data or a split.
 */

import type { DatasetStream } from '../../data/stream.ts';
import { checkKnownOptions } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { show } from '../../util/show.ts';
import { checkBatchSize, type EvaluateOptions, type ValidationData, wholeOption } from '../loop/training-options.ts';
import type { BatchData, TableData } from './batch-data.ts';
import { type SampleWeight, type WeightTables, weightTables } from './example-weights.ts';
import { rowsOfTables, type Tables } from './feed.ts';
import {
  checkTables,
  type DataRules,
  datasetTables,
  type LabelledData,
  type LabelledTables,
  labelledTables,
  type ModelData,
  type Weights,
} from './labelled-data.ts';
import { checkedStream, trainingStream } from './stream-data.ts';
import { isDataset, isStream, tableRows } from './table.ts';

/** The options that say what to train and to validate on. */
export interface DataOptions extends Weights {
  readonly batchSize: number;
  readonly validationSplit: number;
  readonly validationData?: ValidationData;
  readonly stepsPerEpoch?: number;
  readonly validationSteps?: number;
  /** True when `shuffle: true` was said. */
  readonly askedToShuffle?: boolean;
}

/**
 * What to train on and, if anything is held out, what to validate on; what is in host memory is copied before the
 * promise is returned. @throws DownhillError as `checkTables`.
 */
export async function trainingData(
  rules: DataRules,
  reading: Promise<LabelledData>,
  options: DataOptions,
): Promise<{ data: BatchData; validation: BatchData | undefined }> {
  const { batchSize, validationSplit, validationData, validationSteps, classWeight } = options;
  if (validationSteps !== undefined && !isStream(validationData)) throw needsStream('validationSteps');
  const [given, held, sampleWeight] = await Promise.all([
    reading,
    readValidation(rules, validationData),
    weightTables(options.sampleWeight, rules.outputs),
  ]);
  if (isStream(given)) {
    const data = trainingStream(rules, given, options);
    return { data, validation: validationOf(rules, held, options) };
  }
  if (options.stepsPerEpoch !== undefined) throw needsStream('stepsPerEpoch');
  const all = checkTables(rules, given, {
    ...(sampleWeight !== undefined && { sampleWeight }),
    ...(classWeight !== undefined && { classWeight }),
  });
  const data: TableData = { kind: 'tables', tables: all, batchSize };
  if (held !== undefined) return { data, validation: validationOf(rules, held, options) };
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

/**
 * What `evaluate` runs over, copied as by `trainingData`.
 * @throws DownhillError as `checkTables`, `argument` for an option that is not accepted.
 */
export async function evaluationData(
  rules: DataRules,
  reading: Promise<LabelledData>,
  options: EvaluateOptions,
): Promise<BatchData> {
  checkKnownOptions('evaluate', options, ['batchSize', 'sampleWeight', 'steps']);
  const batchSize = checkBatchSize('evaluate', options.batchSize);
  const { steps } = wholeOption('evaluate', 'steps', options.steps);
  const [given, sampleWeight] = await Promise.all([reading, weightTables(options.sampleWeight, rules.outputs)]);
  if (!isStream(given)) {
    if (steps !== undefined) throw needsStream('steps', 'evaluate');
    const weighting = sampleWeight === undefined ? {} : { sampleWeight };
    return { kind: 'tables', tables: checkTables(rules, given, weighting), batchSize };
  }
  if (sampleWeight === undefined) return checkedStream(rules, given, { batchSize, steps, stepsOption: 'steps' });
  const message = `evaluate: "${given.name}" is a stream, so sampleWeight would not know its examples`;
  throw new DownhillError('argument', message);
}

/** One batch for a single update or gradient, copied as by `trainingData`. @throws DownhillError as `checkTables`. */
export async function batchTables(
  rules: DataRules,
  x: ModelData,
  y: ModelData,
  { sampleWeight: given, classWeight }: Weights = {},
): Promise<Tables> {
  const [tables, sampleWeight] = await Promise.all([labelledTables(x, y, rules), weightTables(given, rules.outputs)]);
  return checkTables(rules, tables, {
    ...(sampleWeight !== undefined && { sampleWeight }),
    ...(classWeight !== undefined && { classWeight, partial: true }),
  });
}

/** @param method whose option it is, for errors. */
export function needsStream(option: string, method = 'fit'): DownhillError {
  const message = `${method}: ${option} goes with a stream (fromGenerator); data in memory is gone through as a whole`;
  return new DownhillError('argument', message);
}

/** Validation data as it was handed over. */
type HeldOut = DatasetStream | { readonly tables: LabelledTables; readonly sampleWeight?: WeightTables };

async function readValidation(rules: DataRules, data: ValidationData | undefined): Promise<HeldOut | undefined> {
  if (data === undefined || isStream(data)) return data;
  if (isDataset(data)) return { tables: await datasetTables(data, rules) };
  if (!Array.isArray(data) || data.length < 2 || data.length > 3) {
    throw new DownhillError(
      'argument',
      `fit: validationData is [x, y], [x, y, weights], a data set or a stream, found ${show(data)}`,
    );
  }
  const [x, y, weights] = data as readonly [unknown, unknown, SampleWeight?];
  const [tables, sampleWeight] = await Promise.all([
    labelledTables(x, y, rules, 'validation '),
    weightTables(weights, rules.outputs),
  ]);
  return { tables, ...(sampleWeight !== undefined && { sampleWeight }) };
}

function validationOf(
  rules: DataRules,
  held: HeldOut | undefined,
  { validationSteps, batchSize }: DataOptions,
): BatchData | undefined {
  if (held === undefined) return undefined;
  if (isStream(held)) {
    return checkedStream(rules, held, { batchSize, steps: validationSteps, stepsOption: 'validationSteps' });
  }
  const { tables, ...weighting } = held;
  return { kind: 'tables', tables: checkTables(rules, tables, weighting), batchSize };
}
