/**
 * Dispatch groups: which kernels share a dispatch, which do not and why, and that a joint kernel computes what its
 * parts do.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { groupKernels } from '../../src/compile/group-kernels.ts';
import type { EmittedKernel } from '../../src/compile/lower/emit.ts';
import { joinKernels } from '../../src/compile/lower/join-kernels.ts';
import { schedule } from '../../src/compile/schedule/schedule.ts';
import { DEFAULT_TARGET } from '../../src/compile/target.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { add, mul } from '../../src/ops/elementwise/binary.ts';
import { exp } from '../../src/ops/elementwise/unary.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { mean, sum } from '../../src/ops/reduction/reduce.ts';
import { fused, input, planned, type Roots, SOFTWARE_TARGET, specOf } from '../support/graphs.ts';
import { moduleOf, textOf } from '../support/kernels.ts';
import { bitsOf, runPlan } from '../support/run-plan.ts';

/** Labels of the dispatches without sizes, `matmul & matmul`. */
const dispatches = (roots: Roots) => planned(roots).dispatches.map(({ label }) => label.replace(/ \[[^\]]*\]/g, ''));

const reasons = (roots: Roots, maxStorageBuffersPerShaderStage = 8) => {
  const limits = { ...SOFTWARE_TARGET, maxStorageBuffersPerShaderStage };
  const graph = fused(roots, maxStorageBuffersPerShaderStage);
  return groupKernels(graph, schedule(graph), limits, true).reasons.join('\n');
};

/** Both gradients of y = x·w, given dy, and the sum of a long vector: two products and a fold in two stages. */
function backward(): Roots {
  const [x, w] = [input('x', [64, 40]), input('w', [40, 24])];
  const dy = exp(matmul(x, w));
  return {
    outputs: [matmul(dy, w, { transposeB: true }), matmul(x, dy, { transposeA: true }), sum(exp(input('z', [9000])))],
  };
}

describe('one dispatch', () => {
  test('both gradients of a layer, and the stages of a sum', () => {
    expect(dispatches(backward())).toEqual(['matmul+exp & exp+sum (partials)', 'matmul & matmul & exp+sum (merge)']);
  });

  test('the second stage of one sum and the first stage of another', () => {
    const total = sum(input('x', [9000]));
    const next = sum(mul(input('y', [9000]), exp(mean(input('w', [8, 8])))));
    expect(dispatches({ outputs: [add(total, 1), next] })).toEqual([
      'sum+add (partials) & mean+exp',
      'sum+add (merge) & mul+sum (partials)',
      'mul+sum (merge)',
    ]);
  });
});

describe('apart, with a reason', () => {
  const [x, w] = [input('x', [64, 40]), input('w', [40, 24])];
  const dy = exp(matmul(x, w));

  test('more buffers than a kernel may bind', () => {
    const roots = { outputs: [matmul(dy, w, { transposeB: true }), matmul(x, dy, { transposeA: true })] };
    expect(reasons(roots)).toBe('');
    expect(reasons(roots, 4)).toBe('matmul & matmul: 5 storage buffers, 4 allowed');
  });

  test('a large result that is read much later', () => {
    const early = matmul(input('a', [300, 40]), input('b', [40, 40]));
    let late = early;
    for (let k = 0; k < 12; k++) late = matmul(late, input(`w${k}`, [40, 40]));
    const side = matmul(early, input('side', [40, 40]));
    const roots = (read: Tensor) => ({ outputs: [mul(late, read)] });
    expect(reasons(roots(side))).toContain('its result would wait in memory');
    // What is small may wait.
    expect(dispatches(roots(sum(matmul(input('c', [8, 300]), early))))[1]).toMatch(/^matmul & matmul/);
  });

  test('products whose workgroups are of other sizes, and those alone', () => {
    // With subgroups of 16, a product of many columns takes one of them for a workgroup, a product of one column 8
    // lanes.
    const limits = { ...SOFTWARE_TARGET, subgroupSize: 16 };
    const product = (name: string, columns: number) =>
      matmul(input(`${name}, rows`, [64, 40]), input(`${name}, columns`, [40, columns]));
    const roots = { outputs: [product('a', 24), product('b', 1), product('c', 24)] };
    const graph = fused(roots);
    expect(groupKernels(graph, schedule(graph), limits, true).reasons).toEqual([
      'matmul & matmul: workgroups of 16 and 8',
    ]);
    const { kernels, dispatches: planned3 } = planned(roots, {}, limits);
    expect(planned3.map(({ label, kernel }) => [label.split(' & ').length, kernels[kernel].workgroupSize])).toEqual([
      [2, 16],
      [1, 8],
    ]);
  });
});

describe('a joint kernel', () => {
  const part = (name: string, wgsl: string, buffers: readonly number[]): EmittedKernel => ({
    module: moduleOf(`@group(0) @binding(0) var<uniform> params: array<vec4<u32>, 1>;
${buffers.map((_, k) => `@group(0) @binding(${k + 1}) var<storage, read_write> b${k}: array<f32>;`).join('\n')}
fn library(x: f32) -> f32 { return x + 1.0; } // of ${name}
${wgsl}
@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  b0[lane] = library(own(b${buffers.length - 1}[group.x])) + f32(params[0].x);
}`),
    access: buffers.map(() => 'read_write' as const),
    uniforms: [7, 0, 0, 0],
    buffers,
    workgroups: [3, 1, 1],
    workgroupSize: 8,
    scratch: [],
  });

  test('moves bindings and uniforms, renames what differs and keeps what is equal once', () => {
    const joined = joinKernels(
      [
        part('a', 'fn own(x: f32) -> f32 { return x; }', [4, 9]),
        part('b', 'fn own(x: f32) -> f32 { return -x; }', [9, 2]),
      ],
      DEFAULT_TARGET,
    ) as EmittedKernel;
    expect(joined.buffers).toEqual([4, 9, 2]);
    expect(joined.uniforms).toEqual([3, 3, 0, 0, 7, 0, 0, 0, 7, 0, 0, 0]);
    expect(joined.workgroups).toEqual([6, 1, 1]);
    expect(textOf(joined).match(/fn library\(/g)).toHaveLength(1);
    expect(textOf(joined)).toContain('fn own_1(x: f32) -> f32 {\n  return -x;\n}');
    expect(textOf(joined)).toContain('b1[lane] = library(own_1(b2[group.x])) + f32(params[2u].x);');
  });

  test('is refused with a reason', () => {
    const own = 'fn own(x: f32) -> f32 { return x; }';
    const [a, b] = [part('a', own, [1]), part('b', own, [2])];
    expect(joinKernels([a, { ...b, workgroupSize: 64 }], DEFAULT_TARGET)).toBe('workgroups of different sizes');
    expect(joinKernels([a, b], { ...DEFAULT_TARGET, maxStorageBuffersPerShaderStage: 1 })).toBe(
      '2 storage buffers, 1 allowed',
    );
    const asWords = { ...part('c', own, [1]), module: moduleOf(textOf(b).replace('array<f32>', 'array<u32>')) };
    expect(joinKernels([a, asWords], DEFAULT_TARGET)).toBe('one buffer is read as two types');
    expect(joinKernels([a, b], { ...DEFAULT_TARGET, maxComputeWorkgroupsPerDimension: 2 })).toBe('too many workgroups');
    const memory = (name: string) => part(name, `${own}\nvar<workgroup> tile: array<vec4<f32>, 600>;`, [1]);
    expect(joinKernels([memory('d'), memory('e')], DEFAULT_TARGET)).toBe('too much workgroup memory');
  });
});

describe('on the device', () => {
  let gpu: Backend;
  let cpu: Backend;
  beforeAll(async () => {
    [gpu, cpu] = [await createNodeWebGPUBackend(), createCpuBackend()];
  });
  afterAll(async () => {
    await gpu.dispose();
    await cpu.dispose();
  });

  test('dispatch groups give what the reference gives, and the same bits twice', async () => {
    const spec = specOf('test', backward());
    const values = new Map(
      spec.inputs.map(({ tensor }) => [
        tensor,
        { ...tensor, data: Float64Array.from({ length: tensor.size }, (_, i) => Math.sin(i + tensor.size) / 8) },
      ]),
    );
    const plan = planned(backward());
    const [first, again] = await runPlan(gpu, plan, spec, values, 2);
    const [reference] = await runPlan(cpu, plan, spec, values);
    expect(bitsOf(first)).toEqual(bitsOf(again));
    reference.outputs.forEach((expected, k) => {
      for (let i = 0; i < expected.length; i++) {
        expect(Math.abs(first.outputs[k][i] - expected[i])).toBeLessThan(1e-4 * (1 + Math.abs(expected[i])));
      }
    });
  });
});
