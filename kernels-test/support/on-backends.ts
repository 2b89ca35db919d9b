/** Test helper: the same tests on the CPU backend and on WebGPU, opened before and disposed of after them. */

import { afterAll, beforeAll, describe } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { setBackend } from '../../src/runtime/index.ts';

const BACKENDS = [
  ['cpu', async () => createCpuBackend()],
  ['webgpu', () => createNodeWebGPUBackend()],
] as const;

/** Describes `title on cpu` and `title on webgpu`, each with the tests that `define` defines. */
export function describeOnBackends(title: string, define: () => void): void {
  describe.each(BACKENDS)(`${title} on %s`, (_name, open) => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await open();
      setBackend(backend);
    });
    afterAll(async () => {
      setBackend(undefined);
      await backend.dispose();
    });
    define();
  });
}
