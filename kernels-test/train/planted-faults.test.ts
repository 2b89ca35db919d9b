/** Values that a slip of one term would change, and that no other test looks at. scripts/mutations.ts plants such slips. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { type ArrayDataset, arrayDataset } from '../../src/data/dataset.ts';
import { splitIndices } from '../../src/data/split.ts';
import type { DatasetStream } from '../../src/data/stream.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { metrics, type TotalsMetric } from '../../src/nn/metrics/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { cosineDecay, oneCycle } from '../../src/nn/schedules/index.ts';
import { full } from '../../src/ops/create.ts';
import { reshape } from '../../src/ops/layout/shape.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { Sequential } from '../../src/train/model/sequential.ts';

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

const scale = () =>
  new Sequential([layers.dense({ name: 'scale', units: 1, useBias: false, kernelInitializer: 'ones' })], {
    inputShape: [1],
  });
const weightOf = async (model: Sequential) => (await model.getWeights())[0].data[0];

test.each([
  ['sgd', 1, 0.1],
  ['sgd', 0.5, 0.1],
  ['sgd', 0, 0.1],
  ['adamW', 0.25, 0.1],
] as const)('%s: weight decay follows the rate of its layer, times %f', async (name, multiplier, weightDecay) => {
  using model = scale();
  const optimizer = optimizers[name]({ learningRate: 0.5, weightDecay });
  model.compile({ optimizer, loss: 'mse', learningRateMultipliers: { scale: multiplier } });
  // The gradient at x = 0 is 0: the decay alone moves the weight.
  await model.trainOnBatch([[0]], [[0]]);
  expect(await weightOf(model)).toBeCloseTo(1 - 0.5 * multiplier * weightDecay, 6);
});

test('the learning rate shown is that of the next update', async () => {
  const schedule = cosineDecay({ initialLearningRate: 0.1, decaySteps: 8 });
  using model = scale().compile({ optimizer: optimizers.sgd({ learningRate: schedule }), loss: 'mse' });
  expect(model.learningRate).toBe(schedule.at(0));
  const shown: number[] = [];
  const look = { onEpochEnd: () => void shown.push(model.learningRate) };
  await model.fit([[0], [0], [0]], [[0], [0], [0]], { batchSize: 1, epochs: 2, verbose: 0, callbacks: [look] });
  expect(shown).toEqual([schedule.at(3), schedule.at(6)]);
  await model.trainOnBatch([[0]], [[0]]);
  expect(model.learningRate).toBe(schedule.at(7));
});

test('values of an epoch over uneven batches: means count examples, sums add up', async () => {
  /** A single number that adds up. */
  const examples: TotalsMetric = {
    ...{ name: 'examples', targets: 'values' },
    totals: (y) => reshape(sum(full([y.shape[0]], 1)), [1]),
    result: (totals) => totals[0],
  };
  using model = scale().compile({ optimizer: 'sgd', loss: 'mse', metrics: ['mae', examples] });
  model.learningRate = 1e-12;
  const x = [[1], [2], [3], [4], [10]];
  const y = x.map(() => [0]);
  const expected = { loss: 130 / 5, mae: 20 / 5, examples: 5 };
  const running: number[] = [];
  const look = {
    onBatchEnd: (_: number, __: object, logs: Readonly<Record<string, number>>) => void running.push(logs.loss),
  };
  for (const batchSize of [2, 3, 4, 5]) {
    for (const [name, value] of Object.entries(await model.evaluate(x, y, { batchSize }))) {
      expect(value).toBeCloseTo(expected[name as keyof typeof expected], 4);
    }
  }
  const history = await model.fit(x, y, {
    ...{ batchSize: 2, verbose: 0, shuffle: false, validationData: [x, y] },
    callbacks: [look],
  });
  expect([...history.lossHistory].map((value) => Math.round(value * 1e3) / 1e3)).toEqual([2.5, 12.5, 100]);
  expect(running.map((value) => Math.round(value * 1e3) / 1e3)).toEqual([2.5, 7.5, 26]);
  expect(history.last.loss).toBeCloseTo(26, 4);
  expect(history.last.valLoss).toBeCloseTo(26, 4);
  expect([history.last.examples, history.last.valExamples]).toEqual([5, 5]);
});

describe('stratified splits', () => {
  test.each([0, 1, 2, 3])(
    'hold classes of 1 : 3 : 12 in proportion in every part and at both ends, seed %i',
    (seed) => {
      // Sorted by class, as files often are.
      const labels = Array.from({ length: 160 }, (_, k) => (k < 10 ? 'a' : k < 40 ? 'b' : 'c'));
      const fractions = { train: 0.5, dev: 0.3, test: 0.2 };
      const parts = splitIndices(labels.length, fractions, seed, labels);
      const sizes = { a: 10, b: 30, c: 120 };
      for (const [part, fraction] of Object.entries(fractions)) {
        const indices = parts[part as keyof typeof parts];
        for (const [label, size] of Object.entries(sizes)) {
          const found = [...indices].filter((index) => labels[index] === label).length;
          expect(Math.abs(found - fraction * size), `${part} ${label}`).toBeLessThanOrEqual(1);
        }
        // Mixed: a stretch of it is not all of one class.
        expect(new Set([...indices.subarray(0, 16)].map((index) => labels[index])).size).toBeGreaterThan(1);
      }
      expect([...parts.train, ...parts.dev, ...parts.test].sort((a, b) => a - b)).toEqual([...labels.keys()]);
    },
  );
});

describe('the peak of a warm-up', () => {
  test('is at its last step, whatever it begins with, and the cosine falls from there', () => {
    const [low, high] = [0.02, 0.1];
    const options = { initialLearningRate: low, warmupTarget: high, warmupSteps: 5, decaySteps: 20 };
    const schedule = cosineDecay(options);
    const plain = cosineDecay({ initialLearningRate: high, decaySteps: 20 });
    const rates = Array.from({ length: 30 }, (_, step) => schedule.at(step));
    expect(rates[0]).toBe(low);
    expect(rates[4]).toBeCloseTo(low + 0.8 * (high - low), 12);
    expect(rates[5]).toBe(high);
    expect(Math.max(...rates)).toBe(high);
    expect(rates.indexOf(high)).toBe(5);
    rates.slice(5).forEach((rate, k) => void expect(rate).toBeCloseTo(plain.at(k), 12));
  });

  test('of one cycle is its maximum, and comes once', () => {
    const schedule = oneCycle({ maxLearningRate: 0.1, totalSteps: 20 });
    const rates = Array.from({ length: 20 }, (_, step) => schedule.at(step));
    expect(Math.max(...rates)).toBeCloseTo(0.1, 12);
    expect(rates.filter((rate) => Math.abs(rate - 0.1) < 1e-12)).toHaveLength(1);
  });
});

test('one weight a class holds where all targets are of it', async () => {
  const set = arrayDataset({
    name: 'all',
    x: Float32Array.of(1, 2),
    xShape: [1],
    y: Float32Array.of(0, 0),
    yShape: [1],
  });
  using model = scale().compile({ optimizer: 'sgd', loss: 'mse' });
  expect((await model.fit(set, { verbose: 0, classWeight: { 0: 3 } })).lossHistory[0]).toBeCloseTo(
    (3 * (1 + 4)) / 2,
    5,
  );
});

test('the first average is the weight after the first update, however many steps that takes', async () => {
  const rules = { learningRate: 0.25, gradientAccumulationSteps: 3, useEma: true, emaMomentum: 0.9 };
  using model = scale().compile({ optimizer: optimizers.sgd(rules), loss: 'mse' });
  // The gradient of w² is 2 in each of three steps, so the update ends at 0.5; then the averages take the weights' place.
  await model.fit([[1], [1], [1]], [[0], [0], [0]], { batchSize: 1, verbose: 0 });
  expect(await weightOf(model)).toBeCloseTo(0.5, 6);
});

test('the numbers of an update do not depend on which update was asked for before', () => {
  for (const name of Object.keys(optimizers) as (keyof typeof optimizers)[]) {
    const [used, fresh] = [optimizers[name](), optimizers[name]()];
    used.scalarValues(100);
    expect(used.scalarValues(3), name).toEqual(fresh.scalarValues(3));
    expect(used.scalarValues(101)[0], name).toBeCloseTo(optimizers[name]().scalarValues(101)[0], 12);
  }
});

test('of equal outputs the left one is among the top ones', async () => {
  using model = new Sequential([layers.activation({ activation: 'linear' })], { inputShape: [3] });
  model.compile({
    optimizer: 'sgd',
    loss: 'mse',
    metrics: [metrics.recall({ topK: 1 }), metrics.precision({ topK: 2 })],
  });
  const values = async (x: number[], y: number[]) => {
    const { recall, precision } = await model.evaluate([x], [y], {});
    return [recall, precision];
  };
  expect(await values([0.4, 0.4, 0.2], [1, 0, 0])).toEqual([1, 0.5]);
  expect(await values([0.4, 0.4, 0.2], [0, 1, 0])).toEqual([0, 0.5]);
  expect(await values([0.2, 0.4, 0.4], [0, 1, 0])).toEqual([1, 0.5]);
  expect(await values([0.3, 0.3, 0.3], [0, 0, 1])).toEqual([0, 0]);
});

describe('epochs of so many steps over a stream', () => {
  /** Batches of these values, again and again; `given` counts them. */
  const passes = (...values: number[][]) => {
    const about = { name: 'passes', xShape: [1], yShape: [1] };
    const stream = {
      ...about,
      given: 0,
      async *batches(): AsyncGenerator<ArrayDataset> {
        for (const x of values) {
          stream.given++;
          yield { ...about, x: Float32Array.from(x), y: new Float32Array(x.length), size: x.length };
        }
      },
    };
    return stream;
  };
  const fitted = (model: Sequential, stream: DatasetStream, epochs: number) =>
    model.fit(stream, { batchSize: 2, stepsPerEpoch: 2, epochs, verbose: 0 });

  test('ask for no batch that no step takes', async () => {
    using model = scale().compile({ optimizer: 'sgd', loss: 'mse' });
    const stream = passes([1, 2], [3, 4], [1, 1], [2, 2], [5, 5], [6, 6]);
    await fitted(model, stream, 2);
    expect(stream.given).toBe(4);
  });

  test('count the examples of each step anew in each epoch', async () => {
    using model = scale().compile({ optimizer: optimizers.sgd({ learningRate: 1e-12 }), loss: 'mse' });
    const { history } = await fitted(model, passes([1, 2], [3, 4], [1, 1], [10]), 3);
    const losses = history.loss.map((loss) => Math.round(loss * 1e3) / 1e3);
    // The second epoch ends in one example of 100, the third begins the pass again with two and two.
    expect(losses).toEqual([7.5, 34, 7.5]);
  });
});
