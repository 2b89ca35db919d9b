/** The self-test in a worker. */

import { allOps, type Backend, createCpuBackend, requestWebGPUBackend } from '../../src/index.ts';
import { selfTest } from '../../src/self-test.ts';
import type { Tester } from './tester.ts';

let backend: Backend | undefined;

const tester: Tester = {
  async open(cpu) {
    backend ??= cpu ? createCpuBackend({ precision: 'f32' }) : await requestWebGPUBackend(navigator.gpu);
    return { adapter: backend.description, ops: allOps.map(({ name }) => name) };
  },
  run(ops, seed, onProgress) {
    if (backend === undefined) throw new Error('open comes before run');
    return selfTest(backend, { ops, seed, onProgress });
  },
};

export default tester;
