/**
 * Models of the zoo as the command line makes them: for the examples of a data set, compiled as a classifier.
 */

import type { ArrayDataset } from '../data/dataset.ts';
import { optimizers } from '../nn/optimizers/index.ts';
import { cosineDecay } from '../nn/schedules/index.ts';
import type { Sequential } from '../train/sequential.ts';
import { DownhillError } from '../util/errors.ts';
import { type ZooName, zoo, zooModel } from '../zoo/index.ts';
import { choice, positive } from './options.ts';

/** The options of commands that make a model. */
export const MODEL_OPTIONS = {
  model: choice({ names: Object.keys(zoo) as ZooName[], fallback: 'lenet' as const, doc: 'a model of the zoo' }),
  learningRate: positive({ fallback: undefined, doc: "step size; the optimizer's default unless given" }),
  optimizer: choice({ names: ['adam', 'sgd'], fallback: 'adam' as const, doc: 'how weights follow their gradient' }),
};

export interface ModelChoice {
  readonly model: ZooName;
  readonly learningRate: number | undefined;
  readonly optimizer: 'adam' | 'sgd';
  readonly seed: number;
}

/** Peak of the cosine schedule unless given: twice Adam's usual constant rate, because the average is half the peak. */
const COSINE_PEAK = { adam: 0.002, sgd: 0.05 };

/**
 * A compiled model for the images of `set`; the caller disposes it.
 * @param decaySteps length of a cosine decay of the learning rate to zero; a constant rate when left out.
 */
export function makeModel(
  { model, learningRate, optimizer, seed }: ModelChoice,
  set: ArrayDataset,
  decaySteps?: number,
): Sequential {
  if (set.classNames === undefined) throw new DownhillError('data', `data set "${set.name}" has no classes`);
  const rate =
    decaySteps === undefined
      ? learningRate
      : cosineDecay({ initialLearningRate: learningRate ?? COSINE_PEAK[optimizer], decaySteps });
  return zooModel(model, { inputShape: set.xShape, classes: set.classNames.length, seed }).compile({
    optimizer: optimizers[optimizer](rate === undefined ? {} : { learningRate: rate }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
}
