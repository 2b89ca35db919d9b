/**
 * The four perceptrons 784–512–128–10 of the MNIST lessons. They differ in one thing each: the activation, batch
 * normalisation between a layer's product and its activation, or dropout after the activation.
 *
 * 468,874 parameters on 28×28 grey images and ten classes: 784·512 + 512, 512·128 + 128, 128·10 + 10; with batch
 * normalisation 471,434: four numbers a unit more, two of them moving averages.
 */

import type { Layer } from '../nn/layer.ts';
import { layers } from '../nn/layers/index.ts';
import type { Sequential } from '../train/model/sequential.ts';
import { sequential } from '../train/model/stack.ts';
import { type ClassifierOptions, classifier } from './options.ts';

/** Units of the hidden layers. */
const HIDDEN = [512, 128];

/** Sigmoid units, as networks were made until about 2010. 468,874 parameters. Not yet compiled. */
export const mlpSigmoid = (options: ClassifierOptions = {}): Sequential =>
  perceptron('mlpSigmoid', 'mlp_sigmoid', options, (units) => [layers.dense({ units, activation: 'sigmoid' })]);

/** Rectified linear units. 468,874 parameters. Not yet compiled. */
export const mlpRelu = (options: ClassifierOptions = {}): Sequential =>
  perceptron('mlpRelu', 'mlp', options, (units) => [layers.dense({ units, activation: 'relu' })]);

/** The name under which downhill 0.1 had `mlpRelu`. */
export const mlp = mlpRelu;

/** Batch normalisation before each relu (Ioffe and Szegedy 2015). 471,434 parameters, 1,280 of them moving averages. */
export const mlpBatchNorm = (options: ClassifierOptions = {}): Sequential =>
  perceptron('mlpBatchNorm', 'mlp_batch_norm', options, (units) => [
    layers.dense({ units }),
    layers.batchNormalization(),
    layers.activation({ activation: 'relu' }),
  ]);

/** Dropout of a fifth behind each relu (Srivastava et al. 2014). 468,874 parameters. Not yet compiled. */
export const mlpDropout = (options: ClassifierOptions = {}): Sequential =>
  perceptron('mlpDropout', 'mlp_dropout', options, (units) => [
    layers.dense({ units, activation: 'relu' }),
    layers.dropout({ rate: 0.2 }),
  ]);

function perceptron(
  owner: string,
  name: string,
  options: ClassifierOptions,
  hidden: (units: number) => readonly Layer[],
): Sequential {
  const { inputShape, classes, seed, head } = classifier(owner, options);
  return sequential([layers.flatten(), ...HIDDEN.flatMap(hidden), layers.dense({ units: classes, activation: head })], {
    name,
    inputShape,
    seed,
  });
}
