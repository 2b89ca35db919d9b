/**
 * The way of a training step from end to end: LeNet-5 on the embedded digits through the public entry. It learns, twice
 * with the same bits; its losses are those of the f64 reference; what is saved gives the same scores again.
 * `.ci/run` runs this file once more with VALIDATE=1, where every dispatch is compared with the reference on the way.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import {
  createCpuBackend,
  digits,
  lenet5,
  loadModel,
  optimizers,
  saveModel,
  setBackend,
  useBackend,
} from '../../src/node.ts';
import { environment } from '../../src/util/environment.ts';

// Validation reads every buffer back around every dispatch: fewer steps show as much.
const STEPS = environment().validate ? 3 : 24;
const BATCH = 48;

let gpu: Backend;
let folder: string;

beforeAll(async () => {
  gpu = await useBackend('webgpu');
  folder = await mkdtemp(join(tmpdir(), 'downhill-'));
});
afterAll(async () => {
  setBackend(undefined);
  await gpu.dispose();
  await rm(folder, { recursive: true });
});

// One example more than whole batches: the last, smaller batch is part of it.
const { train, test: heldOut } = digits({ train: STEPS * BATCH + 1, test: 100, seed: 4 });

async function trainOnce() {
  const model = lenet5({ seed: 5 }).compile({
    optimizer: optimizers.adam({ learningRate: 0.002 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  const history = await model.fit(train, { batchSize: BATCH, seed: 6, verbose: 0 });
  return { model, losses: [...history.lossHistory], digest: history.digest };
}

test('LeNet-5 learns, with the same bits twice, along the f64 reference, and is the same after loading', async () => {
  const first = await trainOnce();
  expect(first.losses).toHaveLength(STEPS + 1);
  const second = await trainOnce();
  expect(second.digest).toBe(first.digest);
  expect(second.losses).toEqual(first.losses);

  setBackend(createCpuBackend({ precision: 'f64' }));
  const reference = await trainOnce();
  first.losses.forEach((loss, step) => {
    expect(Math.abs(loss - reference.losses[step]) / reference.losses[step], `step ${step}`).toBeLessThan(1e-3);
  });
  reference.model.dispose();
  setBackend(gpu);

  if (STEPS >= 24) {
    const mean = (part: readonly number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
    expect(mean(first.losses.slice(-8))).toBeLessThan(0.8 * mean(first.losses.slice(0, 4)));
  }

  const scores = await first.model.evaluate(heldOut, { batchSize: 32 });
  await saveModel(first.model, folder);
  using loaded = await loadModel(folder);
  loaded.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  expect(await loaded.evaluate(heldOut, { batchSize: 32 })).toEqual(scores);
  first.model.dispose();
  second.model.dispose();
});
