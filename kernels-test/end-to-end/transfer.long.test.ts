/**
 * Transfer on MNIST: a backbone that has learnt the digits 0–4 is frozen under a new head for 5–9 with 100 images a
 * class. Both heads are trained for three epochs at Adam's default rate. Its weights stay what they were, bit by bit,
 * and the model beats one of the same shape that starts from scratch by at least five points of accuracy. The figures
 * are printed.
 */

import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type ArrayDataset,
  arrayDataset,
  layers,
  loadMnist,
  type Model,
  select,
  sequential,
  setBackend,
  useBackend,
} from '../../src/node.ts';

const folder = join(resolve(process.env.DOWNHILL_DATASETS ?? '../shared/datasets'), 'mnist');
const SEED = 1;
let backend: Awaited<ReturnType<typeof useBackend>>;

beforeAll(async () => {
  backend = await useBackend('webgpu');
});
afterAll(async () => {
  setBackend(undefined);
  await backend.dispose();
});

/** The images of `digits`, at most `count` of each, in order, with labels counted from `digits[0]`. */
function digitsOf(set: ArrayDataset, digits: readonly number[], count: number): ArrayDataset {
  const taken = new Map<number, number>();
  const indices: number[] = [];
  for (let k = 0; k < set.size; k++) {
    const seen = taken.get(set.y[k]) ?? 0;
    if (!digits.includes(set.y[k]) || seen === count) continue;
    taken.set(set.y[k], seen + 1);
    indices.push(k);
  }
  const { classNames: _, ...part } = select(set, indices);
  return arrayDataset({ ...part, y: Int32Array.from(part.y, (label) => label - digits[0]) });
}

const backboneOf = (name: string, seed: number) =>
  sequential(
    [
      layers.conv2d({ filters: 8, kernelSize: 5, strides: 2, activation: 'relu' }),
      layers.conv2d({ filters: 32, kernelSize: 3, activation: 'relu' }),
      layers.maxPooling2d(),
      layers.flatten(),
    ],
    { inputShape: [28, 28, 1], name, seed },
  );

function classifierOn(backbone: Model, seed: number): Model {
  return sequential(
    [backbone, layers.dense({ units: 64, activation: 'relu' }), layers.dense({ units: 5, activation: 'softmax' })],
    { seed },
  ).compile({
    optimizer: 'adam',
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
}

test('digits 0–4 help with 5–9', async () => {
  const { train, test: held } = await loadMnist('mnist', { folder });
  const low = [0, 1, 2, 3, 4];
  const high = [5, 6, 7, 8, 9];
  const few = digitsOf(train, high, 100);
  const asked = digitsOf(held, high, 10_000);
  expect(few.size).toBe(500);

  using learnt = backboneOf('backbone', SEED);
  using first = classifierOn(learnt, SEED);
  await first.fit(digitsOf(train, low, 10_000), { epochs: 2, batchSize: 64, verbose: 0 });

  using frozen = backboneOf('backbone', SEED + 1);
  const taught = (await first.getWeights()).filter(({ name }) => name.startsWith('backbone/'));
  frozen.setWeights(taught.map((weight) => ({ ...weight, name: weight.name.slice('backbone/'.length) })));
  frozen.trainable = false;
  using transferred = classifierOn(frozen, SEED + 2);
  using scratch = classifierOn(backboneOf('backbone', SEED + 1), SEED + 2);
  const options = { epochs: 3, batchSize: 32, verbose: 0 } as const;
  await transferred.fit(few, options);
  await scratch.fit(few, options);

  const after = (await transferred.getWeights()).filter(({ name }) => name.startsWith('backbone/'));
  expect(after.length).toBe(taught.length);
  expect(after).toEqual(taught);

  const [{ accuracy: transfer }, { accuracy: alone }] = [
    await transferred.evaluate(asked),
    await scratch.evaluate(asked),
  ];
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  console.log(`digits 5–9 from 500 images: ${percent(transfer)} with transfer, ${percent(alone)} from scratch`);
  expect(transfer - alone).toBeGreaterThanOrEqual(0.05);
});
