/** The hand-written kernels that measure a machine's ceilings: of the subset of WGSL that plans hold, and right. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryProbe, multiplyAddProbe, tiledProductProbe } from '../../bench/core/probes.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import type { Plan } from '../../src/compile/plan.ts';
import { verifyPlan } from '../../src/compile/verify-plan.ts';
import { checkModule } from '../../src/kernel/check.ts';

const plans: Readonly<Record<string, Plan>> = {
  'fill in order': memoryProbe('fill', 1 << 16, 8, false),
  'read, strided': memoryProbe('read', 1 << 16, 8, true),
  'copy in order': memoryProbe('copy', 1 << 16, 8, false),
  'multiply-add': multiplyAddProbe().plan,
  'product 4 × 4': tiledProductProbe(64, 4, 4).plan,
  'product 4 × 8': tiledProductProbe(64, 4, 8).plan,
  'product 8 × 8': tiledProductProbe(64, 8, 8).plan,
};

test.each(Object.entries(plans))('%s is a sound plan of typed kernels', (name, plan) => {
  verifyPlan(plan);
  for (const { module } of plan.kernels) expect(checkModule(module, name).declarations.length).toBeGreaterThan(1);
});

describe('on the device', () => {
  let device: Backend;
  beforeAll(async () => {
    device = await createNodeWebGPUBackend();
  });
  afterAll(() => device.dispose());

  test.each([4, 8])('the product with %i columns a thread is the product', async (columns) => {
    const n = 64;
    const { plan } = tiledProductProbe(n, 4, columns);
    const [a, b] = [1, 2].map((seed) =>
      Float32Array.from({ length: n * n }, (_, k) => ((k * seed + (k >> 6)) % 7) - 3),
    );
    const buffers = [a, b].map((values) => {
      const buffer = device.createBuffer(n * n, 'f32', 'operand');
      device.write(buffer, values);
      return buffer;
    });
    const program = await device.load(plan, buffers);
    program.run(new Uint32Array(0));
    const y = (await device.read(program.outputs[0], 'f32', 0, n * n)) as Float32Array;
    const expected = Float32Array.from(y, (_, at) => {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[(at >> 6) * n + k] * b[k * n + (at & 63)];
      return sum;
    });
    expect(y).toEqual(expected);
    program.dispose();
    for (const buffer of buffers) buffer.dispose();
  });
});
