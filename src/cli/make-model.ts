/**
 * Models as the command line makes them: of the zoo or of a config, for the examples of a data set, compiled for its
 * task.
 */

import type { ArrayDataset } from '../data/dataset.ts';
import { checkKnownOptions } from '../nn/check-options.ts';
import type { Layer } from '../nn/layer.ts';
import { type Loss, type LossName, losses, resolveLoss } from '../nn/losses/index.ts';
import type { MetricLike } from '../nn/metrics/index.ts';
import { type OptimizerName, optimizers, resolveOptimizer } from '../nn/optimizers/index.ts';
import type { Optimizer } from '../nn/optimizers/optimizer.ts';
import { cosineDecay, resolveSchedule, schedules } from '../nn/schedules/index.ts';
import { modelFromJSON } from '../train/model/load-model.ts';
import { Sequential } from '../train/model/sequential.ts';
import { unknownName } from '../util/errors.ts';
import { ZOO_NAMES, type ZooModel, type ZooName, zooEntry, zooModel } from '../zoo/index.ts';
import type { Named } from './config-reader.ts';
import { answerFor, checkOutputs, objectiveOf, optionsFor, withTargets } from './match-model.ts';
import { choice, positive } from './options.ts';

const OPTIMIZER_NAMES = Object.keys(optimizers) as OptimizerName[];
/** `custom` needs a function. */
const LOSS_NAMES = Object.keys(losses).filter((name) => name !== 'custom') as LossName[];

/** The options of commands that make a model. */
export const MODEL_OPTIONS = {
  model: choice({ names: ZOO_NAMES, fallback: 'lenet' as const, doc: 'a model of the zoo' }),
  learningRate: positive({ fallback: undefined, doc: "step size; the optimizer's default unless given" }),
  optimizer: choice({ names: OPTIMIZER_NAMES, fallback: 'adam' as const, doc: 'how weights follow their gradient' }),
};

/** The choice of a loss, for commands that leave it open. */
export const LOSS_OPTION = choice({
  names: LOSS_NAMES,
  fallback: undefined,
  doc: 'what the training minimizes; chosen by the data set and the outputs unless given',
});

/** What a model is made of. */
export type ModelSpec =
  | { readonly kind: 'zoo'; readonly name: ZooName; readonly config: Readonly<Record<string, unknown>> }
  | { readonly kind: 'layers'; readonly name: string; readonly layers: readonly Layer[] }
  /** What model.json holds. */
  | { readonly kind: 'json'; readonly json: Readonly<Record<string, unknown>> };

export interface ModelChoice {
  readonly model: ZooName;
  readonly learningRate: number | undefined;
  readonly optimizer: OptimizerName;
  readonly seed: number;
}

/** What `trainableModel` is told. */
export interface ModelSetting {
  readonly model: ModelSpec;
  /** Layers in front. */
  readonly augmentation: readonly Layer[];
  readonly optimizer: Optimizer;
  /** Chosen by data and outputs when undefined. */
  readonly loss: Loss | undefined;
  readonly metrics: readonly MetricLike[] | undefined;
  readonly seed: number;
}

/** A compiled model, which the caller disposes, and the data in the form that it takes. */
export interface TrainableModel {
  readonly model: ZooModel;
  /** The data set with the targets that the model's loss takes. */
  prepare(set: ArrayDataset): ArrayDataset;
}

/**
 * Peaks of the cosine schedule unless given: about twice the usual constant rate, because the average is half the peak.
 */
const COSINE_PEAK: Readonly<Partial<Record<string, number>>> = { adam: 0.002, sgd: 0.05 };

/** An optimizer by name, its options and the schedule of its rate. */
export interface RateChoice {
  readonly optimizer: Named;
  /** `cosine` over the run, `constant`, or a schedule by name. */
  readonly schedule: Named;
  readonly steps: number;
}

/** @throws DownhillError `argument` for a name or an option that is not accepted, unlike `cosine` and `constant`. */
export function checkSchedule({ name, config }: Named): void {
  if (name === 'constant' || name === 'cosine') {
    checkKnownOptions(name, config, []);
    return;
  }
  if (!Object.hasOwn(schedules, name))
    throw unknownName('schedule', name, ['cosine', 'constant', ...Object.keys(schedules)]);
  resolveSchedule({ schedule: name, config: config as Readonly<Record<string, number>> });
}

/**
 * The optimizer of a training of `steps` steps.
 * @throws DownhillError `argument` for names and options that are not accepted.
 */
export function scheduledOptimizer({ optimizer: { name, config }, schedule, steps }: RateChoice): Optimizer {
  if (schedule.name === 'constant') return resolveOptimizer(name, config);
  const given = config.learningRate;
  const learningRate =
    schedule.name === 'cosine'
      ? cosineDecay({ initialLearningRate: (given as number | undefined) ?? peakOf(name), decaySteps: steps })
      : resolveSchedule({ schedule: schedule.name, config: schedule.config as Readonly<Record<string, number>> });
  return resolveOptimizer(name, { ...config, learningRate });
}

function peakOf(name: string): number {
  return COSINE_PEAK[name] ?? 2 * resolveOptimizer(name).learningRate;
}

/** @throws DownhillError `argument` or `shape` when the model does not fit the data. */
export function trainableModel(setting: ModelSetting, set: ArrayDataset): TrainableModel {
  const model = buildModel(setting, set);
  const answer = answerFor(model.outputShape, set);
  const objective = objectiveOf(answer, setting.model.kind === 'zoo' ? zooEntry(setting.model.name) : undefined);
  const loss = setting.loss ?? resolveLoss(objective.loss);
  checkOutputs(set, answer, loss, model.outputShape);
  model.compile({ optimizer: setting.optimizer, loss, metrics: setting.metrics ?? objective.metrics });
  const { outputShape } = model;
  return { model, prepare: (data) => withTargets(data, answer, loss, outputShape) };
}

function buildModel({ model: spec, augmentation, seed }: ModelSetting, set: ArrayDataset): ZooModel {
  const plain = plainModel(spec, set, seed);
  if (augmentation.length === 0) return plain;
  // A stack stays a stack; a model with branches is one layer of the new one.
  const rest = plain instanceof Sequential ? plain.layers : [plain];
  return new Sequential([...augmentation, ...rest], { name: plain.name, inputShape: set.xShape, seed });
}

function plainModel(spec: ModelSpec, set: ArrayDataset, seed: number): ZooModel {
  if (spec.kind === 'zoo') return zooModel(spec.name, { ...optionsFor(spec.name, set), seed, ...spec.config });
  if (spec.kind === 'json') return modelFromJSON(spec.json, 'model');
  return new Sequential(spec.layers, { name: spec.name, inputShape: set.xShape, seed });
}

/**
 * A compiled model of the zoo for `set`, and the data as it takes them; the caller disposes the model.
 * @param decaySteps length of a cosine decay of the learning rate to zero; a constant rate when left out.
 */
export function makeModel(
  { model, learningRate, optimizer, seed }: ModelChoice,
  set: ArrayDataset,
  decaySteps?: number,
): TrainableModel {
  const rule = scheduledOptimizer({
    optimizer: { name: optimizer, config: learningRate === undefined ? {} : { learningRate } },
    schedule: { name: decaySteps === undefined ? 'constant' : 'cosine', config: {} },
    steps: decaySteps ?? 0,
  });
  const spec: ModelSpec = { kind: 'zoo', name: model, config: {} };
  return trainableModel(
    { model: spec, augmentation: [], optimizer: rule, loss: undefined, metrics: undefined, seed },
    set,
  );
}
