/**
 * The file of `train --config`: all options of a training, as JSON. docs/guides/command-line.md lists the keys. Options
 * on the command line override the file.
 *
 * Invariant: a config that was read has known keys only, and what its names and options are for has accepted them.
 */

import type { TableTask } from '../data/tabular.ts';
import type { Layer } from '../nn/layer.ts';
import { makeLayer } from '../nn/layers/index.ts';
import { type Loss, resolveLoss } from '../nn/losses/index.ts';
import { checkMetrics, type MetricLike } from '../nn/metrics/index.ts';
import { resolveOptimizer } from '../nn/optimizers/index.ts';
import type { Callback } from '../train/callbacks/callback.ts';
import { modelFromJSON } from '../train/model/load-model.ts';
import { ZOO_NAMES, type ZooName } from '../zoo/index.ts';
import { CONFIG_CALLBACKS } from './config-callbacks.ts';
import { ConfigReader, type ConfigSource, type JsonRecord, type Named, readConfigSource } from './config-reader.ts';
import { DATASETS, type DatasetName, TASKS } from './load-data.ts';
import { checkSchedule, type ModelSpec } from './make-model.ts';

export interface TrainConfig {
  readonly model?: ModelSpec;
  readonly dataset?: DatasetName;
  /** Folder or file of the data set. */
  readonly data?: string;
  /** The column to predict, of a CSV file. */
  readonly target?: string;
  readonly task?: TableTask;
  readonly limit?: number;
  /** Layers in front of the model, which change its examples in training. */
  readonly augmentation: readonly Layer[];
  readonly optimizer?: Named;
  readonly schedule?: Named;
  readonly loss?: Loss;
  readonly metrics?: readonly MetricLike[];
  readonly callbacks: readonly Callback[];
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly shuffle?: boolean;
  readonly classWeight?: Readonly<Record<string, number>>;
  readonly seed?: number;
  /** Runs work that reads this config; refusals name the file and the path. */
  at<T>(path: string, work: () => T): T;
}

const KEYS = [
  ...[
    'model',
    'dataset',
    'data',
    'target',
    'task',
    'limit',
    'augmentation',
    'optimizer',
    'schedule',
    'loss',
    'metrics',
    'callbacks',
  ],
  ...['epochs', 'batchSize', 'shuffle', 'classWeight', 'seed'],
];

const MAX_SEED = 2 ** 32 - 1;

/** A training without a file. */
export const NO_CONFIG: TrainConfig = { augmentation: [], callbacks: [], at: (_path, work) => work() };

/**
 * The configuration in a file, or that was read from one.
 * @throws DownhillError `file` for what is not JSON, `argument` for a key, a name or a value that is not accepted.
 */
export async function readTrainConfig(from: string | ConfigSource): Promise<TrainConfig> {
  const reader = new ConfigReader(typeof from === 'string' ? await readConfigSource(from) : from);
  const root = reader.record('', reader.root, KEYS);
  const given = <T>(key: string, read: (value: unknown) => T): { readonly [name: string]: T } =>
    root[key] === undefined ? {} : { [key]: read(root[key]) };
  const whole = (key: string, least: number, most = Number.MAX_SAFE_INTEGER) =>
    given(key, (value) => {
      if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)
        return value as number;
      throw reader.refusal(key, `a whole number of at least ${least}`, value);
    });
  return {
    ...given('model', (value) => readModel(reader, value)),
    ...given('dataset', (value) => {
      if (DATASETS.includes(value as DatasetName)) return value as DatasetName;
      throw reader.unknownName('dataset', value, DATASETS);
    }),
    ...given('data', (value) => {
      if (typeof value === 'string' && value !== '') return value;
      throw reader.refusal('data', 'a path', value);
    }),
    ...given('target', (value) => {
      if (typeof value === 'string' && value !== '') return value;
      throw reader.refusal('target', 'the name of a column', value);
    }),
    ...given('task', (value) => {
      if (TASKS.includes(value as TableTask)) return value as TableTask;
      throw reader.unknownName('task', value, TASKS);
    }),
    ...whole('limit', 1),
    augmentation: root.augmentation === undefined ? [] : readLayers(reader, 'augmentation', root.augmentation),
    ...given('optimizer', (value) => readOptimizer(reader, value)),
    ...given('schedule', (value) => {
      const schedule = reader.named('schedule', value);
      reader.at('schedule', () => checkSchedule(schedule));
      return schedule;
    }),
    ...given('loss', (value) => {
      const { name, config } = reader.named('loss', value);
      return reader.at('loss', () => resolveLoss(name, config));
    }),
    ...given('metrics', (value) => reader.at('metrics', () => checkMetrics(value))),
    callbacks:
      root.callbacks === undefined
        ? []
        : reader.list('callbacks', root.callbacks).map((entry, k) => readCallback(reader, `callbacks[${k}]`, entry)),
    ...whole('epochs', 1),
    ...whole('batchSize', 1),
    ...given('shuffle', (value) => {
      if (typeof value === 'boolean') return value;
      throw reader.refusal('shuffle', 'true or false', value);
    }),
    ...given('classWeight', (value) => readWeights(reader, value)),
    ...whole('seed', 0, MAX_SEED),
    at: (path, work) => reader.at(path, work),
  };
}

/** `"lenet"`, `{ name, config }` of the zoo, `{ layers, name }`, or what model.json holds. */
function readModel(reader: ConfigReader, value: unknown): ModelSpec {
  const record: JsonRecord = typeof value === 'string' ? { name: value } : reader.record('model', value);
  if (record.format !== undefined) {
    return { kind: 'json', json: reader.at('model', () => checkedJson(record)) };
  }
  if (record.layers === undefined) {
    const { name, config } = reader.named('model', value);
    if (!ZOO_NAMES.includes(name as ZooName)) throw reader.unknownName('model', name, ZOO_NAMES);
    return { kind: 'zoo', name: name as ZooName, config };
  }
  const { layers, name = 'model' } = reader.record('model', record, ['layers', 'name']);
  if (typeof name !== 'string') throw reader.refusal('model.name', 'a name', name);
  return { kind: 'layers', name, layers: readLayers(reader, 'model.layers', layers) };
}

/** `json` when a model can be made from it. */
function checkedJson(json: JsonRecord): JsonRecord {
  modelFromJSON(json, 'model').dispose();
  return json;
}

function readLayers(reader: ConfigReader, path: string, value: unknown): readonly Layer[] {
  return reader.list(path, value).map((entry, k) => {
    const place = `${path}[${k}]`;
    const { className, config = {} } = reader.record(place, entry, ['className', 'config']);
    const options = reader.record(`${place}.config`, config);
    return reader.at(place, () => makeLayer(className, options));
  });
}

function readOptimizer(reader: ConfigReader, value: unknown): Named {
  const named = reader.named('optimizer', value);
  reader.at('optimizer', () => resolveOptimizer(named.name, named.config));
  return named;
}

function readCallback(reader: ConfigReader, path: string, value: unknown): Callback {
  const { name, config } = reader.named(path, value);
  if (!Object.hasOwn(CONFIG_CALLBACKS, name)) {
    throw reader.unknownName(path, name, Object.keys(CONFIG_CALLBACKS));
  }
  return reader.at(path, () => CONFIG_CALLBACKS[name](config));
}

function readWeights(reader: ConfigReader, value: unknown): Readonly<Record<string, number>> {
  const record = reader.record('classWeight', value);
  for (const [id, weight] of Object.entries(record)) {
    if (!/^\d+$/.test(id)) throw reader.noClass('classWeight', id);
    if (typeof weight !== 'number' || !(weight >= 0)) {
      throw reader.refusal(`classWeight.${id}`, 'a number of at least 0', weight);
    }
  }
  return record as Readonly<Record<string, number>>;
}
