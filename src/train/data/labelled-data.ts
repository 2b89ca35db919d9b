/**
 * From the arguments of `fit` and `evaluate` to checked tables by input name: x and y or a data set, weights of
 * examples.
 *
 * A model of several inputs (outputs) takes them as an array in its order, `[a, b]`, or by name, `{ image: a, age: b
 * }`. Invariant: whatever is in host memory is copied before a function here returns its promise; nothing is awaited
 * before.
 */

import type { ArrayDataset } from '../../data/dataset.ts';
import type { DatasetStream } from '../../data/stream.ts';
import type { Loss } from '../../nn/losses/index.ts';
import type { Metric } from '../../nn/metrics/index.ts';
import { refuseSurplus } from '../../util/check-options.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';
import type { Shape } from '../../util/shape.ts';
import { show } from '../../util/show.ts';
import { inputName, outputWeightsName, targetName, WEIGHTS_NAME } from '../step/step-graph.ts';
import { type ClassWeight, exampleWeights, type SampleWeight, type WeightTables } from './example-weights.ts';
import type { Tables } from './feed.ts';
import { type DataInput, datasetTable, isDataset, isStream, type Table, toTable } from './table.ts';
import { checkAnswers, checkCounts, checkExamples, checkTargets, checkValues } from './targets.ts';

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
  /** What is counted for each output. @throws DownhillError `argument` for a metric that does not fit. */
  metrics(): readonly (readonly Metric[])[];
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
  const [xs, ys] = await Promise.all([modelTables(`${prefix}x`, x, inputs), modelTables(`${prefix}y`, y, outputs)]);
  return { x: xs, y: ys };
}

/** @throws DownhillError `argument` unless the model has one input and one output. */
export function requireOneSide(name: string, { inputs, outputs }: DataNames): void {
  if (inputs.length === 1 && outputs.length === 1) return;
  const found = `${inputs.length} inputs and ${outputs.length} outputs`;
  throw new DownhillError('argument', `data set "${name}" has one x and one y; the model has ${found}`);
}

/** The two sides of a data set. @param owned true when nobody changes it. @throws DownhillError as `requireOneSide`. */
export async function datasetTables(set: ArrayDataset, names: DataNames, owned = false): Promise<LabelledTables> {
  requireOneSide(set.name, names);
  const [x, y] = await Promise.all([datasetTable(set, 'x', owned), datasetTable(set, 'y', owned)]);
  return { x: [x], y: [y] };
}

/** What to train or evaluate on, as the caller gave it. */
export type LabelledData = LabelledTables | DatasetStream;

/**
 * The arguments of `method`: (x, y, options?) or (dataset, options?). The options come at once, the data when it is
 * read.
 * @throws DownhillError `argument`, `shape` or `data` for what is not data.
 */
export function readArguments<O extends object>(
  method: string,
  names: DataNames,
  given: readonly unknown[],
): { data: Promise<LabelledData>; options: O } {
  const [first, second, third] = given;
  const whole = isStream(first) || isDataset(first);
  if (whole && third !== undefined) {
    throw new DownhillError('argument', `${method}: a data set has its own targets; pass (dataset, options)`);
  }
  refuseSurplus(method, given, whole ? 2 : 3);
  const options = ((whole ? second : third) ?? {}) as O;
  const data: Promise<LabelledData> = isStream(first)
    ? Promise.resolve(first)
    : isDataset(first)
      ? datasetTables(first, names)
      : labelledTables(first, second, names);
  // Whoever awaits it hears of it; until then options may be refused.
  data.catch(() => undefined);
  return { data, options };
}

/** How much examples count, as the caller said it. */
export interface Weights {
  readonly sampleWeight?: SampleWeight;
  readonly classWeight?: ClassWeight;
}

/** The same with the weights of examples read. */
export interface Weighting {
  readonly sampleWeight?: WeightTables;
  readonly classWeight?: ClassWeight;
  /** True for a part of the data. */
  readonly partial?: boolean;
}

/**
 * Tables by input name, checked against the model and the losses.
 * @throws DownhillError `data` or `shape`, `argument` for weights that do not fit.
 */
export function checkTables(
  { model, losses, metrics, shapes }: DataRules,
  { x, y }: LabelledTables,
  { sampleWeight, classWeight, partial = false }: Weighting = {},
): Tables {
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
  metrics().forEach((list, k) => {
    checkAnswers(tables.get(targetName(k))!, losses[k], list);
  });
  if (sampleWeight === undefined && classWeight === undefined) return tables;
  if (classWeight !== undefined && y.length > 1) {
    throw new DownhillError('argument', `fit: classWeight fits models of one output; "${model}" has ${y.length}`);
  }
  const { shared, byOutput = [] } = exampleWeights({
    y: tables.get(targetName(0))!,
    partial,
    ...(sampleWeight !== undefined && { sampleWeight }),
    ...(classWeight !== undefined && { classWeight }),
  });
  if (shared !== undefined) tables.set(WEIGHTS_NAME, shared);
  byOutput.forEach((table, k) => {
    if (table !== undefined) tables.set(outputWeightsName(k), table);
  });
  return tables;
}
