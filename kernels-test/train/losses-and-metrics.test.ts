/** Losses and metrics in a model: what compile refuses before anything is traced, what JSON keeps, what logs show. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { type LossLike, losses, type ValueFunction } from '../../src/nn/losses/index.ts';
import { type MetricLike, metrics } from '../../src/nn/metrics/index.ts';
import { scalar } from '../../src/ops/create.ts';
import { sub } from '../../src/ops/elementwise/binary.ts';
import { abs } from '../../src/ops/elementwise/unary.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { expectRefusal } from '../data/refusal.ts';

const network = (): Sequential =>
  new Sequential([layers.dense({ units: 3, activation: 'softmax' })], { inputShape: [2] });
const compile = (loss: LossLike, list: readonly MetricLike[]) => () =>
  network().compile({ optimizer: 'sgd', loss, metrics: list });
const x = Array.from({ length: 10 }, (_, k) => [Math.sin(k), Math.cos(2 * k)]);
const y = Array.from({ length: 10 }, (_, k) => [0, 1, 2].map((id) => Number(k % 3 === id)));

const distance: ValueFunction = (yTrue, yPred) => abs(sub(yTrue, yPred));

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

describe('refused by compile', () => {
  const logits = losses.categoricalCrossentropy({ fromLogits: true });
  test.each<[() => unknown, RegExp]>([
    [compile('sparseCategoricalCrossentropy', ['precision']), /"precision" needs targets of the output's shape \[3\]/],
    [
      compile(logits, ['precision']),
      /needs probabilities, but the loss categoricalCrossentropy is told .* logits; end/,
    ],
    [compile(logits, ['auc']), /give auc\(\{ fromLogits: true \}\)/],
    [compile('hinge', ['recall']), /the loss hinge trains scores for −1 and 1/],
    [
      compile('mse', [metrics.topKCategoricalAccuracy()]),
      /k 5 must not be above the number of classes.*take k: 1 to 3/,
    ],
    [compile('mse', [metrics.precision({ classId: 3 })]), /classId 3 must be from 0 to 2/],
    [() => metrics.precision({ thresholds: 1.5 }), /thresholds must be a finite number from 0 to 1, found 1\.5/],
    [() => metrics.auc({ numThresholds: 1 }), /numThresholds must be a whole number of at least 2/],
    [() => metrics.f1Score({ threshold: 0 }), /threshold must be above 0/],
    [() => metrics.recall({ topk: 3 } as object), /unknown option "topk"; did you mean "topK"/],
    [compile('mse', [metrics.recall as never]), /call it: metrics\.recall\(\)/],
    [() => losses.huber({ delta: 0 }), /delta must be a finite number above 0, found 0/],
    [() => losses.binaryFocalCrossentropy({ gamma: -1 }), /gamma must be a finite number of at least 0/],
    [() => losses.categoricalCrossentropy({ labelSmoothing: Number.NaN }), /labelSmoothing must be a finite number/],
    [() => losses.cosineSimilarity({ axis: 0 }), /axis must be a whole number other than 0/],
    [() => losses.sparseCategoricalCrossentropy({ ignoreClass: 0.5 }), /ignoreClass must be a whole number/],
    [compile(losses.huber as never, []), /call it: losses\.huber\(\)/],
  ])('%#', async (act, message) => {
    await expectRefusal(act, 'argument', message);
  });
});

test('a function of the user is a loss and a metric; what it returns is checked before the first step', async () => {
  using model = network();
  model.compile({ optimizer: 'sgd', loss: distance, metrics: ['mae', metrics.custom(distance, { name: 'own' })] });
  const found = await model.evaluate(x, y, { batchSize: 4 });
  expect(found.own).toBeCloseTo(found.mae, 6);
  expect(found.loss).toBeCloseTo(found.mae, 6);
  expect(model.toJSON().compiled).toMatchObject({ loss: { custom: 'distance' }, metrics: ['mae', { custom: 'own' }] });
  model.compile({ optimizer: 'sgd', loss: () => scalar(1) });
  await expectRefusal(() => model.fit(x, y, { verbose: 0 }), 'shape', /returned f32\[\]; expected f32 of shape \[10\]/);
});

test('metrics keep their options in JSON', () => {
  const list = ['mae' as const, metrics.precision({ thresholds: 0.3, name: 'strict' }), metrics.confusionMatrix()];
  const json = network()
    .compile({ optimizer: 'sgd', loss: losses.huber({ delta: 2 }), metrics: list })
    .toJSON();
  expect(json.compiled?.metrics).toEqual([
    'mae',
    { name: 'precision', config: { thresholds: 0.3, name: 'strict' } },
    { name: 'confusionMatrix', config: {} },
  ]);
  expect(Sequential.fromJSON(JSON.stringify(json)).toJSON()).toEqual(json);
});

test('logs of an epoch do not depend on how it is cut into batches, running ones end there, and a step is one submit', async () => {
  const confusion = metrics.confusionMatrix();
  const list = [metrics.precision({ thresholds: 0.3 }), metrics.auc(), metrics.f1Score(), confusion];
  using model = network();
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: list });
  const whole = await model.evaluate(x, y, { batchSize: 10 });
  const matrix = confusion.matrix;
  const cut = await model.evaluate(x, y, { batchSize: 4 });
  expect(confusion.matrix).toEqual(matrix);
  expect(matrix?.flat().reduce((sum, count) => sum + count, 0)).toBe(10);
  for (const [name, value] of Object.entries(whole)) expect(cut[name], name).toBeCloseTo(value, 6);

  const running: number[] = [];
  const history = await model.fit(x, y, {
    batchSize: 4,
    verbose: 0,
    callbacks: [{ onBatchEnd: (_batch, _logs, sofar) => void running.push(sofar.auc) }],
  });
  expect(running).toHaveLength(3);
  expect(running[2]).toBe(history.last.auc);
  expect(history.facts.submitsPerStep).toBe(1);
});

test('weights of classes are weights of examples, and weighted metrics count by them', async () => {
  const evaluate = async (sampleWeight?: number[]) => {
    using model = network();
    model.compile({
      optimizer: 'sgd',
      loss: 'mse',
      metrics: ['mae'],
      weightedMetrics: [metrics.custom(distance, { name: 'weighted' })],
    });
    return await model.evaluate(x, y, { batchSize: 4, ...(sampleWeight !== undefined && { sampleWeight }) });
  };
  const lossHistory = async (options: object) => {
    using model = network();
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    return [...(await model.fit(x, y, { batchSize: 4, verbose: 0, ...options })).lossHistory];
  };
  const weights = Array.from({ length: 10 }, (_, k) => [0.5, 1, 3][k % 3]);
  const byClass = await lossHistory({ classWeight: { 0: 0.5, 1: 1, 2: 3 } });
  expect(byClass).toEqual(await lossHistory({ sampleWeight: weights }));
  expect(byClass).not.toEqual(await lossHistory({}));

  const [plain, weighted] = [await evaluate(), await evaluate(weights)];
  expect(plain.weighted).toBeCloseTo(plain.mae, 6);
  expect(weighted.mae).toBeCloseTo(plain.mae, 6);
  // The network is the same; the mean counts each example by its weight, over batches of 4, 4 and 2.
  using model = network();
  model.compile({ optimizer: 'sgd', loss: 'mse', metrics: [metrics.custom(distance, { name: 'each' })] });
  let total = 0;
  for (let k = 0; k < 10; k++) total += weights[k] * (await model.evaluate([x[k]], [y[k]])).each;
  expect(weighted.weighted).toBeCloseTo(total / weights.reduce((sum, w) => sum + w, 0), 5);
});

test('a metric that is asked for with and without weights has two names, and JSON keeps them', async () => {
  const weights = Array.from({ length: 10 }, (_, k) => [0.5, 1, 3][k % 3]);
  const logs = async (both: readonly MetricLike[], weighted: readonly MetricLike[]) => {
    using model = network();
    model.compile({ optimizer: 'sgd', loss: 'mse', metrics: both, weightedMetrics: weighted });
    expect(Sequential.fromJSON(model.toJSON()).toJSON().compiled).toEqual(model.toJSON().compiled);
    return await model.evaluate(x, y, { batchSize: 4, sampleWeight: weights });
  };
  const tops = metrics.topKCategoricalAccuracy({ k: 2, name: 'top' });
  const found = await logs(['mae', 'auc', tops], ['mae', 'auc', tops]);
  const { loss, ...plain } = await logs(['mae', 'auc', tops], []);
  const { loss: _, ...weighted } = await logs([], ['mae', 'auc', tops]);
  expect(found).toEqual({
    ...{ loss, ...plain },
    ...{ weightedMae: weighted.mae, weightedAuc: weighted.auc, weightedTop: weighted.top },
  });
  expect(weighted.mae).not.toBe(plain.mae);
  await expectRefusal(
    () => logs(['mae'], ['mae', metrics.custom(distance, { name: 'weightedMae' })]),
    'argument',
    /two values would be logged as "weightedMae"/,
  );
});

describe('refused when data comes', () => {
  const ids = Array.from({ length: 10 }, (_, k) => k % 3);
  const one = (loss: LossLike, list: readonly MetricLike[] = []) =>
    new Sequential([layers.dense({ units: 1 })], { inputShape: [2] }).compile({
      optimizer: 'sgd',
      loss,
      metrics: list,
    });

  test.each<[string, MetricLike]>([
    ['accuracy', 'accuracy'],
    ['auc', 'auc'],
    ['precision', metrics.precision()],
    ['binaryAccuracy', 'binaryAccuracy'],
  ])('%s of numbers to predict', async (name, metric) => {
    using model = one('mse', [metric]);
    const values = ids.map((id) => id / 2);
    await expectRefusal(
      () => model.fit(x, values, { verbose: 0 }),
      'argument',
      new RegExp(`metric "${name}" counts right answers.*y has 0.5 in example 1.*rootMeanSquaredError or r2Score`),
    );
    expect(model.iterations).toBe(0);
    await model.fit(
      x,
      ids.map((id) => Math.min(id, 1)),
      { verbose: 0 },
    );
  });

  test('class ids as targets of a hinge', async () => {
    using model = one('hinge');
    const message = /y: found 2 in example 2; hinge takes targets −1 and 1, or 0 and 1/;
    await expectRefusal(() => model.fit(x, ids, { verbose: 0 }), 'data', message);
    for (const no of [-1, 0])
      await model.fit(
        x,
        ids.map((id) => (id === 0 ? no : 1)),
        { verbose: 0 },
      );
  });

  test.each<LossLike>(['sparseCategoricalCrossentropy', 'mse'])('dense layers on images, for %s', async (loss) => {
    const units = loss === 'mse' ? 1 : 3;
    using model = new Sequential([layers.dense({ units })], { inputShape: [4, 4, 1] });
    model.compile({ optimizer: 'sgd', loss });
    const images = { data: new Float32Array(10 * 16), shape: [10, 4, 4, 1] };
    await expectRefusal(
      () => model.fit(images, ids, { verbose: 0 }),
      'shape',
      /a Flatten layer before the Dense ones gives one row an example/,
    );
  });
});

test('the true class is always among as many guesses as there are classes', async () => {
  using model = network();
  const list = [
    metrics.sparseTopKCategoricalAccuracy({ k: 3 }),
    metrics.sparseTopKCategoricalAccuracy({ k: 2, name: 'two' }),
  ];
  model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy', metrics: list });
  const ids = Array.from({ length: 10 }, (_, k) => k % 3);
  const found = await model.evaluate(x, ids);
  expect(found.sparseTopKCategoricalAccuracy).toBe(1);
  expect(found.two).toBeLessThan(1);
});
