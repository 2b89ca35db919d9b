/**
 * A device that is gone: whatever comes next is refused with `device-lost`, work in flight included, and a new backend
 * carries on from saved weights.
 */

import {
  type Callback,
  DownhillError,
  mul,
  requestWebGPUBackend,
  setBackend,
  tensor,
  type WebGPUBackend,
} from '../../../src/index.ts';
import { type Check, expect } from './check.ts';
import { compiledLenet, predictTest, train } from './training.ts';

export async function checkDeviceLoss(check: Check, backend: WebGPUBackend): Promise<void> {
  await check('a device destroyed during fit ends it with device-lost', async () => {
    const own = await requestWebGPUBackend(navigator.gpu);
    setBackend(own);
    const model = compiledLenet();
    const destroy: Callback = {
      onBatchBegin(batch) {
        if (batch === 3) own.device.destroy();
      },
    };
    const message = await lost(() => model.fit(train, { batchSize: 32, epochs: 2, verbose: 0, callbacks: [destroy] }));
    model.dispose();
    await own.dispose();
    return message;
  });

  await check('after device.destroy() every call gives device-lost', async () => {
    setBackend(backend);
    using model = compiledLenet();
    await predictTest(model);
    const kept = tensor([1, 2, 3]);
    const computed = mul(kept, 2);
    await computed.data();
    backend.device.destroy();
    const message = await lost(() => computed.data());
    await lost(() => mul(kept, 3).data());
    await lost(() => predictTest(model));
    await lost(() => backend.finish());
    return message;
  });

  await check('a new backend computes after the loss', async () => {
    const fresh = await requestWebGPUBackend(navigator.gpu);
    setBackend(fresh);
    expect(String(await mul(tensor([1, 2, 3]), 3).data()) === '3,6,9', 'wrong values');
    setBackend(undefined);
    await fresh.dispose();
  });
}

/** @returns the message of the `device-lost` error that `call` must end with. */
async function lost(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
  } catch (error) {
    expect(error instanceof DownhillError && error.code === 'device-lost', `it ended with ${String(error)}`);
    return error.message;
  }
  throw new Error('it ended well');
}
