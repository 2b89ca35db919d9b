/** Kernels are joined side by side only where one workgroup fits all of them. */

import { expect, test } from 'vitest';
import type { EmittedKernel } from '../../src/compile/lower/emit.ts';
import { joinKernels } from '../../src/compile/lower/join-kernels.ts';
import { withUniformCopies } from '../../src/compile/lower/uniforms.ts';
import { DEFAULT_TARGET, SOFTWARE_TARGET } from '../../src/compile/target.ts';
import { printModule } from '../../src/kernel/print.ts';
import { moduleOf, textOf } from '../support/kernels.ts';

function kernel(workgroupSize: number, buffer: number): EmittedKernel {
  return {
    module: moduleOf(`@group(0) @binding(0) var<uniform> params: array<vec4<u32>, 1>;
@group(0) @binding(1) var<storage, read_write> b0: array<f32>;
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(workgroup_id) group: vec3<u32>) {
  b0[group.x] = f32(params[0].x);
}`),
    access: ['read_write'],
    uniforms: [1, 0, 0, 0],
    buffers: [buffer],
    workgroups: [1, 1, 1],
    workgroupSize,
    scratch: [],
  };
}

test.each([[[64, 128]], [[256, 64]], [[64, 64, 32]]] as const)(
  'workgroups of %j invocations are kept apart',
  (sizes) => {
    const kernels = sizes.map((size, k) => kernel(size, k));
    expect(joinKernels(kernels, DEFAULT_TARGET)).toBe('workgroups of different sizes');
  },
);

test('workgroups of one size are joined', () => {
  const joined = joinKernels([kernel(64, 0), kernel(64, 1)], DEFAULT_TARGET) as EmittedKernel;
  expect(joined).toMatchObject({ workgroupSize: 64, workgroups: [2, 1, 1], buffers: [0, 1] });
  expect(textOf(joined)).toContain('@workgroup_size(64)');
});

test('on software adapters each part reads its own copies of the uniforms', () => {
  const part = (buffer: number): EmittedKernel => ({
    ...kernel(64, buffer),
    module: moduleOf(`@group(0) @binding(0) var<uniform> params: array<vec4<u32>, 1>;
@group(0) @binding(1) var<storage, read_write> b0: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>) { b0[group.x] = f32(params_0.x); }`),
  });
  const joined = joinKernels([part(0), part(1)], SOFTWARE_TARGET) as EmittedKernel;
  const text = printModule(withUniformCopies(joined.module));
  expect(joined.uniforms).toEqual([1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
  for (const line of ['b0[group.x] = f32(params_1.x);', 'b1[group.x] = f32(params_2.x);', 'params_2 = params[2];']) {
    expect(text).toContain(line);
  }
  expect(text).toContain('if (tile < first + params_0.x) {');
});
