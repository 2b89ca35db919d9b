/** predict with `training: true`: layers behave as in a training step, and nothing of the model changes. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { expectRefusal } from '../data/refusal.ts';

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

const ROWS = 40;
const x = { data: new Float32Array(ROWS * 50).fill(1), shape: [ROWS, 50] };
const dropout = () => new Sequential([layers.dropout({ rate: 0.4 })], { inputShape: [50], seed: 5 });

async function values(model: Sequential, options: object = {}): Promise<number[]> {
  return Array.from(await (await model.predict(x, options)).data());
}

test('dropout drops its share and scales the rest; at inference it does nothing', async () => {
  using model = dropout();
  const found = await values(model, { training: true });
  const dropped = found.filter((value) => value === 0).length / found.length;
  expect(Math.abs(dropped - 0.4)).toBeLessThan(0.05);
  expect(found.filter((value) => value !== 0).every((value) => Math.abs(value - 1 / 0.6) < 1e-6)).toBe(true);
  expect(new Set(await values(model))).toEqual(new Set([1]));
});

test('a seed draws the same again, another one something else, and each batch its own', async () => {
  using model = dropout();
  const first = await values(model, { training: true, seed: 1 });
  expect(await values(model, { training: true, seed: 1 })).toEqual(first);
  expect(await values(model, { training: true, seed: 2 })).not.toEqual(first);
  const half = (ROWS / 2) * 50;
  const batches = await values(model, { training: true, seed: 1, batchSize: ROWS / 2 });
  expect(batches.slice(half)).not.toEqual(batches.slice(0, half));
});

test('batch normalisation uses the statistics of the batch and keeps its own', async () => {
  using model = new Sequential([layers.batchNormalization()], { inputShape: [1] });
  const data = { data: Float32Array.of(10, 12, 14, 16), shape: [4, 1] };
  const before = await model.getWeights();
  const found = Array.from(await (await model.predict(data, { training: true })).data());
  expect(Math.abs(found.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-5);
  expect(found[3]).toBeCloseTo(3 / Math.sqrt(5 + 1e-3), 5);
  expect(await model.getWeights()).toEqual(before);
});

test('options that are none are refused', async () => {
  using model = dropout();
  await expectRefusal(() => model.predict(x, { training: 'yes' as never }), 'argument', /training/);
  await expectRefusal(() => model.predict(x, { training: true, seed: -1 }), 'argument', /seed/);
});
