/**
 * The models of the zoo by the names that the command line takes, with what each one takes and answers.
 */

import type { LossName } from '../nn/losses/index.ts';
import type { Model } from '../train/model/model.ts';
import { unknownName } from '../util/errors.ts';
import { alexNet } from './alexnet.ts';
import { convolutionalAutoencoder, denoisingAutoencoder, denseAutoencoder, sparseAutoencoder } from './autoencoders.ts';
import { capsuleNetwork, smallCapsuleNetwork } from './capsule-network.ts';
import { cifarVgg } from './cifar-vgg.ts';
import { googLeNet } from './googlenet.ts';
import { lenet5 } from './lenet.ts';
import { linearRegression, logisticRegression, perceptron, softmaxRegression } from './linear-models.ts';
import { mlpBatchNorm, mlpDropout, mlpRelu, mlpSigmoid } from './mlp.ts';
import type { ZooOptions } from './options.ts';
import { resNet18, resNet20, resNet34, resNet50, resNet101, resNet152 } from './resnet.ts';
import { variationalAutoencoder } from './variational-autoencoder.ts';
import { vgg16, vgg19 } from './vgg.ts';

/** A model of the zoo, not yet compiled. */
export type ZooModel = Model;

/** What a model's outputs are: probabilities of classes, one probability, numbers, or the reconstructed input. */
export type Answer = 'classes' | 'yesOrNo' | 'numbers' | 'input';

/** What the command line must know to put a model and data together. */
export interface ZooEntry {
  // biome-ignore lint/suspicious/noExplicitAny: each model has its own options
  readonly make: (options?: any) => ZooModel;
  readonly answers: Answer;
  /** Height and width that images need at least; undefined for models that take examples of any shape. */
  readonly leastSide?: number;
  /** What height and width must be multiples of; any when undefined. */
  readonly sides?: number;
  /** True for a classifier that predicts no numbers: its name says so. */
  readonly classesOnly?: true;
  /** True for outputs that are scores: above 0 means the second class. */
  readonly scores?: true;
  /**
   * The loss that the model is made for, where it is not the usual one of its answer; it then takes no other answer.
   */
  readonly loss?: LossName;
  /** Values of the published model. */
  readonly parameters: number;
}

/** Lengths of capsules are not a distribution over the classes. */
const MARGIN = { loss: 'sparseCategoricalMargin' } as const;

const ENTRIES = {
  perceptron: { make: perceptron, answers: 'yesOrNo', parameters: 3, scores: true },
  linear: { make: linearRegression, answers: 'numbers', parameters: 9 },
  logistic: { make: logisticRegression, answers: 'yesOrNo', parameters: 31 },
  softmax: { make: softmaxRegression, answers: 'classes', classesOnly: true, parameters: 7850 },
  'mlp-sigmoid': { make: mlpSigmoid, answers: 'classes', parameters: 468_874 },
  mlp: { make: mlpRelu, answers: 'classes', parameters: 468_874 },
  'mlp-batch-norm': { make: mlpBatchNorm, answers: 'classes', parameters: 471_434 },
  'mlp-dropout': { make: mlpDropout, answers: 'classes', parameters: 468_874 },
  lenet: { make: lenet5, answers: 'classes', leastSide: 12, parameters: 61_706 },
  'cifar-vgg': { make: cifarVgg, answers: 'classes', leastSide: 8, parameters: 204_570 },
  'dense-autoencoder': { make: denseAutoencoder, answers: 'input', parameters: 222_384 },
  'sparse-autoencoder': { make: sparseAutoencoder, answers: 'input', parameters: 201_616 },
  'denoising-autoencoder': { make: denoisingAutoencoder, answers: 'input', parameters: 222_384 },
  'conv-autoencoder': { make: convolutionalAutoencoder, answers: 'input', leastSide: 4, sides: 4, parameters: 28_353 },
  vae: { make: variationalAutoencoder, answers: 'input', parameters: 815_824 },
  capsnet: { make: capsuleNetwork, answers: 'classes', leastSide: 17, parameters: 6_804_224, ...MARGIN },
  'capsnet-small': { make: smallCapsuleNetwork, answers: 'classes', leastSide: 17, parameters: 269_920, ...MARGIN },
  alexnet: { make: alexNet, answers: 'classes', leastSide: 67, parameters: 62_378_344 },
  vgg16: { make: vgg16, answers: 'classes', leastSide: 32, parameters: 138_357_544 },
  vgg19: { make: vgg19, answers: 'classes', leastSide: 32, parameters: 143_667_240 },
  googlenet: { make: googLeNet, answers: 'classes', leastSide: 32, parameters: 6_998_552 },
  resnet18: { make: resNet18, answers: 'classes', leastSide: 32, parameters: 11_699_112 },
  resnet34: { make: resNet34, answers: 'classes', leastSide: 32, parameters: 21_814_696 },
  resnet50: { make: resNet50, answers: 'classes', leastSide: 32, parameters: 25_636_712 },
  resnet101: { make: resNet101, answers: 'classes', leastSide: 32, parameters: 44_707_176 },
  resnet152: { make: resNet152, answers: 'classes', leastSide: 32, parameters: 60_419_944 },
  resnet20: { make: resNet20, answers: 'classes', leastSide: 8, parameters: 274_042 },
} as const satisfies Record<string, ZooEntry>;

export type ZooName = keyof typeof ENTRIES;

export const ZOO_NAMES = Object.keys(ENTRIES) as readonly ZooName[];

/** The functions by name: `zoo.lenet({ seed: 1 })`. */
export const zoo = Object.fromEntries(ZOO_NAMES.map((name) => [name, ENTRIES[name].make])) as {
  readonly [K in ZooName]: (typeof ENTRIES)[K]['make'];
};

/** What is known of the model `name`. @throws DownhillError `argument` for an unknown name, with the nearest one. */
export function zooEntry(name: string): ZooEntry {
  if (!Object.hasOwn(ENTRIES, name)) throw unknownName('model', name, ZOO_NAMES);
  return ENTRIES[name as ZooName];
}

/** A model of the zoo, not yet compiled. @throws DownhillError `argument` for an unknown name or option. */
export function zooModel(name: string, options: ZooOptions & Readonly<Record<string, unknown>> = {}): ZooModel {
  return zooEntry(name).make(options);
}

export type { LinearRegressionOptions } from './linear-models.ts';
export * from './models.ts';
export type { Head } from './options.ts';
