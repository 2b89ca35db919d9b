/** A device that goes away in the middle of a training: one clear error, and the process goes on. */

import { afterAll, describe, expect, test } from 'vitest';
import { create } from 'webgpu';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createWebGPUBackend } from '../../src/backend/webgpu.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Callback } from '../../src/train/callbacks/callback.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { expectRefusal } from '../data/refusal.ts';
import { toyData, toyModel } from './toy.ts';

// Dawn dies with the process's last reference to its instance, so it stays in module scope.
const gpu = create([]);

afterAll(() => setBackend(undefined));

test('the error says that the device was lost, and saved state goes on elsewhere', async () => {
  const adapter = await gpu.requestAdapter();
  const device = await (adapter as GPUAdapter).requestDevice();
  const backend = createWebGPUBackend({ device });
  setBackend(backend);
  const data = toyData();
  const model = toyModel();
  await model.fit(data, { verbose: 0, batchSize: 10 });
  const saved = await model.save({ optimizer: true });
  const losing: Callback = {
    onBatchBegin: (batch) => {
      if (batch === 3) device.destroy();
    },
  };
  await expectRefusal(() => model.fit(data, { verbose: 0, batchSize: 2, callbacks: [losing] }), 'device-lost', /lost/);
  await expectRefusal(() => model.predict([[1, 2]]), 'device-lost', /lost/);
  model.dispose();
  await backend.dispose();

  setBackend(createCpuBackend());
  using again = Sequential.load(saved);
  const history = await again.fit(data, { verbose: 0, epochs: 2, initialEpoch: 1 });
  expect(history.last.loss).toBeGreaterThan(0);
});

describe('a model whose device was lost goes on with a new one', () => {
  async function lost() {
    const adapter = await gpu.requestAdapter();
    const device = await (adapter as GPUAdapter).requestDevice();
    const backend = createWebGPUBackend({ device });
    setBackend(backend);
    const data = toyData();
    const model = toyModel();
    await model.fit(data, { verbose: 0, batchSize: 10, shuffle: false });
    const saved = await model.save({ optimizer: true });
    const weights = await model.getWeights();
    await model.fit(data, { verbose: 0, batchSize: 10, shuffle: false });
    device.destroy();
    await expectRefusal(() => model.predict([[1, 2]]), 'device-lost', /lost/);
    return { backend, data, model, saved, weights };
  }

  /** The losses of the training after the first, undisturbed. */
  async function undisturbed(optimizer: boolean): Promise<Float32Array> {
    setBackend(createCpuBackend());
    using model = toyModel();
    await model.fit(toyData(), { verbose: 0, batchSize: 10, shuffle: false });
    const weights = await model.getWeights();
    if (!optimizer) {
      using fresh = toyModel();
      fresh.setWeights(weights);
      return (await fresh.fit(toyData(), { verbose: 0, batchSize: 10, shuffle: false })).lossHistory;
    }
    return (await model.fit(toyData(), { verbose: 0, batchSize: 10, shuffle: false })).lossHistory;
  }

  test.each([
    ['before useBackend', true],
    ['after it', false],
  ])('loadWeights %s brings weights and optimizer back', async (_when, early) => {
    const { backend, data, model, saved } = await lost();
    if (early) model.loadWeights(saved.weights);
    setBackend(createCpuBackend());
    if (!early) {
      await expectRefusal(() => model.predict([[1, 2]]), 'device-lost', /"dense\/kernel" was lost .*loadWeights/);
      model.loadWeights(saved.weights);
    }
    const { lossHistory } = await model.fit(data, { verbose: 0, batchSize: 10, shuffle: false });
    const expected = await undisturbed(true);
    lossHistory.forEach((loss, k) => void expect(loss).toBeCloseTo(expected[k], 4));
    model.dispose();
    await backend.dispose();
  });

  test('setWeights brings the weights back; the optimizer, whose state is gone, starts anew', async () => {
    const { backend, data, model, weights } = await lost();
    model.setWeights(weights);
    expect(await model.getWeights()).toEqual(weights);
    setBackend(createCpuBackend());
    const { lossHistory } = await model.fit(data, { verbose: 0, batchSize: 10, shuffle: false });
    const expected = await undisturbed(false);
    lossHistory.forEach((loss, k) => void expect(loss).toBeCloseTo(expected[k], 4));
    expect(model.iterations).toBe(lossHistory.length);
    model.dispose();
    await backend.dispose();
  });

  test('a prediction between setWeights and the training changes nothing', async () => {
    const { backend, data, model, weights } = await lost();
    await backend.dispose();
    setBackend(createCpuBackend());
    await model.setWeights(weights);
    await model.predict([[1, 2]]);
    for (let run = 0; run < 2; run++) {
      const { last } = await model.fit(data, { verbose: 0, batchSize: 10 });
      expect(last.loss).toBeGreaterThan(0);
    }
    model.dispose();
  });

  test('compile is taken at once, and the weights are asked for when they are needed', async () => {
    const { backend, data, model, weights } = await lost();
    model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
    await expectRefusal(() => model.fit(data, { verbose: 0 }), 'device-lost', /lost/);
    setBackend(createCpuBackend());
    await expectRefusal(
      () => model.fit(data, { verbose: 0 }),
      'device-lost',
      /was lost with its device; load the last/,
    );
    await expectRefusal(() => model.getWeights(), 'device-lost', /was lost with its device/);
    model.setWeights(weights);
    await model.fit(data, { verbose: 0 });
    model.dispose();
    await backend.dispose();
  });

  test('a backend that was disposed is no worse', async () => {
    const backend = createCpuBackend();
    setBackend(backend);
    using model = toyModel();
    await model.fit(toyData(), { verbose: 0 });
    const weights = await model.getWeights();
    await backend.dispose();
    setBackend(createCpuBackend());
    model.setWeights(weights);
    await model.fit(toyData(), { verbose: 0 });
  });
});
