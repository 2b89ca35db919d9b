/** A device that goes away in the middle of a training: one clear error, and the process goes on. */

import { afterAll, expect, test } from 'vitest';
import { create } from 'webgpu';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createWebGPUBackend } from '../../src/backend/webgpu/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Callback } from '../../src/train/callbacks/callback.ts';
import { Sequential } from '../../src/train/sequential.ts';
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
