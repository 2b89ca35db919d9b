/**
 * From the arguments of `fit` and `evaluate` to checked tables: x and y or a data set, validation data or a split.
 */

import type { ArrayDataset } from '../data/dataset.ts';
import type { Loss } from '../nn/losses/index.ts';
import { DownhillError } from '../util/errors.ts';
import type { Shape } from '../util/shape.ts';
import type { EvaluationData } from './evaluate-run.ts';
import { datasetTable, isDataset, type Table, tableRows, toTable } from './table.ts';
import { checkCounts, checkExamples, checkTargets, checkValues } from './targets.ts';
import type { ValidationData } from './training-options.ts';

/** Examples and targets. */
export interface LabelledTables {
  readonly x: Table;
  readonly y: Table;
}

/** What data must fit. */
export interface DataRules {
  readonly model: string;
  readonly loss: Loss;
  /** Shapes of the model's input and output; a model without a shape takes that of the data. */
  shapes(dataShape: Shape): { readonly input: Shape; readonly output: Shape };
}

/** x and y under the names that errors call them. */
export async function labelledTables(xName: string, x: unknown, yName: string, y: unknown): Promise<LabelledTables> {
  return { x: await toTable(xName, x), y: await toTable(yName, y) };
}

async function datasetTables(set: ArrayDataset): Promise<LabelledTables> {
  return { x: await datasetTable(set, 'x'), y: await datasetTable(set, 'y') };
}

/**
 * The arguments of `method`: (x, y, options?) or (dataset, options?).
 * @throws DownhillError `argument`, `shape` or `data` for what is no data.
 */
export async function readArguments<O extends object>(
  method: string,
  first: unknown,
  second: unknown,
  third: unknown,
): Promise<{ tables: LabelledTables; options: O }> {
  if (!isDataset(first)) {
    return { tables: await labelledTables('x', first, 'y', second), options: (third ?? {}) as O };
  }
  if (third !== undefined) {
    throw new DownhillError('argument', `${method}: a data set has its own targets; pass (dataset, options)`);
  }
  return { tables: await datasetTables(first), options: (second ?? {}) as O };
}

/** Tables checked against the model and the loss. @throws DownhillError `data` or `shape`. */
export function checkTables({ model, loss, shapes }: DataRules, { x, y }: LabelledTables): LabelledTables {
  const { input, output } = shapes(x.shape);
  const examples = checkExamples(model, x, input);
  checkCounts(x, y);
  return { x: checkValues(examples, 'training takes finite numbers'), y: checkTargets(y, loss, output) };
}

/** What to train on and, if anything is held out, what to validate on. @throws DownhillError as `checkTables`. */
export async function trainingData(
  rules: DataRules,
  tables: LabelledTables,
  options: {
    readonly batchSize: number;
    readonly validationSplit: number;
    readonly validationData?: ValidationData;
  },
): Promise<{ data: EvaluationData; validation: EvaluationData | undefined }> {
  const { batchSize, validationSplit, validationData } = options;
  const all = checkTables(rules, tables);
  if (validationData !== undefined) {
    const held = isDataset(validationData)
      ? await datasetTables(validationData)
      : await labelledTables('validation x', validationData[0], 'validation y', validationData[1]);
    return { data: { ...all, batchSize }, validation: { ...checkTables(rules, held), batchSize } };
  }
  if (validationSplit === 0) return { data: { ...all, batchSize }, validation: undefined };
  const { rows } = all.x;
  const kept = Math.floor(rows * (1 - validationSplit));
  if (kept === 0 || kept === rows) {
    const found = `of ${rows} examples, ${kept} would be left to train on`;
    throw new DownhillError(
      'argument',
      `fit: validationSplit ${validationSplit} must leave examples on both sides: ${found}`,
    );
  }
  const part = (from: number, to: number): EvaluationData => ({
    x: tableRows(all.x, from, to),
    y: tableRows(all.y, from, to),
    batchSize,
  });
  return { data: part(0, kept), validation: part(kept, rows) };
}
