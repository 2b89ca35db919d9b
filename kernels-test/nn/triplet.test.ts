/** The triplet loss beside its figures (loss-goldens): what it leaves out, refuses, and that it pulls classes apart. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { losses, lossValue } from '../../src/nn/losses/index.ts';
import { modelOutput } from '../../src/nn/output.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { tensor } from '../../src/runtime/tensor.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { gradients } from '../../src/transform/grad.ts';
import { expectRefusal } from '../data/refusal.ts';
import { toyData } from '../train/toy.ts';

beforeAll(() => setBackend(createCpuBackend({ precision: 'f64' })));
afterAll(() => setBackend(undefined));

const ids = (...values: number[]) => tensor(Int32Array.from(values));

test('anchors without a second example or without another class do not count', async () => {
  const x = modelOutput(tensor([[0], [1], [3]]));
  // Of classes 0, 0, 1 the third is alone: |0−1| − |0−3| + 4 and |1−0| − |1−3| + 4, their mean.
  const loss = losses.tripletHard({ margin: 4 });
  expect(await lossValue(loss, ids(0, 0, 1), x).item()).toBeCloseTo((2 + 3) / 2, 6);
  expect(await lossValue(loss, ids(5, 5, 5), x).item()).toBe(0);
  expect(await lossValue(loss, ids(0, 1, 2), x).item()).toBe(0);
});

test('embeddings that are equal have a gradient of numbers', async () => {
  const x = tensor([
    [1, 1],
    [1, 1],
    [1, 1],
    [1, 1],
  ]);
  const loss = lossValue(losses.tripletHard(), ids(0, 0, 1, 1), modelOutput(x));
  expect(Array.from(await gradients(loss, [x])[0].data()).every(Number.isFinite)).toBe(true);
});

test('a model trained with it puts the classes apart: the nearest neighbour is of the same class', async () => {
  const data = toyData(60, 3);
  using model = new Sequential([layers.dense({ units: 24, activation: 'relu' }), layers.dense({ units: 2 })], {
    inputShape: [2],
    seed: 2,
  }).compile({ optimizer: 'adam', loss: losses.tripletHard({ soft: true }) });
  const history = await model.fit(data, { epochs: 120, batchSize: 60, verbose: 0 });
  expect(history.history.loss.at(-1)!).toBeLessThan(0.8 * history.history.loss[0]);
  const points = await (await model.predict({ data: data.x, shape: [60, 2] })).data();
  const nearest = (of: number): number => {
    const distance = (other: number) =>
      other === of
        ? Number.POSITIVE_INFINITY
        : Math.hypot(...[0, 1].map((c) => points[2 * of + c] - points[2 * other + c]));
    return Array.from({ length: 60 }, (_, k) => k).reduce(
      (best, k) => (distance(k) < distance(best) ? k : best),
      of === 0 ? 1 : 0,
    );
  };
  const right = Array.from({ length: 60 }, (_, k) => k).filter((k) => data.y[nearest(k)] === data.y[k]).length;
  expect(right).toBeGreaterThan(54);
});

test('class ids may be any whole number from 0; outputs must be one embedding each', async () => {
  using model = new Sequential([layers.dense({ units: 2 })], { inputShape: [2] });
  model.compile({ optimizer: 'sgd', loss: 'tripletHard' });
  await model.trainOnBatch(
    [
      [1, 2],
      [3, 4],
    ],
    [1000, 7],
  );
  await expectRefusal(() => model.trainOnBatch([[1, 2]], [-1]), 'data', /expected a whole number from 0/);
  await expectRefusal(() => losses.tripletHard({ margin: -1 }), 'argument', /margin/);
  using wide = new Sequential([layers.reshape({ targetShape: [1, 2] })], { inputShape: [2] });
  wide.compile({ optimizer: 'sgd', loss: 'tripletHard' });
  await expectRefusal(() => wide.trainOnBatch([[1, 2]], [[1]]), 'shape', /takes embeddings/);
});
