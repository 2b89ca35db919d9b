/** Models that were compiled with one optimizer object: each trains to the bits it would reach alone. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { losses } from '../../src/nn/losses/index.ts';
import { type OptimizerName, optimizers } from '../../src/nn/optimizers/index.ts';
import type { Optimizer } from '../../src/nn/optimizers/optimizer.ts';
import { cosineDecay } from '../../src/nn/schedules/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { callbacks } from '../../src/train/callbacks/index.ts';
import { modelFromJSON } from '../../src/train/model/load-model.ts';
import type { Model } from '../../src/train/model/model.ts';
import { sequential } from '../../src/train/model/sequential.ts';
import { expectRefusal } from '../data/refusal.ts';
import { toyData } from './toy.ts';

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

const data = toyData(12);
const names = Object.keys(optimizers) as OptimizerName[];

function made(optimizer: Optimizer, units: number): Model {
  const model = sequential([layers.dense({ units, activation: 'tanh' }), layers.dense({ units: 3 })], {
    inputShape: [2],
    seed: units,
  });
  return model.compile({ optimizer, loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }) });
}

/** Epoch `epoch` of the first model: its rate falls; or of the second, which takes more steps. */
const turns = [
  (model: Model, epoch: number) =>
    model.fit(data, {
      ...{ batchSize: 6, initialEpoch: epoch, epochs: epoch + 1, seed: 1, verbose: 0 },
      ...(!model.followsSchedule && {
        callbacks: [callbacks.learningRateScheduler((at: number) => 0.01 / (1 + at))],
      }),
    }),
  (model: Model, epoch: number) =>
    model.fit(data, { batchSize: 4, initialEpoch: epoch, epochs: epoch + 1, seed: 2, verbose: 0 }),
] as const;

async function bitsOf(model: Model): Promise<number[]> {
  return (await model.getWeights()).flatMap(({ data: values }) => [
    ...new Uint32Array((values as Float32Array).buffer),
  ]);
}

/** The weights after two epochs each; `one` makes the optimizers of the models. */
async function trained(one: (model: number) => Optimizer, how: 'in turn' | 'at once'): Promise<number[][]> {
  const models = [made(one(0), 4), made(one(1), 5)];
  const whole = async (k: number): Promise<void> => {
    for (let epoch = 0; epoch < 2; epoch++) await turns[k](models[k], epoch);
  };
  if (how === 'at once') await Promise.all([whole(0), whole(1)]);
  else for (let epoch = 0; epoch < 2; epoch++) for (const k of [1, 0]) await turns[k](models[k], epoch);
  const bits = await Promise.all(models.map(bitsOf));
  for (const model of models) model.dispose();
  return bits;
}

test.each(names)('%s: two models share one object, trained at once, and nothing changes it', async (name) => {
  const options = { learningRate: 0.02 };
  const alone = await trained(() => optimizers[name](options), 'in turn');
  const shared = optimizers[name](options);
  Object.freeze(shared);
  expect(await trained(() => shared, 'at once')).toEqual(alone);
});

test('two models share one object, trained in turn', async () => {
  const options = { learningRate: 0.02, weightDecay: 0.01, gradientAccumulationSteps: 2, useEma: true };
  const alone = await trained(() => optimizers.nadam(options), 'in turn');
  const shared = optimizers.nadam(options);
  expect(await trained(() => shared, 'in turn')).toEqual(alone);
  expect(shared.learningRate).toBe(0.02);
});

test('two models share one object with a schedule: each counts its own steps', async () => {
  const learningRate = cosineDecay({ initialLearningRate: 0.1, decaySteps: 9 });
  const alone = await trained(() => optimizers.sgd({ learningRate }), 'in turn');
  const shared = optimizers.sgd({ learningRate });
  expect(await trained(() => shared, 'at once')).toEqual(alone);
});

describe('the learning rate', () => {
  test('of a model is its own until that of the optimizer is set', () => {
    const optimizer = optimizers.sgd({ learningRate: 0.5 });
    using first = made(optimizer, 4);
    using second = made(optimizer, 5);
    first.learningRate = 0.25;
    expect([first.learningRate, second.learningRate, optimizer.learningRate]).toEqual([0.25, 0.5, 0.5]);
    // The same number as before, but set later.
    optimizer.learningRate = 0.5;
    expect([first.learningRate, second.learningRate]).toEqual([0.5, 0.5]);
    second.learningRate = 0.125;
    expect([first.learningRate, second.learningRate]).toEqual([0.5, 0.125]);
    second.compile({ optimizer, loss: 'mse' });
    expect(second.learningRate).toBe(0.5);
  });

  test('of a model is what its JSON says', () => {
    const optimizer = optimizers.sgd({ learningRate: 0.5 });
    using first = made(optimizer, 4);
    using second = made(optimizer, 5);
    first.learningRate = 0.25;
    using again = modelFromJSON(first.toJSON());
    using other = modelFromJSON(second.toJSON());
    expect([again.learningRate, other.learningRate]).toEqual([0.25, 0.5]);
  });

  test('is refused as before where it cannot be set', async () => {
    using model = made(optimizers.sgd({ learningRate: cosineDecay({ initialLearningRate: 0.1, decaySteps: 5 }) }), 4);
    const set = (rate: number) => () => {
      model.learningRate = rate;
    };
    await expectRefusal(set(0.1), 'state', /optimizer: the learning rate follows cosineDecay and cannot be set to 0.1/);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    await expectRefusal(set(-1), 'argument', /learningRate must be a finite number of at least 0, found -1/);
    expect(model.learningRate).toBe(0.01);
  });
});

test('Nadam’s numbers are those of the product, factor by factor', () => {
  const [beta1, beta2, rate] = [0.97, 0.99, 0.001];
  const nadam = optimizers.nadam({ beta1, beta2 });
  const momentum = (t: number): number => beta1 * (1 - 0.5 * 0.96 ** t);
  let product = 1;
  for (let t = 1; t <= 2000; t++) {
    product *= momentum(t);
    const [now, next] = [momentum(t), momentum(t + 1)];
    const expected = [(rate * next) / (1 - product * next), (rate * (1 - now)) / (1 - product), 1 / (1 - beta2 ** t)];
    nadam.scalarValues(t, rate).forEach((found, k) => {
      expect(Math.abs(found / expected[k] - 1)).toBeLessThan(1e-13);
    });
  }
});
