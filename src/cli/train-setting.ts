/**
 * What `train` is to do: the options of the command line override those of the config file, which override the
 * defaults.
 */

import type { ArrayDataset, TrainTest } from '../data/dataset.ts';
import type { TableTask } from '../data/tabular.ts';
import { resolveLoss } from '../nn/losses/index.ts';
import type { OptimizerName } from '../nn/optimizers/index.ts';
import type { Callback } from '../train/callbacks/callback.ts';
import { callbacks } from '../train/callbacks/index.node.ts';
import { ZOO_NAMES, type ZooName } from '../zoo/index.ts';
import { COMMON_OPTIONS } from './command.ts';
import type { ConfigSource, Named } from './config-reader.ts';
import { DATASET_OPTIONS, type DatasetName, limited, loadDataset } from './load-data.ts';
import {
  LOSS_OPTION,
  MODEL_OPTIONS,
  type ModelSpec,
  scheduledOptimizer,
  type TrainableModel,
  trainableModel,
} from './make-model.ts';
import { choice, text, whole } from './options.ts';
import type { Output } from './output.ts';
import { NO_CONFIG, readTrainConfig, type TrainConfig } from './train-config.ts';

/**
 * Options of the commands that make a step as `train` does. Undefined is "not said", so that a config file can say it.
 */
export const SETTING_OPTIONS = {
  model: choice({ names: ZOO_NAMES, fallback: undefined, doc: 'a model of the zoo; lenet unless given' }),
  dataset: { ...DATASET_OPTIONS.dataset, fallback: undefined as DatasetName | undefined },
  data: DATASET_OPTIONS.data,
  target: DATASET_OPTIONS.target,
  task: DATASET_OPTIONS.task,
  config: text({
    placeholder: 'FILE',
    doc: 'JSON file with all of these options and more; the command line overrides it',
  }),
  optimizer: { ...MODEL_OPTIONS.optimizer, fallback: undefined as OptimizerName | undefined },
  learningRate: MODEL_OPTIONS.learningRate,
  loss: LOSS_OPTION,
  batchSize: whole({ least: 1, fallback: undefined, doc: 'examples per step; 64 unless given' }),
};

/** The common option, which a config file can say, too. */
export const SEED_OPTION = { ...COMMON_OPTIONS.seed, fallback: undefined as number | undefined };

/** What the command line says; undefined is not said. */
export interface TrainWords {
  readonly model: ZooName | undefined;
  readonly optimizer: OptimizerName | undefined;
  readonly learningRate: number | undefined;
  readonly schedule?: 'cosine' | 'constant' | undefined;
  readonly loss: string | undefined;
  readonly epochs?: number | undefined;
  readonly batchSize: number | undefined;
  readonly seed: number | undefined;
  /** Folder for TensorBoard's event files. */
  readonly tensorboard?: string | undefined;
}

/** The same with what the training is on. */
export interface DataWords extends TrainWords {
  readonly config: string | ConfigSource | undefined;
  readonly dataset: DatasetName | undefined;
  readonly data: string | undefined;
  readonly target: string | undefined;
  readonly task?: TableTask | undefined;
  readonly limit?: number | undefined;
}

export interface TrainSetting {
  /** Of the model, as reports call it. */
  readonly name: string;
  readonly dataset: DatasetName;
  /** True when a schedule changes the learning rate. */
  readonly scheduled: boolean;
  /** Makes the model; @throws DownhillError when it does not fit the data. */
  make(): TrainableModel;
  readonly fit: {
    readonly epochs: number;
    readonly batchSize: number;
    readonly seed: number;
    readonly shuffle: boolean;
    readonly callbacks: readonly Callback[];
    readonly classWeight?: Readonly<Record<string, number>>;
  };
}

/**
 * The setting with its data, after the config file was read.
 * @throws DownhillError as `readTrainConfig`, `loadDataset` and `trainSetting` do.
 */
export async function loadSetting(
  words: DataWords,
  output: Output,
): Promise<{ readonly setting: TrainSetting; readonly data: TrainTest }> {
  const config = words.config === undefined ? NO_CONFIG : await readTrainConfig(words.config);
  const dataset = words.dataset ?? config.dataset ?? 'digits';
  const choice = {
    dataset,
    data: words.data ?? config.data,
    target: words.target ?? config.target,
    task: words.task ?? config.task,
  };
  const { train: all, test } = await loadDataset(choice, output);
  const data = { train: limited(all, words.limit ?? config.limit), test };
  return { setting: trainSetting(words, config, dataset, data.train), data };
}

/** @throws DownhillError `argument` for a schedule or a rate that the optimizer does not take. */
export function trainSetting(
  words: TrainWords,
  config: TrainConfig,
  dataset: DatasetName,
  train: ArrayDataset,
): TrainSetting {
  const epochs = words.epochs ?? config.epochs ?? 2;
  const batchSize = words.batchSize ?? config.batchSize ?? 64;
  const seed = words.seed ?? config.seed ?? 0;
  const spec: ModelSpec =
    words.model === undefined
      ? (config.model ?? { kind: 'zoo', name: 'lenet', config: {} })
      : { kind: 'zoo', name: words.model, config: {} };
  const optimizer = optimizerOf(words, config);
  const schedule = scheduleOf(words, config);
  const steps = epochs * Math.ceil(train.size / batchSize);
  const made = () => config.at('optimizer', () => scheduledOptimizer({ optimizer, schedule, steps }));
  made();
  return {
    name: spec.kind === 'json' ? String(spec.json.name) : spec.name,
    dataset,
    scheduled: schedule.name !== 'constant',
    make: () =>
      config.at('model', () =>
        trainableModel(
          {
            model: spec,
            augmentation: config.augmentation,
            optimizer: made(),
            loss: words.loss === undefined ? config.loss : resolveLoss(words.loss),
            metrics: config.metrics,
            seed,
          },
          train,
        ),
      ),
    fit: {
      ...{ epochs, batchSize, seed },
      shuffle: config.shuffle ?? true,
      callbacks:
        words.tensorboard === undefined
          ? config.callbacks
          : [...config.callbacks, callbacks.tensorBoard(words.tensorboard)],
      ...(config.classWeight !== undefined && { classWeight: config.classWeight }),
    },
  };
}

function optimizerOf(words: TrainWords, config: TrainConfig): Named {
  const named: Named =
    words.optimizer === undefined
      ? (config.optimizer ?? { name: 'adam', config: {} })
      : { name: words.optimizer, config: {} };
  if (words.learningRate === undefined) return named;
  return { ...named, config: { ...named.config, learningRate: words.learningRate } };
}

/** An optimizer that the file describes keeps its rate unless there is a schedule; otherwise the rate falls to zero. */
function scheduleOf(words: TrainWords, config: TrainConfig): Named {
  if (words.schedule !== undefined) return { name: words.schedule, config: {} };
  if (config.schedule !== undefined) return config.schedule;
  return { name: config.optimizer === undefined || words.optimizer !== undefined ? 'cosine' : 'constant', config: {} };
}
