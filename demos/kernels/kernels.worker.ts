/** Measures kernels. To stop it, end the worker: the device goes with it. */

import { requestWebGPUBackend } from '../../bench/core/browser-backend.ts';
import { kernelNames, measureKernels } from '../../bench/core/kernel-rows.ts';
import type { KernelBench } from './workers.ts';

const bench: KernelBench = {
  names: kernelNames,
  async measure(filter, events) {
    const backend = await requestWebGPUBackend(navigator.gpu);
    await measureKernels(backend, {
      filter,
      onProbe: (label) => events.probe(label),
      onCeilings: (ceilings) => events.ceilings(ceilings),
      onRow: (row) => events.row(row),
    });
    await backend.dispose();
  },
};

export default bench;
