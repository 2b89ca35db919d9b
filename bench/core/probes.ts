/**
 * Plans written by hand for the ceilings: no compiler and no op takes part, only the backend that runs them. Each
 * kernel writes something that depends on all its work, so that no driver can drop it.
 */

import type { Plan, PlanBuffer } from '../../src/compile/plan.ts';
import { type Op, opKey } from '../../src/core/op.ts';
import { parseModule } from '../../src/kernel/parse.ts';

export interface Probe {
  readonly plan: Plan;
  readonly flops: number;
}

interface ProbeKernel {
  readonly name: string;
  readonly wgsl: string;
  /** Elements of the inputs, then of the output. */
  readonly elements: readonly number[];
  readonly workgroupSize: number;
  readonly workgroups: readonly [number, number, number];
  readonly flops: number;
}

/** What a memory probe does: reads and writes, writes only, reads only. */
export type MemoryProbe = 'copy' | 'fill' | 'read';

const BODIES = {
  copy: { element: 'y[i] = x[i];', end: '' },
  fill: { element: 'y[i] = vec4f(f32(k));', end: '' },
  read: { element: 'sum += x[i];', end: 'y[t] = sum;' },
} as const;

/**
 * `vectors` times four elements, `each` vectors a thread: one after the other as a CPU likes them, or `strided`, so
 * that neighbouring threads touch neighbouring vectors, as a GPU does.
 */
export function memoryProbe(kind: MemoryProbe, vectors: number, each: number, strided: boolean): Plan {
  const threads = vectors / each;
  const across = Math.min(threads / 64, 32768);
  const { element, end } = BODIES[kind];
  const input = kind === 'fill' ? [] : ['var<storage, read> x: array<vec4f>;'];
  const bindings = [...input, 'var<storage, read_write> y: array<vec4f>;'];
  return probe({
    name: `${kind} of ${(vectors * 16) >> 20} MiB, ${each} vectors a thread${strided ? ', strided' : ''}`,
    elements: [...input.map(() => vectors * 4), 4 * (kind === 'read' ? threads : vectors)],
    workgroupSize: 64,
    workgroups: [across, Math.ceil(threads / 64 / across), 1],
    flops: 0,
    wgsl: `${bindings.map((text, k) => `@group(0) @binding(${k + 1}) ${text}`).join('\n')}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let t = id.y * ${across * 64}u + id.x;
  var sum = vec4f();
  if (t < ${threads}u) {
    for (var k = 0u; k < ${each}u; k++) {
      let i = ${strided ? `k * ${threads}u + t` : `t * ${each}u + k`};
      ${element}
    }
    ${end}
  }
}`,
  }).plan;
}

/** Two vec4 chains fill the registers of a CPU with 8 lanes without spilling; a GPU hides the rest by its threads. */
const CHAINS = 2;
const ROUNDS = 512;
const THREADS = 65536;

/** Chains of multiply-adds on vec4 registers, independent of each other. */
export function multiplyAddProbe(): Probe {
  const names = Array.from({ length: CHAINS }, (_, k) => `v${k}`);
  return probe({
    name: 'multiply-add in registers',
    elements: [4, THREADS * 4],
    workgroupSize: 64,
    workgroups: [THREADS / 64, 1, 1],
    flops: 2 * 4 * CHAINS * ROUNDS * THREADS,
    wgsl: `@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = x[0];
  let b = vec4f(f32(id.x));
  ${names.map((name, k) => `var ${name} = b + ${k}.0;`).join(' ')}
  for (var r = 0u; r < ${ROUNDS}u; r++) {
    ${names.map((name) => `${name} = fma(${name}, a, b);`).join(' ')}
  }
  y[id.x] = ${names.join(' + ')};
}`,
  });
}

/** C = A · B, n × n, `rows` × `columns` results a thread in registers, no workgroup memory. */
export function tiledProductProbe(n: number, rows: number, columns: number): Probe {
  const vectors = columns / 4;
  const each = (count: number, text: (k: number) => string): string =>
    Array.from({ length: count }, (_, k) => text(k)).join('\n    ');
  const pairs = (text: (r: number, c: number) => string): string => each(rows, (r) => each(vectors, (c) => text(r, c)));
  return probe({
    name: `product ${n}³, ${rows}×${columns} a thread`,
    elements: [n * n, n * n, n * n],
    workgroupSize: 64,
    workgroups: [n / columns / 8, n / rows / 8, 1],
    flops: 2 * n ** 3,
    wgsl: `@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) at: u32) {
  let row = (group.y * 8u + at / 8u) * ${rows}u;
  let column = (group.x * 8u + at % 8u) * ${vectors}u;
  ${pairs((r, c) => `var s${r}_${c} = vec4f();`)}
  for (var k = 0u; k < ${n}u; k++) {
    ${each(vectors, (c) => `let b${c} = b[k * ${n / 4}u + column + ${c}u];`)}
    ${each(rows, (r) => `let a${r} = a[(row + ${r}u) * ${n}u + k];`)}
    ${pairs((r, c) => `s${r}_${c} = fma(vec4f(a${r}), b${c}, s${r}_${c});`)}
  }
  ${pairs((r, c) => `y[(row + ${r}u) * ${n / 4}u + column + ${c}u] = s${r}_${c};`)}
}`,
  });
}

function probe({ name, wgsl, elements, workgroupSize, workgroups, flops }: ProbeKernel): Probe {
  const last = elements.length - 1;
  const buffers: PlanBuffer[] = elements.map((count, id) => ({
    id,
    role: id === last ? 'output' : 'bound',
    bytes: 4 * count,
    label: id === last ? 'y' : `x${id}`,
  }));
  const placed = (buffer: number) =>
    ({ buffer, offset: 0, shape: [elements[buffer]], dtype: 'f32', name: buffers[buffer].label }) as const;
  const bound = buffers.slice(0, last);
  // Says what is written; no backend computes it.
  const op = opKey({ name } as unknown as Op);
  const written = { op, attrs: {}, inputs: [], shape: [elements[last]], dtype: 'f32', output: placed(last) } as const;
  return {
    flops,
    plan: {
      name,
      buffers,
      inputs: bound.map(({ id }) => ({ ...placed(id), kind: 'bound', updated: false })),
      outputs: [placed(last)],
      kernels: [
        {
          id: 0,
          label: name,
          module: parseModule(wgsl, name),
          access: buffers.map(({ role }) => (role === 'output' ? 'read_write' : 'read')),
          uniformWords: 0,
          workgroupSize,
        },
      ],
      dispatches: [
        {
          label: name,
          kernel: 0,
          uniforms: [],
          buffers: buffers.map(({ id }) => id),
          workgroups,
          reference: [written],
          flops,
          bytes: 4 * elements.reduce((sum, count) => sum + count),
        },
      ],
      planBytes: 4 * elements[last],
      boundBytes: bound.reduce((sum, buffer) => sum + buffer.bytes, 0),
    },
  };
}
