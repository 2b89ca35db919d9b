/**
 * The self-test of every op in this browser, with its own WGSL compiler, on a backend of the library's: two modules built
 * apart, as in a page of a user's. Sizes at which kernels change their form are tested in Node (kernels-test/conformance).
 */

import { allOps, type Backend } from '../../../src/index.ts';
import { selfTest } from '../../../src/self-test.ts';
import { type Check, expect } from './check.ts';

export async function checkOps(check: Check, backend: Backend): Promise<void> {
  for (const { name } of allOps) {
    await check(`${name}: WebGPU = CPU in f64, forward and backward, two runs bit-equal`, async () => {
      const { pass, ops, backend: kind } = await selfTest(backend, { ops: [name] });
      const [{ message, samples, gradients, worstError, tolerance, worstGradientError }] = ops;
      expect(pass, message);
      expect(kind === 'webgpu' && samples > 0, `${samples} samples on ${kind}`);
      const forward = `${samples} samples, largest error ${worstError?.toPrecision(2)} of ${tolerance}`;
      return gradients === 0 ? forward : `${forward}; ${gradients} gradients, ${worstGradientError?.toPrecision(2)}`;
    });
  }
}
