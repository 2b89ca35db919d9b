/**
 * A plan on a backend with values for its inputs, whatever the backend: buffers are made, filled, read and freed here.
 */

import type { Backend } from '../../src/backend/backend.ts';
import { toDeviceBits } from '../../src/backend/host-data.ts';
import { type Plan, SCALAR_STRIDE } from '../../src/compile/plan.ts';
import type { CpuData, DType, TypedArray } from '../../src/core/dtype.ts';
import type { GraphSpec } from '../../src/core/graph.ts';
import type { Bindings } from './evaluate.ts';

export interface RunResult {
  /** In the order of the spec. */
  readonly outputs: readonly ArrayLike<number>[];
  /** What the targets of the updates hold afterwards, in the order of the spec. */
  readonly updates: readonly ArrayLike<number>[];
}

/** Loads `plan`, runs it `runs` times, each from the same inputs, and gives what each run left. */
export async function runPlan(
  backend: Backend,
  plan: Plan,
  spec: GraphSpec,
  values: Bindings,
  runs = 1,
): Promise<RunResult[]> {
  const bound = spec.inputs.filter(({ kind }) => kind === 'bound');
  const data = bound.map(({ tensor }) => hostData(tensor.dtype, values.get(tensor)!.data));
  const buffers = bound.map(({ tensor, name }) => backend.createBuffer(Math.max(1, tensor.size), tensor.dtype, name));
  try {
    const program = await backend.load(plan, buffers);
    const results: RunResult[] = [];
    for (let run = 0; run < runs; run++) {
      buffers.forEach((buffer, k) => {
        backend.write(buffer, data[k]);
      });
      program.run(scalarBlock(spec, values));
      const outputs = plan.outputs.map((_, k) => program.read(k));
      const updates = spec.updates!.map(({ target }) => {
        const buffer = buffers[bound.findIndex(({ tensor }) => tensor === target)];
        return backend.read(buffer, target.dtype, 0, target.size);
      });
      results.push({ outputs: await Promise.all(outputs), updates: await Promise.all(updates) });
    }
    program.dispose();
    return results;
  } finally {
    for (const buffer of buffers) buffer.dispose();
  }
}

/** All bits of all results, to compare runs. */
export function bitsOf({ outputs, updates }: RunResult): number[][] {
  return [...outputs, ...updates].map((values) => [...toDeviceBits(values as TypedArray)]);
}

/** Whether two results have the same bits: for long ones, which `toEqual` walks slowly. */
export function sameBits(a: RunResult, b: RunResult): boolean {
  const bytes = ({ outputs, updates }: RunResult): Buffer[] =>
    [...outputs, ...updates].map((values) => {
      const bits = toDeviceBits(values as TypedArray);
      return Buffer.from(bits.buffer, bits.byteOffset, bits.byteLength);
    });
  const other = bytes(b);
  return bytes(a).every((part, k) => part.equals(other[k]));
}

function scalarBlock({ inputs }: GraphSpec, values: Bindings): Uint32Array {
  const scalars = inputs.filter(({ kind }) => kind === 'scalar');
  const words = new Uint32Array(scalars.length * SCALAR_STRIDE);
  scalars.forEach(({ tensor }, k) => {
    words.set(toDeviceBits(hostData(tensor.dtype, values.get(tensor)!.data)), k * SCALAR_STRIDE);
  });
  return words;
}

/** The array type that backends take for `dtype`. */
function hostData(dtype: DType, data: CpuData): TypedArray {
  switch (dtype) {
    case 'f32':
      return Float32Array.from(data);
    case 'i32':
      return Int32Array.from(data);
    case 'u32':
    case 'bool':
      return Uint32Array.from(data);
    default:
      return dtype satisfies never;
  }
}
