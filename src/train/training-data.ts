/**
 * From the arguments of `fit` and `evaluate` to checked tables by input name: x and y or a data set, validation data or a
 * split, weights of examples.
 *
 * A model of several inputs (outputs) takes them as an array in its order, `[a, b]`, or by name, `{ image: a, age: b }`.
 */

import type { ArrayDataset } from '../data/dataset.ts';
import type { Loss } from '../nn/losses/index.ts';
import { DownhillError, unknownName } from '../util/errors.ts';
import type { Shape } from '../util/shape.ts';
import { show } from '../util/show.ts';
import type { EvaluationData } from './evaluate-run.ts';
import { type ClassWeight, exampleWeights, type SampleWeight } from './example-weights.ts';
import { rowsOfTables, type Tables } from './feed.ts';
import { inputName, outputWeightsName, targetName, WEIGHTS_NAME } from './step-graph.ts';
import { type DataInput, datasetTable, isDataset, type Table, tableRows, toTable } from './table.ts';
import { checkCounts, checkExamples, checkTargets, checkValues } from './targets.ts';
import type { ValidationData } from './training-options.ts';

/** Data for a model: one input, several in the model's order, or several by name. */
export type ModelData = DataInput | readonly DataInput[] | Readonly<Record<string, DataInput>>;

/** Examples and targets as the caller gave them, in the model's order. */
export interface LabelledTables {
  readonly x: readonly Table[];
  readonly y: readonly Table[];
}

/** Names of a model's inputs and outputs: those of their layers. */
export interface DataNames {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** What data must fit. */
export interface DataRules extends DataNames {
  readonly model: string;
  /** One for each output. */
  readonly losses: readonly Loss[];
  /** Shapes of the model's inputs and outputs; a model without a shape takes that of the data. */
  shapes(dataShape: Shape): { readonly inputs: readonly Shape[]; readonly outputs: readonly Shape[] };
}

/**
 * `data` as one table for each of `names`.
 * @param side what errors call it: `x`, `validation y`.
 * @throws DownhillError `argument` unless there is one entry for each name, or as `toTable`.
 */
export async function modelTables(side: string, data: unknown, names: readonly string[]): Promise<Table[]> {
  if (names.length === 1) return [await toTable(side, byName(data, names) ? data[names[0]] : data)];
  const wanted = `[${names.join(', ')}]`;
  if (Array.isArray(data)) {
    if (data.length !== names.length) {
      throw new DownhillError('argument', `${side}: expected ${names.length} entries ${wanted}, found ${data.length}`);
    }
    return Promise.all(data.map((entry, k) => toTable(`${side} "${names[k]}"`, entry)));
  }
  if (typeof data !== 'object' || data === null) {
    throw new DownhillError('argument', `${side}: expected one entry for each of ${wanted}, found ${show(data)}`);
  }
  const unknown = Object.keys(data).find((name) => !names.includes(name));
  if (unknown !== undefined) throw unknownName(`entry of ${side}:`, unknown, names);
  return Promise.all(
    names.map((name) => {
      if (Object.hasOwn(data, name)) return toTable(`${side} "${name}"`, (data as Record<string, unknown>)[name]);
      throw new DownhillError('argument', `${side}: there is no entry "${name}"; expected one for each of ${wanted}`);
    }),
  );
}

function byName(data: unknown, names: readonly string[]): data is Record<string, unknown> {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return false;
  const keys = Object.keys(data);
  return keys.length === 1 && keys[0] === names[0];
}

/** x and y under the names that errors call them. */
export async function labelledTables(
  x: unknown,
  y: unknown,
  { inputs, outputs }: DataNames,
  prefix = '',
): Promise<LabelledTables> {
  return { x: await modelTables(`${prefix}x`, x, inputs), y: await modelTables(`${prefix}y`, y, outputs) };
}

async function datasetTables(set: ArrayDataset, { inputs, outputs }: DataNames): Promise<LabelledTables> {
  if (inputs.length > 1 || outputs.length > 1) {
    const found = `${inputs.length} inputs and ${outputs.length} outputs`;
    throw new DownhillError('argument', `data set "${set.name}" has one x and one y; the model has ${found}`);
  }
  return { x: [await datasetTable(set, 'x')], y: [await datasetTable(set, 'y')] };
}

/**
 * The arguments of `method`: (x, y, options?) or (dataset, options?).
 * @throws DownhillError `argument`, `shape` or `data` for what is no data.
 */
export async function readArguments<O extends object>(
  method: string,
  names: DataNames,
  first: unknown,
  second: unknown,
  third: unknown,
): Promise<{ tables: LabelledTables; options: O }> {
  if (!isDataset(first)) {
    return { tables: await labelledTables(first, second, names), options: (third ?? {}) as O };
  }
  if (third !== undefined) {
    throw new DownhillError('argument', `${method}: a data set has its own targets; pass (dataset, options)`);
  }
  return { tables: await datasetTables(first, names), options: (second ?? {}) as O };
}

/** How much examples count. */
export interface Weighting {
  readonly sampleWeight?: SampleWeight;
  readonly classWeight?: ClassWeight;
}

/**
 * Tables by input name, checked against the model and the losses.
 * @throws DownhillError `data` or `shape`, `argument` for weights that do not fit.
 */
export async function checkTables(
  { model, losses, shapes, outputs: names }: DataRules,
  { x, y }: LabelledTables,
  { sampleWeight, classWeight }: Weighting = {},
): Promise<Tables> {
  const { inputs, outputs } = shapes(x[0].shape);
  const tables = new Map<string, Table>();
  x.forEach((table, k) => {
    const examples = checkExamples(model, table, inputs[k]);
    checkCounts(x[0], table);
    tables.set(inputName(k), checkValues(examples, 'training takes finite numbers'));
  });
  y.forEach((table, k) => {
    checkCounts(x[0], table);
    tables.set(targetName(k), checkTargets(table, losses[k], outputs[k]));
  });
  if (sampleWeight === undefined && classWeight === undefined) return tables;
  if (classWeight !== undefined && y.length > 1) {
    throw new DownhillError('argument', `fit: classWeight fits models of one output; "${model}" has ${y.length}`);
  }
  const { shared, byOutput = [] } = await exampleWeights({
    y: tables.get(targetName(0))!,
    outputs: names,
    ...(sampleWeight !== undefined && { sampleWeight }),
    ...(classWeight !== undefined && { classWeight }),
  });
  if (shared !== undefined) tables.set(WEIGHTS_NAME, shared);
  byOutput.forEach((table, k) => {
    if (table !== undefined) tables.set(outputWeightsName(k), table);
  });
  return tables;
}

/** What to train on and, if anything is held out, what to validate on. @throws DownhillError as `checkTables`. */
export async function trainingData(
  rules: DataRules,
  tables: LabelledTables,
  options: Weighting & {
    readonly batchSize: number;
    readonly validationSplit: number;
    readonly validationData?: ValidationData;
  },
): Promise<{ data: EvaluationData; validation: EvaluationData | undefined }> {
  const { batchSize, validationSplit, validationData } = options;
  const all = await checkTables(rules, tables, options);
  if (validationData !== undefined) {
    const held = await validationTables(rules, validationData);
    return { data: { tables: all, batchSize }, validation: { tables: held, batchSize } };
  }
  if (validationSplit === 0) return { data: { tables: all, batchSize }, validation: undefined };
  const rows = rowsOfTables(all);
  const kept = Math.floor(rows * (1 - validationSplit));
  if (kept === 0 || kept === rows) {
    const found = `of ${rows} examples, ${kept} would be left to train on`;
    throw new DownhillError(
      'argument',
      `fit: validationSplit ${validationSplit} must leave examples on both sides: ${found}`,
    );
  }
  const part = (from: number, to: number): EvaluationData => ({
    tables: new Map([...all].map(([name, table]) => [name, tableRows(table, from, to)])),
    batchSize,
  });
  return { data: part(0, kept), validation: part(kept, rows) };
}

async function validationTables(rules: DataRules, data: ValidationData): Promise<Tables> {
  if (isDataset(data)) return checkTables(rules, await datasetTables(data, rules));
  if (!Array.isArray(data) || data.length < 2 || data.length > 3) {
    throw new DownhillError(
      'argument',
      `fit: validationData is [x, y], [x, y, weights] or a data set, found ${show(data)}`,
    );
  }
  const [x, y, sampleWeight] = data as readonly [unknown, unknown, SampleWeight?];
  const weighting = sampleWeight === undefined ? {} : { sampleWeight };
  return checkTables(rules, await labelledTables(x, y, rules, 'validation '), weighting);
}
