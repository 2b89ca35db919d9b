/**
 * Small plans written by hand: what the backends are tested with, apart from any compiler. Each comes with WGSL and with
 * reference steps, so that every backend can run it.
 */

import type { Dispatch, Plan, PlanBuffer, PlanInput, PlanKernel, PlanOutput } from '../../src/compile/plan.ts';
import { SCALAR_STRIDE } from '../../src/compile/plan.ts';
import type { CpuTensor, Op } from '../../src/core/op.ts';
import { moduleOf } from '../support/kernels.ts';

/** A plan without what follows from the rest. */
export interface PlanParts {
  readonly name: string;
  readonly buffers: readonly Omit<PlanBuffer, 'id'>[];
  readonly inputs?: readonly PlanInput[];
  readonly outputs: readonly PlanOutput[];
  readonly kernels: readonly Omit<PlanKernel, 'id'>[];
  readonly dispatches: readonly Dispatch[];
}

/** The plan of `parts`: ids are places, bytes are summed. */
export function planOf(parts: PlanParts): Plan {
  const bytes = (bound: boolean) =>
    parts.buffers.reduce((sum, b) => sum + ((b.role === 'bound') === bound ? b.elements * 4 : 0), 0);
  return {
    ...parts,
    inputs: parts.inputs ?? [],
    buffers: parts.buffers.map((buffer, id) => ({ ...buffer, id })),
    kernels: parts.kernels.map((kernel, id) => ({ ...kernel, id })),
    planBytes: bytes(false),
    boundBytes: bytes(true),
  };
}

/** An op that has only a name and a reference: all that backends look at. */
export function referenceOp(name: string, cpu: (inputs: readonly CpuTensor[], output: CpuTensor) => void): Op {
  return { name, cpu } as unknown as Op;
}

/** The bits of `value` as a f32. */
export function floatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0];
}

/** A scalar block with one f32 in each slot. */
export function scalarWords(...values: number[]): Uint32Array {
  const words = new Uint32Array(values.length * SCALAR_STRIDE);
  values.forEach((value, k) => {
    words[k * SCALAR_STRIDE] = floatBits(value);
  });
  return words;
}

const elementwise = (name: string, f: (...values: number[]) => number): Op =>
  referenceOp(name, (inputs, output) => {
    for (let i = 0; i < output.data.length; i++) {
      output.data[i] = f(...inputs.map(({ data }) => data[data.length === 1 ? 0 : i]));
    }
  });

const scale = elementwise('scale', (x, s) => x * s);
const addOne = elementwise('addOne', (x) => x + 1);
const square = elementwise('square', (x) => x * x);
const descend = elementwise('descend', (p, g, rate) => p - rate * g);
const isPositive = elementwise('isPositive', (x) => (x > 0 ? 1 : 0));
const sum = referenceOp('sum', ([x], output) => {
  for (const value of x.data) output.data[0] += value;
});

/** `y = x · s`, s a scalar; the grid is folded into `rows` rows along y. */
export function scalePlan(n: number, rows = 1): Plan {
  const perRow = Math.ceil(n / 64 / rows);
  const x = { buffer: 0, offset: 0, shape: [n], dtype: 'f32' } as const;
  const s = { buffer: 1, offset: 0, shape: [], dtype: 'f32' } as const;
  const y = { buffer: 2, offset: 0, shape: [n], dtype: 'f32' } as const;
  return planOf({
    name: 'scale',
    buffers: [
      { role: 'bound', elements: n, label: 'x' },
      { role: 'scalars', elements: SCALAR_STRIDE, label: 'scalars' },
      { role: 'output', elements: n, label: 'y' },
    ],
    inputs: [
      { ...x, name: 'x', kind: 'bound', updated: false },
      { ...s, name: 's', kind: 'scalar', updated: false },
    ],
    outputs: [{ ...y, name: 'y' }],
    kernels: [
      {
        label: 'scale',
        access: ['read', 'read', 'read_write'],
        uniformWords: 4,
        workgroupSize: 64,
        module: moduleOf(`struct Block { count: u32, row: u32, a: u32, b: u32 }
@group(0) @binding(0) var<uniform> block: Block;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> scalars: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * block.row + id.x;
  if (i < block.count) { y[i] = x[i] * scalars[0]; }
}`),
      },
    ],
    dispatches: [
      {
        label: 'scale',
        kernel: 0,
        uniforms: [n, perRow * 64, 0, 0],
        buffers: [0, 1, 2],
        workgroups: [perRow, rows, 1],
        reference: [{ op: scale, attrs: {}, inputs: [x, s], shape: [n], dtype: 'f32', output: y }],
        flops: n,
        bytes: 4 * (2 * n + 1),
      },
    ],
  });
}

const UNARY = (expression: string): string => `@group(0) @binding(0) var<uniform> count: vec4u;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < count.x) { let v = x[id.x]; y[id.x] = ${expression}; }
}`;

/**
 * A step of descent on ½Σp²: loss = Σp² through a temporary, then p ← p − rate · p in place, where the gradient and the
 * parameter are the same memory. Outputs: the loss before the step, and a bool for each p > 0 before it.
 */
export function descentPlan(n: number): Plan {
  const p = { buffer: 0, offset: 0, shape: [n], dtype: 'f32' } as const;
  const rate = { buffer: 1, offset: 0, shape: [], dtype: 'f32' } as const;
  const squared = { buffer: 2, offset: 0, shape: [n], dtype: 'f32' } as const;
  const loss = { buffer: 3, offset: 0, shape: [], dtype: 'f32' } as const;
  const positive = { buffer: 4, offset: 0, shape: [n], dtype: 'bool' } as const;
  const unary = { access: ['read', 'read_write'], uniformWords: 4, workgroupSize: 64 } as const;
  const groups = [Math.ceil(n / 64), 1, 1] as const;
  return planOf({
    name: 'descent',
    buffers: [
      { role: 'bound', elements: n, label: 'p' },
      { role: 'scalars', elements: SCALAR_STRIDE, label: 'scalars' },
      { role: 'temporary', elements: n, label: 'squared' },
      { role: 'output', elements: 1, label: 'loss' },
      { role: 'output', elements: n, label: 'positive' },
    ],
    inputs: [
      { ...p, name: 'p', kind: 'bound', updated: true },
      { ...rate, name: 'rate', kind: 'scalar', updated: false },
    ],
    outputs: [
      { ...loss, name: 'loss' },
      { ...positive, name: 'positive' },
    ],
    kernels: [
      { ...unary, label: 'square', module: moduleOf(UNARY('v * v')) },
      {
        label: 'sum',
        access: ['read', 'read_write'],
        uniformWords: 4,
        workgroupSize: 1,
        module: moduleOf(`@group(0) @binding(0) var<uniform> count: vec4u;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn main() {
  var total = 0.0;
  for (var i = 0u; i < count.x; i++) { total += x[i]; }
  y[0] = total;
}`),
      },
      {
        ...unary,
        label: 'isPositive',
        module: moduleOf(
          UNARY('select(0u, 1u, v > 0.0)').replace('read_write> y: array<f32>', 'read_write> y: array<u32>'),
        ),
      },
      {
        label: 'descend',
        access: ['read_write', 'read'],
        uniformWords: 4,
        workgroupSize: 64,
        module: moduleOf(`@group(0) @binding(0) var<uniform> count: vec4u;
@group(0) @binding(1) var<storage, read_write> p: array<f32>;
@group(0) @binding(2) var<storage, read> scalars: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < count.x) { p[id.x] = p[id.x] - scalars[0] * p[id.x]; }
}`),
      },
    ],
    dispatches: [
      {
        label: 'square',
        kernel: 0,
        uniforms: [n, 0, 0, 0],
        buffers: [0, 2],
        workgroups: groups,
        reference: [{ op: square, attrs: {}, inputs: [p], shape: [n], dtype: 'f32', output: squared }],
        flops: n,
        bytes: 8 * n,
      },
      {
        label: 'sum',
        kernel: 1,
        uniforms: [n, 0, 0, 0],
        buffers: [2, 3],
        workgroups: [1, 1, 1],
        reference: [{ op: sum, attrs: {}, inputs: [squared], shape: [], dtype: 'f32', output: loss }],
        flops: n,
        bytes: 4 * (n + 1),
      },
      {
        label: 'isPositive',
        kernel: 2,
        uniforms: [n, 0, 0, 0],
        buffers: [0, 4],
        workgroups: groups,
        reference: [{ op: isPositive, attrs: {}, inputs: [p], shape: [n], dtype: 'bool', output: positive }],
        flops: n,
        bytes: 8 * n,
      },
      {
        label: 'descend',
        kernel: 3,
        uniforms: [n, 0, 0, 0],
        buffers: [0, 1],
        workgroups: groups,
        reference: [{ op: descend, attrs: {}, inputs: [p, p, rate], shape: [n], dtype: 'f32', output: p }],
        flops: 2 * n,
        bytes: 4 * (2 * n + 1),
      },
    ],
  });
}

/**
 * `y = ((c + 1) + 1)²` for a constant c, with two temporaries in one buffer: the second is written over the first.
 * The first dispatch has two reference steps, of which the first has no place.
 */
export function reusePlan(values: readonly number[]): Plan {
  const n = values.length;
  const c = { buffer: 0, offset: 0, shape: [n], dtype: 'f32' } as const;
  const t = { buffer: 1, offset: 0, shape: [n], dtype: 'f32' } as const;
  const y = { buffer: 2, offset: 0, shape: [n], dtype: 'f32' } as const;
  return planOf({
    name: 'reuse',
    buffers: [
      { role: 'constant', elements: n, label: 'c', data: Float32Array.from(values) },
      { role: 'temporary', elements: n, label: 't' },
      { role: 'output', elements: n, label: 'y' },
    ],
    outputs: [{ ...y, name: 'y' }],
    kernels: [
      {
        label: 'addTwo',
        access: ['read', 'read_write'],
        uniformWords: 4,
        workgroupSize: 64,
        module: moduleOf(UNARY('v + 2.0')),
      },
      {
        label: 'squareInPlace',
        access: ['read_write'],
        uniformWords: 4,
        workgroupSize: 64,
        module: moduleOf(`@group(0) @binding(0) var<uniform> count: vec4u;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < count.x) { x[id.x] = x[id.x] * x[id.x]; }
}`),
      },
      {
        label: 'copy',
        access: ['read', 'read_write'],
        uniformWords: 4,
        workgroupSize: 64,
        module: moduleOf(UNARY('v')),
      },
    ],
    dispatches: [
      {
        label: 'addTwo',
        kernel: 0,
        uniforms: [n, 0, 0, 0],
        buffers: [0, 1],
        workgroups: [Math.ceil(n / 64), 1, 1],
        reference: [
          { op: addOne, attrs: {}, inputs: [c], shape: [n], dtype: 'f32' },
          { op: addOne, attrs: {}, inputs: [{ step: 0 }], shape: [n], dtype: 'f32', output: t },
        ],
        flops: n,
        bytes: 8 * n,
      },
      {
        label: 'squareInPlace',
        kernel: 1,
        uniforms: [n, 0, 0, 0],
        buffers: [1],
        workgroups: [Math.ceil(n / 64), 1, 1],
        reference: [{ op: square, attrs: {}, inputs: [t], shape: [n], dtype: 'f32', output: t }],
        flops: n,
        bytes: 8 * n,
      },
      {
        label: 'copy',
        kernel: 2,
        uniforms: [n, 0, 0, 0],
        buffers: [1, 2],
        workgroups: [Math.ceil(n / 64), 1, 1],
        reference: [{ op: elementwise('copy', (x) => x), attrs: {}, inputs: [t], shape: [n], dtype: 'f32', output: y }],
        flops: 0,
        bytes: 8 * n,
      },
    ],
  });
}
