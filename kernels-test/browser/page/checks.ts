/**
 * All checks, in the order in which a page lives: import, device, images, ops, training, saving, tuning, the loss of the device.
 */

import { createCpuBackend, requestWebGPUBackend, type WebGPUBackend } from '../../../src/index.ts';
import { checker, expect, type Report } from './check.ts';
import { checkDeviceLoss } from './device-loss.ts';
import { checkImages } from './images.ts';
import { checkOps } from './ops.ts';
import { checkTraining } from './training.ts';
import { checkTuning } from './tuning.ts';

/** @param readsOfGpu how often `navigator.gpu` was read before this module's imports were done. */
export async function runChecks(report: Report, readsOfGpu: number): Promise<void> {
  const check = checker(report);
  await check('importing the bundle reads no navigator.gpu', () => {
    expect(readsOfGpu === 0, `it was read ${readsOfGpu} times`);
  });

  let backend: WebGPUBackend | undefined;
  await check('a backend is made from navigator.gpu, and names its adapter', async () => {
    backend = await requestWebGPUBackend(navigator.gpu);
    const { description, target } = backend;
    expect(description !== '' && !description.startsWith('unnamed'), `the adapter is called "${description}"`);
    return `${description}, ${target.adapterType} adapter, features ${[...backend.device.features].join(' ')}`;
  });
  if (backend === undefined) throw new Error('the other checks need a WebGPU backend');

  const reference = createCpuBackend({ precision: 'f64' });
  await checkImages(check);
  await checkOps(check, backend);
  await checkTraining(check, backend, reference);
  await checkTuning(check, backend);
  await checkDeviceLoss(check, backend);
}
