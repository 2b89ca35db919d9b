/** Accuracy of yes-or-no outputs: right for targets of 0 and 1 and for those of −1 and 1, however batches are cut. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { metrics } from '../../src/nn/metrics/index.ts';
import { maximum, mul } from '../../src/ops/elementwise/binary.ts';
import { neg } from '../../src/ops/elementwise/neg.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { expectRefusal } from '../data/refusal.ts';

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

/** Rosenblatt's: max(0, −y · score). */
const perceptron = (y: Tensor, score: Tensor) => maximum(neg(mul(y, score)), 0);

const scores = [[0.3], [0.2], [-0.4], [-3], [2], [-0.1], [0.45], [-0.2]];
const signs = [1, 1, -1, -1, 1, -1, 1, -1];

/** Gives its input back as a score. */
const identity = (loss: Parameters<Sequential['compile']>[0]['loss'], metric: unknown = 'accuracy') =>
  new Sequential([layers.activation({ activation: 'linear' })], { inputShape: [1] }).compile({
    ...{ optimizer: 'sgd', loss, metrics: [metric as 'accuracy'], weightedMetrics: [metric as 'accuracy'] },
  });

test.each([
  ['a loss of one’s own', perceptron],
  ['hinge', 'hinge'],
  ['squaredHinge', 'squaredHinge'],
  ['meanSquaredError', 'mse'],
] as const)('%s with targets of −1 and 1 counts by the sign', async (_name, loss) => {
  using model = identity(loss);
  const wrong = signs.map((sign, k) => (k < 2 ? -sign : sign));
  const sampleWeight = signs.map((_, k) => (k === 0 ? 5 : 1));
  for (const batchSize of [1, 3, 8]) {
    const right = await model.evaluate(scores, signs, { batchSize, sampleWeight });
    expect(right).toMatchObject({ accuracy: 1, weightedAccuracy: 1 });
    const two = await model.evaluate(scores, wrong, { batchSize, sampleWeight });
    expect(two.accuracy).toBeCloseTo(6 / 8, 6);
    expect(two.weightedAccuracy).toBeCloseTo(6 / 12, 6);
  }
});

test('the perceptron criterion is 0 where the accuracy is 1', async () => {
  using model = identity(perceptron);
  expect(await model.evaluate(scores, signs)).toEqual({ loss: 0, accuracy: 1, weightedAccuracy: 1 });
});

const bits = signs.map((sign) => (sign + 1) / 2);
/** Of the yes scores only 2 is above 0.5. */
test.each([
  ['a loss of one’s own', perceptron, 5 / 8],
  ['meanSquaredError', 'mse', 5 / 8],
  ['hinge', 'hinge', 1],
  ['binaryCrossentropy', 'binaryCrossentropy', 5 / 8],
] as const)('%s with targets of 0 and 1', async (_name, loss, accuracy) => {
  using model = identity(loss);
  for (const batchSize of [1, 3, 8]) {
    expect((await model.evaluate(scores, bits, { batchSize })).accuracy).toBeCloseTo(accuracy, 6);
  }
});

test('a threshold that is given holds for both kinds of targets', async () => {
  const metric = metrics.binaryAccuracy({ threshold: 0.25 });
  for (const loss of [perceptron, 'hinge', 'mse'] as const) {
    using model = identity(loss, metric);
    // Of the yes scores, 0.2 is not above it.
    expect((await model.evaluate(scores, signs)).binaryAccuracy).toBe(7 / 8);
    expect((await model.evaluate(scores, bits)).binaryAccuracy).toBe(7 / 8);
  }
  expect(metrics.binaryAccuracy().config).toEqual({});
  expect(metric.config).toEqual({ threshold: 0.25 });
});

test('targets between no and yes are never right, and numbers to predict are refused', async () => {
  using model = identity(perceptron);
  expect((await model.evaluate([[1], [1]], [0.9, 1])).accuracy).toBe(0.5);
  using regression = identity('mse');
  await expectRefusal(() => regression.evaluate(scores, scores), 'argument', /0 and 1, or of −1 and 1; y has/);
  await expectRefusal(() => regression.evaluate([[1], [1], [1]], [-1, 0, 1]), 'argument', /y has -1 in example 0/);
});
