/** Arguments that a call does not take are refused, not dropped; what Keras takes is taken. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import {
  arrayDataset,
  batches,
  collect,
  concatenate,
  digits,
  fitScaler,
  fromGenerator,
  kFold,
  kFoldIndices,
  learningRateFinder,
  mapExamples,
  modelFromJSON,
  oneHotTargets,
  select,
  shapes,
  skip,
  split,
  splitIndices,
  take,
} from '../../src/index.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { losses } from '../../src/nn/losses/index.ts';
import { metrics } from '../../src/nn/metrics/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { tensor } from '../../src/runtime/tensor.ts';
import { Sequential, sequential } from '../../src/train/model/sequential.ts';
import { expectRefusal } from '../data/refusal.ts';
import { toyData, toyModel } from './toy.ts';

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

const set = toyData(12);
const x = { data: set.x, shape: [12, 2] };
const y = { data: set.y, shape: [12] };
const stream = fromGenerator(() => [{ x: set.x, y: set.y }], { xShape: [2] });

/** Each call as it should be, but for its last argument, `{ extra: true }` or the like. */
const calls: Readonly<Record<string, (extra: never) => unknown>> = {
  split: (extra) => (split as (...given: unknown[]) => unknown)(set, { train: 0.5, test: 0.5 }, extra),
  'split in two': (extra) => (split as (...given: unknown[]) => unknown)(set, 0.5, 1, extra),
  splitIndices: (extra) => splitIndices(9, { train: 0.5 }, 0, undefined, 'owner', extra),
  kFold: (extra) => kFold(set, 3, 1, {}, extra),
  kFoldIndices: (extra) => kFoldIndices(9, 3, 1, undefined, 'owner', extra),
  take: (extra) => take(set, 3, extra),
  skip: (extra) => skip(set, 3, extra),
  select: (extra) => select(set, [1], 'name', extra),
  concatenate: (extra) => concatenate([set], 'name', extra),
  mapExamples: (extra) => mapExamples(set, (example) => example, [2], extra),
  oneHotTargets: (extra) => oneHotTargets(set, 3, extra),
  batches: (extra) => batches(set, 3, {}, extra).next(),
  fitScaler: (extra) => fitScaler(set, 'standard', extra),
  arrayDataset: (extra) => arrayDataset({ name: 'a', x: set.x, xShape: [2], y: set.y }, extra),
  digits: (extra) => digits({ train: 1, test: 1 }, extra),
  shapes: (extra) => shapes({ train: 1, test: 1 }, extra),
  fromGenerator: (extra) => fromGenerator(() => [], { xShape: [2] }, extra),
  'batches of a stream': (extra) => (stream.batches as (...given: unknown[]) => unknown)(2, {}, extra),
  collect: (extra) => collect(stream, 3, extra),
  compile: (extra) => toyModel().compile({ optimizer: 'sgd', loss: 'mse' }, extra),
  fit: (extra) => (toyModel() as unknown as Loose).fit(x, y, { verbose: 0 }, extra),
  'fit of a set': (extra) => (toyModel() as unknown as Loose).fit(set, { verbose: 0 }, undefined, extra),
  evaluate: (extra) => (toyModel() as unknown as Loose).evaluate(x, y, {}, extra),
  predict: (extra) => toyModel().predict(x, {}, extra),
  predictAll: (extra) => toyModel().predictAll(x, {}, extra),
  trainOnBatch: (extra) => toyModel().trainOnBatch(x, y, {}, extra),
  gradientsOnBatch: (extra) => toyModel().gradientsOnBatch(x, y, {}, extra),
  activationsOnBatch: (extra) => toyModel().activationsOnBatch(x, extra),
  learningRateFinder: (extra) => (learningRateFinder as (...given: unknown[]) => unknown)(toyModel(), x, y, {}, extra),
  'learningRateFinder of a set': (extra) =>
    (learningRateFinder as (...given: unknown[]) => unknown)(toyModel(), set, {}, extra),
  modelFromJSON: (extra) => modelFromJSON(toyModel().toJSON(), 'm', {}, extra),
};
type Loose = Readonly<Record<string, (...given: unknown[]) => unknown>>;

test.each(Object.entries(calls))('%s', async (_name, call) => {
  await expectRefusal(() => call({ extra: true } as never), 'argument', /one argument too many: \{"extra":true\}/);
});

test.each([
  ['trainOnBatch', (options: object) => toyModel().trainOnBatch(x, y, options)],
  ['gradientsOnBatch', (options: object) => toyModel().gradientsOnBatch(x, y, options)],
  ['arrayDataset', (options: object) => arrayDataset({ name: 'a', x: set.x, xShape: [2], y: set.y, ...options })],
  ['digits', (options: object) => digits(options)],
  ['shapes', (options: object) => shapes(options)],
] as const)('%s knows its options', async (_name, call) => {
  await expectRefusal(() => call({ sampleWeigth: 1 }), 'argument', /unknown option "sampleWeigth"/);
});

describe('trainOnBatch with weights', () => {
  const scale = () =>
    new Sequential([layers.dense({ units: 1, useBias: false, kernelInitializer: 'ones' })], {
      inputShape: [1],
    }).compile({
      optimizer: 'sgd',
      loss: 'mse',
    });
  const weightOf = async (model: Sequential) => (await model.getWeights())[0].data[0];

  test.each([
    ['sampleWeight', { sampleWeight: [2, 0] }],
    ['classWeight', { classWeight: { 0: 2, 1: 0 } }],
  ] as const)('%s counts as in Keras: Σ w·l / B', async (_name, options) => {
    using model = scale();
    // Loss (2·(3 − 0)² + 0·(5 − 1)²) / 2 = 9; its slope at w = 1 is 2·2·3·3 / 2 = 18.
    const logs = await model.trainOnBatch([[3], [5]], [0, 1], options);
    expect(logs.loss).toBeCloseTo(9, 5);
    expect(await weightOf(model)).toBeCloseTo(1 - 0.01 * 18, 5);
    using same = scale();
    expect((await same.gradientsOnBatch([[3], [5]], [0, 1], options)).gradients[0].data[0]).toBeCloseTo(18, 4);
    expect(await weightOf(same)).toBe(1);
    // And without them as before.
    expect((await same.trainOnBatch([[3], [5]], [0, 1])).loss).toBeCloseTo((9 + 16) / 2, 5);
  });

  test('weights that do not fit are refused', async () => {
    using model = scale();
    await expectRefusal(
      () => model.trainOnBatch([[3]], [0], { sampleWeight: [1, 2] }),
      'data',
      /sampleWeight has 2 weights/,
    );
    const both = { sampleWeight: [1], classWeight: { 0: 1 } };
    await expectRefusal(() => model.trainOnBatch([[3]], [0], both), 'argument', /exclude each other/);
  });
});

describe('factories', () => {
  type Factory = (options: object, ...surplus: unknown[]) => unknown;
  const { custom: _, ...named } = losses as unknown as Record<string, Factory>;

  test.each([
    ...Object.entries(optimizers),
    ...Object.entries(named),
    ...Object.entries(metrics).filter(([name]) => name !== 'custom'),
    ...Object.entries({ flatten: layers.flatten, relu: layers.relu, batchNormalization: layers.batchNormalization }),
  ] as [string, Factory][])('%s takes one object of options', (_name, make) => {
    expect(() => make({})).not.toThrow();
    expect(() => make({}, undefined)).not.toThrow();
    expect(() => make({}, { activation: 'relu' })).toThrow(/one argument too many: .*options go into one object/);
  });

  test('required options are part of it', () => {
    const make = layers.dense as unknown as Factory;
    expect(() => make({ units: 1 }, { activation: 'relu' })).toThrow(/^dense: one argument too many/);
  });
});

test('models and tensors take what they say, and no more', async () => {
  const more = 3 as never;
  expect(() => tensor([1], {}, more)).toThrow(/^tensor: one argument too many: 3/);
  expect(() => sequential([], {}, more)).toThrow(/^sequential: one argument too many/);
  using model = toyModel();
  expect(() => model.summary(40 as never)).toThrow(/^summary: one argument too many: 40/);
  expect(() => model.getWeights(more)).toThrow(/^getWeights: one argument too many/);
  expect(() => model.setWeights([], more)).toThrow(/^setWeights: one argument too many/);
  await expect(model.copyWeightsFrom(model, more)).rejects.toThrow(/^copyWeightsFrom: one argument too many/);
  await expect(model.save({}, more)).rejects.toThrow(/^save: one argument too many/);
});
