/**
 * What `npm run convergence` trains: network, data, rate and the accuracy on the held-out examples that is asked of it.
 */

import { join } from 'node:path';
import type { TrainTest } from '../../src/data/dataset.ts';
import { loadCifar10 } from '../../src/data/sets/cifar.node.ts';
import { loadMnist } from '../../src/data/sets/mnist.node.ts';
import { adam } from '../../src/nn/optimizers/adam.ts';
import type { Optimizer } from '../../src/nn/optimizers/optimizer.ts';
import { cosineDecay } from '../../src/nn/schedules/index.ts';
import { cifarVgg, lenet5, mlpBatchNorm, mlpDropout, mlpRelu, mlpSigmoid, type ZooModel } from '../../src/zoo/index.ts';

export interface Experiment {
  readonly name: string;
  /** In words, for the record. */
  readonly setting: string;
  /** The data set, below the folder of all of them. */
  readonly load: (folder: string) => Promise<TrainTest>;
  readonly make: (seed: number) => ZooModel;
  readonly optimizer: (steps: number) => Optimizer;
  readonly epochs: number;
  readonly batchSize: number;
  /** Share of the held-out examples that must be right after the last epoch. */
  readonly target: number;
}

/** Adam whose rate falls from `peak` to zero over the run. */
/** @param rest share of the peak that is left at the end. */
const cosineAdam =
  (peak: number, rest = 0) =>
  (steps: number) =>
    adam({ learningRate: cosineDecay({ initialLearningRate: peak, decaySteps: steps, alpha: rest }) });

const mnist = {
  setting: 'Adam, rate 0.002 falling to 0 (cosine), batch 64',
  load: (folder: string) => loadMnist('mnist', { folder: join(folder, 'mnist') }),
  optimizer: cosineAdam(0.002),
  epochs: 5,
  batchSize: 64,
};

export const EXPERIMENTS: readonly Experiment[] = [
  { name: 'mlp-sigmoid', ...mnist, make: (seed) => mlpSigmoid({ seed }), target: 0.965 },
  { name: 'mlp-relu', ...mnist, make: (seed) => mlpRelu({ seed }), target: 0.978 },
  { name: 'mlp-batch-norm', ...mnist, make: (seed) => mlpBatchNorm({ seed }), target: 0.978 },
  { name: 'mlp-dropout', ...mnist, make: (seed) => mlpDropout({ seed }), target: 0.978 },
  { name: 'lenet', ...mnist, make: (seed) => lenet5({ seed }), target: 0.989 },
  {
    name: 'lenet-fashion',
    ...mnist,
    load: (folder) => loadMnist('fashion-mnist', { folder: join(folder, 'fashion-mnist') }),
    make: (seed) => lenet5({ seed }),
    target: 0.88,
  },
  {
    name: 'cifar-vgg',
    setting:
      'variant III (dropout, batch normalisation) with flips, Adam, rate 0.003 falling to a quarter (cosine), batch 64',
    load: (folder) => loadCifar10(join(folder, 'cifar10-subset'), 'cifar10-subset'),
    make: (seed) => cifarVgg({ variant: 'III', flips: true, seed }),
    optimizer: cosineAdam(0.003, 0.25),
    epochs: 8,
    batchSize: 64,
    target: 0.5,
  },
];
