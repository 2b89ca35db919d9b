/** Profiles of a model's step: the weights and the optimizer are put back by copies on the device, to the bit. */

import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { expectRefusal } from '../data/refusal.ts';
import { toyData } from './toy.ts';

const data = toyData(24);
let backend: Backend;
beforeAll(async () => {
  backend = await createNodeWebGPUBackend();
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  setBackend(undefined);
  await backend.dispose();
});

/** With weights that the gradient changes, moving averages, weights that are frozen, and slots of the optimizer. */
function modelOf(): Sequential {
  const frozen = layers.dense({ units: 5, trainable: false });
  const model = new Sequential(
    [frozen, layers.batchNormalization(), layers.dense({ units: 3, activation: 'softmax' })],
    {
      inputShape: [2],
      seed: 4,
    },
  );
  return model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
}

const batch = [
  [
    [1, 0.5],
    [-1, 2],
    [0, 1],
  ],
  [0, 1, 2],
] as const;

test('a profile reads nothing back, writes the batch alone, keeps no buffer and changes nothing', async () => {
  setBackend(backend);
  using model = modelOf();
  using twin = modelOf();
  const options = { batchSize: 8, seed: 1, verbose: 0 } as const;
  for (const one of [model, twin]) await one.fit(data, options);
  const before = await model.save({ optimizer: true });
  // The program and the buffers of its batch stay for the next call.
  await model.profileOnBatch(batch[0], batch[1], { runs: 2 });
  const { liveBuffers } = backend.counters;
  const calls = { read: vi.spyOn(backend, 'read'), write: vi.spyOn(backend, 'write'), copy: vi.spyOn(backend, 'copy') };
  const times = await model.profileOnBatch(batch[0], batch[1], { runs: 2 });
  expect(times.length).toBeGreaterThan(0);
  expect(calls.read).not.toHaveBeenCalled();
  expect(calls.write.mock.calls.map(([{ label }]) => label)).toEqual(['x', 'y']);
  // The trained weights with Adam's two slots and the moving averages, there and back; not the frozen weights.
  expect(calls.copy).toHaveBeenCalledTimes(8);
  expect(backend.counters.liveBuffers).toBe(liveBuffers);
  vi.restoreAllMocks();
  expect(model.iterations).toBe(3);
  expect((await model.save({ optimizer: true })).weights).toEqual(before.weights);
  const [went, expected] = [await model.fit(data, options), await twin.fit(data, options)];
  expect(went.digest).toBe(expected.digest);
});

test('where nothing can be timed, nothing is changed either', async () => {
  setBackend(createCpuBackend());
  using model = modelOf();
  await model.fit(data, { batchSize: 8, seed: 1, verbose: 0 });
  const before = await model.save({ optimizer: true });
  await expectRefusal(() => model.profileOnBatch(batch[0], batch[1]), 'device', /needs a WebGPU backend/);
  expect((await model.save({ optimizer: true })).weights).toEqual(before.weights);
});
