/**
 * Tensors without elements: computed ones have no memory and no kernel, and what reads them still runs. An empty batch
 * has gradients: zeros.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { tanh } from '../../src/ops/elementwise/activations.ts';
import { concat } from '../../src/ops/layout/concat.ts';
import { pad } from '../../src/ops/layout/slice.ts';
import { transpose } from '../../src/ops/layout/transpose.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { softmax } from '../../src/ops/reduction/softmax.ts';
import { evaluate, setBackend } from '../../src/runtime/index.ts';
import { gradients } from '../../src/transform/grad.ts';

const host = (shape: readonly number[], values: readonly number[]) =>
  Tensor.host({ shape, dtype: 'f32' }, Float32Array.from(values));
const nothing = () => host([0, 3], []);
const ones = () => host([3, 3], new Array(9).fill(1));

const backends: { name: string; make(): Promise<Backend>; backend?: Backend }[] = [
  { name: 'webgpu', make: () => createNodeWebGPUBackend() },
  { name: 'cpu', make: async () => createCpuBackend() },
];
beforeAll(async () => {
  for (const entry of backends) entry.backend = await entry.make();
});
afterAll(async () => {
  setBackend(undefined);
  for (const { backend } of backends) await backend?.dispose();
});

test.each(backends)('$name: graphs with empty tensors', async (entry) => {
  setBackend(entry.backend);
  const zeros = new Array(9).fill(0);
  const w = ones();
  const [dw] = gradients(sum(tanh(matmul(nothing(), w))), [w]);
  const results: [Tensor, readonly number[]][] = [
    [matmul(transpose(nothing()), nothing()), zeros],
    [concat([softmax(nothing()), ones()], { axis: 0 }), new Array(9).fill(1)],
    [
      pad(softmax(nothing()), [
        [1, 1],
        [0, 0],
      ]),
      new Array(6).fill(0),
    ],
    [sum(transpose(nothing()), { axes: [1] }), [0, 0, 0]],
    [dw, zeros],
    [softmax(nothing()), []],
  ];
  await evaluate(results.map(([tensor]) => tensor));
  for (const [tensor, expected] of results) expect([...(await tensor.data())]).toEqual(expected);
});
