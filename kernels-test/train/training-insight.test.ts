/** Statistics, dead units, best weights and the learning rate finder on real trainings: right, and without a trace. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { type ActivationName, activations, rectifies } from '../../src/nn/activations.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { cosineDecay } from '../../src/nn/schedules/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { tensor } from '../../src/runtime/tensor.ts';
import { callbacks } from '../../src/train/callbacks/index.ts';
import { tensorStatistics } from '../../src/train/callbacks/statistics.ts';
import { learningRateFinder } from '../../src/train/loop/learning-rate-finder.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { expectRefusal } from '../data/refusal.ts';
import { describeOnBackends } from '../support/on-backends.ts';
import { toyData, toyModel } from './toy.ts';

const data = toyData(60);
const probe = { data: Float32Array.from(data.x.slice(0, 20)), shape: [10, 2] };
const targets = Array.from(data.y.slice(0, 10));

describe('statistics of values', () => {
  test('norm, mean, spread, range, zeros and histogram', () => {
    const found = tensorStatistics([0, 1, 2, -3], 5);
    expect(found).toEqual({
      norm: Math.sqrt(14),
      mean: 0,
      std: Math.sqrt(14 / 4),
      min: -3,
      max: 2,
      zeros: 0.25,
      nonFinite: 0,
      histogram: { low: -3, high: 2, counts: [1, 0, 0, 1, 2] },
    });
  });

  test('what is not a finite number is counted and left out', () => {
    const { mean, max, nonFinite, histogram } = tensorStatistics([Number.NaN, 1, Number.POSITIVE_INFINITY, 1], 2);
    expect([mean, max, nonFinite, histogram.counts]).toEqual([1, 1, 2, [2, 0]]);
    const none = tensorStatistics([Number.NaN], 2);
    expect([none.mean, none.nonFinite, none.histogram.counts]).toEqual([Number.NaN, 1, [0, 0]]);
  });
});

describe('units that can die', () => {
  beforeAll(() => setBackend(createCpuBackend()));
  afterAll(() => setBackend(undefined));

  test('an activation is said to rectify if it is 0, with slope 0, on a whole range', async () => {
    const x = tensor(Float32Array.from({ length: 17 }, (_, k) => (k - 8) / 2));
    for (const name of Object.keys(activations) as ActivationName[]) {
      const values = await activations[name](x).data();
      const flat = values.some((value, k) => value === 0 && values[k + 1] === 0 && values[k + 2] === 0);
      // All of the step function's slopes are 0: it says nothing about single units.
      expect(rectifies(name), name).toBe(flat && name !== 'step');
    }
  });

  test('so does the layer ReLU, unless it has a slope below 0', async () => {
    for (const negativeSlope of [0, 0.25]) {
      using model = new Sequential([layers.dense({ units: 3 }), layers.relu({ negativeSlope })], { name: 'small' });
      model.compile({ optimizer: 'sgd', loss: 'mse' });
      const train = () =>
        model.fit([[1]], [[1, 2, 3]], {
          verbose: 0,
          callbacks: [callbacks.deadUnitMonitor({ x: [[1]], warn: () => {} })],
        });
      const names = 'relu, relu6, hardSigmoid, hardSilu, hardSwish';
      const message = new RegExp(`"small" has no layer that rectifies; such have activation ${names}$`);
      if (negativeSlope > 0) await expectRefusal(train, 'argument', message);
      else expect((await train()).epoch).toEqual([0]);
    }
  });
});

describeOnBackends('insight', () => {
  test('looking changes nothing, and says what the model itself says', async () => {
    using plain = toyModel({ rate: 0.2 });
    const { digest, facts } = await plain.fit(data, { epochs: 3, verbose: 0, seed: 4 });
    const gradient = callbacks.gradientStatistics({ x: probe, y: targets, every: 2, bins: 4 });
    const activation = callbacks.activationStatistics({ x: probe });
    const heard: number[] = [];
    const dead = callbacks.deadUnitMonitor({ x: probe, warn: () => {} });
    const told = callbacks.activationStatistics({ x: probe, onRecord: ({ epoch }) => heard.push(epoch) });
    using model = toyModel({ rate: 0.2 });
    const watched = await model.fit(data, {
      ...{ epochs: 3, verbose: 0, seed: 4 },
      callbacks: [gradient, activation, dead, told],
    });
    expect(watched.digest).toBe(digest);
    expect(watched.facts.submitsPerStep).toBe(facts.submitsPerStep);
    expect(await model.getWeights()).toEqual(await plain.getWeights());

    expect(gradient.records.map(({ epoch }) => epoch)).toEqual([0, 2]);
    const names = ['dense/kernel', 'dense/bias', 'dense_1/kernel', 'dense_1/bias'];
    expect([...gradient.records[1].weights.keys()]).toEqual(names);
    const { gradients } = await model.gradientsOnBatch(probe, targets);
    for (const { name, data: values } of gradients) {
      expect(gradient.records[1].weights.get(name)).toEqual(tensorStatistics(values, 4));
      expect(gradient.records[1].weights.get(name)!.norm).toBeGreaterThan(0);
    }

    expect(heard).toEqual([0, 1, 2]);
    const outputs = await model.activationsOnBatch(probe);
    const last = activation.records[2].layers;
    expect([...last.keys()]).toEqual(['dense', 'dropout', 'dense_1']);
    for (const { name, data: values } of outputs) expect(last.get(name)).toEqual(tensorStatistics(values, 30));
    // Three probabilities of ten examples.
    expect(last.get('dense_1')!.mean).toBeCloseTo(1 / 3, 6);
    const zeros = [...outputs[0].data].filter((value) => value === 0).length;
    expect(last.get('dense')!.zeros).toBe(zeros / outputs[0].data.length);
    expect([...dead.records[2].layers.keys()]).toEqual(['dense']);
  });

  test('dead units are counted by channel, and warned of once', async () => {
    using model = new Sequential(
      [
        layers.conv2d({ filters: 4, kernelSize: 1, activation: 'relu', name: 'conv' }),
        layers.flatten(),
        layers.dense({ units: 2, activation: 'relu', name: 'alive' }),
        layers.dense({ units: 1 }),
      ],
      { inputShape: [2, 2, 1] },
    );
    model.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: 'mse' });
    const weights = await model.getWeights();
    // Channel 0 is above zero, 1 and 2 are below it everywhere, 3 is above it at one position of one example.
    weights[0].data.set([0, 0, 0, 1]);
    weights[1].data.set([1, -1, 0, -7]);
    weights[3].data.set([1, 1]);
    weights[2].data.fill(0.1);
    model.setWeights(weights);
    const x = { data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), shape: [2, 2, 2, 1] };
    const warnings: string[] = [];
    const monitor = callbacks.deadUnitMonitor({ x, warn: (message) => warnings.push(message) });
    await model.fit(x, [[1], [2]], { epochs: 3, verbose: 0, callbacks: [monitor] });
    expect(monitor.records.map(({ layers: shares }) => [...shares])).toEqual(
      Array.from({ length: 3 }, () => [
        ['conv', 0.5],
        ['alive', 0],
      ]),
    );
    expect(warnings).toEqual([
      expect.stringMatching(/conv2d "conv": 2 of 4 units are zero for all 2 examples after epoch 1/),
    ]);
  });

  test('early stopping brings the weights of the best epoch back', async () => {
    using model = toyModel();
    const kept: unknown[] = [];
    const stopping = callbacks.earlyStopping({ monitor: 'loss', patience: 2, restoreBestWeights: true });
    const { epoch } = await model.fit(data, {
      epochs: 9,
      verbose: 0,
      callbacks: [
        stopping,
        // From the third epoch on, the rate makes things worse.
        callbacks.learningRateScheduler((k, rate) => (k < 2 ? rate : 20)),
        { onEpochEnd: async () => void kept.push(await model.getWeights()) },
      ],
    });
    expect(stopping.bestEpoch).toBeLessThan(epoch.length - 1);
    expect(stopping.stoppedEpoch).toBe(epoch.at(-1));
    expect(await model.getWeights()).toEqual(kept[stopping.bestEpoch]);
    expect(kept[stopping.bestEpoch]).not.toEqual(kept.at(-1));
  });

  test('the learning rate finder leaves the model as it was', async () => {
    using model = toyModel({ rate: 0.2 });
    using twin = toyModel({ rate: 0.2 });
    for (const each of [model, twin]) await each.fit(data, { epochs: 2, verbose: 0 });
    const before = await model.save({ optimizer: true });
    const curve = await learningRateFinder(model, data, { minRate: 1e-4, maxRate: 100, steps: 40, batchSize: 20 });
    expect(await model.save({ optimizer: true })).toEqual(before);
    expect(model.learningRate).toBe(0.001);
    expect(curve.diverged).toBe(true);
    const { rates, losses, rawLosses, suggestion } = curve;
    expect(rates.length).toBeLessThanOrEqual(40);
    expect([losses.length, rawLosses.length]).toEqual([rates.length, rates.length]);
    expect(rates[0]).toBeCloseTo(1e-4, 12);
    expect(rates[2] / rates[1]).toBeCloseTo((100 / 1e-4) ** (1 / 39), 9);
    expect(losses[0]).toBeCloseTo(rawLosses[0], 9);
    expect(losses.at(-1)!).toBeGreaterThan(4 * Math.min(...losses));
    expect(rates).toContain(suggestion);
    // And it trains on as if nothing had been.
    const options = { epochs: 4, initialEpoch: 2, verbose: 0 } as const;
    expect((await model.fit(data, options)).digest).toBe((await twin.fit(data, options)).digest);
  });
});

test('the finder leaves the state of a model that was never trained as it starts, above zero for Adagrad', async () => {
  setBackend(createCpuBackend());
  const make = () => toyModel().compile({ optimizer: optimizers.adagrad(), loss: 'sparseCategoricalCrossentropy' });
  using model = make();
  using twin = make();
  await learningRateFinder(model, data, { steps: 10 });
  const options = { epochs: 2, verbose: 0 } as const;
  expect((await model.fit(data, options)).digest).toBe((await twin.fit(data, options)).digest);
  setBackend(undefined);
});

describe('refusals', () => {
  beforeAll(() => setBackend(createCpuBackend()));
  afterAll(() => setBackend(undefined));
  const options = { epochs: 2, verbose: 0 } as const;

  test('before the first step: a batch that does not fit, a model without rectifiers, a rate under a schedule', async () => {
    using model = toyModel();
    let steps = 0;
    const watch = { onBatchBegin: () => void steps++ };
    const x = [[1, 2, 3]];
    const { activationStatistics, deadUnitMonitor, gradientStatistics, learningRateScheduler } = callbacks;
    for (const callback of [activationStatistics({ x }), deadUnitMonitor({ x }), gradientStatistics({ x, y: [1] })]) {
      await expectRefusal(() => model.fit(data, { ...options, callbacks: [watch, callback] }), 'shape', /3/);
    }
    using smooth = new Sequential([layers.dense({ units: 3, activation: 'softmax' })], { name: 'smooth' });
    smooth.compile({
      optimizer: optimizers.sgd({
        learningRate: cosineDecay({ initialLearningRate: 0.1, decaySteps: 10 }),
      }),
      loss: 'sparseCategoricalCrossentropy',
    });
    const fitWith = (callback: object) => smooth.fit(data, { ...options, callbacks: [watch, callback] });
    await expectRefusal(
      () => fitWith(deadUnitMonitor({ x: probe })),
      'argument',
      /"smooth" has no layer that rectifies/,
    );
    const scheduled = learningRateScheduler((_, rate) => rate);
    await expectRefusal(() => fitWith(scheduled), 'state', /^learningRateScheduler sets the learning rate/);
    const plateau = callbacks.reduceLROnPlateau({ monitor: 'loss' });
    await expectRefusal(() => fitWith(plateau), 'state', /^reduceLROnPlateau sets the learning rate/);
    await expectRefusal(() => learningRateFinder(smooth, data), 'state', /^learningRateFinder sets the learning rate/);
    expect(steps).toBe(0);
  });

  test('options', async () => {
    using model = toyModel();
    await expectRefusal(() => callbacks.gradientStatistics({ x: probe } as never), 'argument', /"y" is missing/);
    await expectRefusal(() => callbacks.activationStatistics({ x: probe, evry: 1 } as never), 'argument', /"every"/);
    await expectRefusal(() => callbacks.deadUnitMonitor({ x: probe, threshold: 0 }), 'argument', /above 0/);
    const find = (given: object) => learningRateFinder(model, data, given);
    await expectRefusal(() => find({ minRate: 1, maxRate: 0.1 }), 'argument', /maxRate must be above minRate/);
    await expectRefusal(() => find({ steps: 1 }), 'argument', /steps/);
    await expectRefusal(() => find({ minrate: 1 }), 'argument', /did you mean "minRate"/);
    await expectRefusal(() => find({ smoothing: Number.NaN }), 'argument', /smoothing/);
  });

  test('weights cannot be restored while steps are under way', async () => {
    using model = toyModel();
    const weights = await model.getWeights();
    let refused = 0;
    await model.fit(data, {
      ...options,
      callbacks: [
        {
          onBatchEnd: () => {
            expect(() => model.restoreWeights(weights)).toThrow(/restoreWeights: model .* is being trained already/);
            refused++;
          },
        },
      ],
    });
    expect(refused).toBeGreaterThan(0);
  });
});
