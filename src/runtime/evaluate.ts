/**
 * Evaluation of lazy tensors: the same way as everything else — graph, plan, program, run — with a cache of plans by
 * the structure of the graph. There is no second executor.
 */

import type { Backend, BackendBuffer } from '../backend/backend.ts';
import { compileGraph } from '../compile/index.ts';
import { type DType, deviceBytes, storageType, type TypedArray } from '../core/dtype.ts';
import { buildGraph, type GraphInput, topologicalOrder } from '../core/graph.ts';
import { installRuntime, type Tensor } from '../core/tensor.ts';
import { DownhillError } from '../util/errors.ts';
import { getBackend } from './current-backend.ts';
import { PlanCache } from './plan-cache.ts';
import { noteReading } from './readings.ts';
import { assertNotDisposed, settle, storageOf } from './storage.ts';

/** Plans of graphs that were evaluated before. */
const plans = new WeakMap<Backend, PlanCache>();
const PLAN_CACHE_SIZE = 256;

/** The elements of `tensor`, computed if need be. f64 backends give f32 values rounded to f32. */
export async function readTensor(tensor: Tensor): Promise<TypedArray> {
  const { leaf } = tensor;
  assertNotDisposed('data', tensor);
  if (leaf?.kind === 'placeholder') {
    throw new DownhillError('state', `data: ${tensor} is a placeholder inside a traced function; it has no value yet`);
  }
  if (leaf?.kind === 'host') return leaf.data.slice();
  const backend = getBackend();
  await evaluate([tensor]);
  const { buffer } = storageOf(tensor, backend);
  return asTypedArray(await backend.read(buffer, tensor.dtype, 0, tensor.size), tensor.dtype);
}

/**
 * Computes the tensors that are not yet computed, in one program; their values are kept, and gradients see through them
 * as before, with the limits that `Tensor.data` states.
 */
export async function evaluate(tensors: readonly Tensor[]): Promise<void> {
  for (const tensor of tensors) assertNotDisposed('evaluate', tensor);
  const wanted = [...new Set(tensors)].filter((tensor) => tensor.op !== null);
  if (wanted.length === 0) return;
  const backend = getBackend();
  const temporary: BackendBuffer[] = [];
  const inputs: GraphInput[] = [];
  const bound: BackendBuffer[] = [];
  for (const leaf of topologicalOrder(wanted)) {
    if (leaf.op !== null) continue;
    if (leaf.leaf?.kind === 'placeholder') {
      throw new DownhillError('state', `data: ${leaf} is a placeholder inside a traced function; it has no value yet`);
    }
    assertNotDisposed('data', leaf);
    inputs.push({ name: `input${inputs.length}`, kind: 'bound', tensor: leaf });
    if (leaf.leaf?.kind === 'host') {
      const buffer = upload(backend, leaf.leaf.data, leaf.dtype);
      temporary.push(buffer);
      bound.push(buffer);
    } else {
      bound.push(storageOf(leaf, backend).buffer);
    }
  }
  const outputs = wanted.map((tensor, k) => ({ name: `output${k}`, tensor }));
  const spec = { name: 'evaluate', inputs, outputs };
  try {
    const plan = planCache(backend).get(buildGraph(spec), () => compileGraph(spec, backend.target));
    const program = await backend.load(plan, bound);
    try {
      program.run(new Uint32Array(0));
      wanted.forEach((tensor, k) => {
        const kept = backend.createBuffer(tensor.size, tensor.dtype, tensor.label ?? 'tensor');
        backend.copy(program.outputs[k], 0, kept, 0, tensor.size);
        settle(tensor, backend, kept);
      });
      noteReading(
        wanted,
        inputs.map(({ tensor }) => tensor),
      );
      await backend.finish();
      await breathe(wanted.reduce((bytes, { dtype, size }) => bytes + deviceBytes(dtype, size), 0));
    } finally {
      program.dispose();
    }
  } finally {
    for (const buffer of temporary) buffer.dispose();
  }
}

/** Bytes of results after which the event loop gets a turn. */
const BREATH = 2 ** 23;
let sinceBreath = 0;

/**
 * Lets the event loop turn once in a while. On the CPU everything resolves at once, so a loop of readings would never
 * reach the turn in which the memory of collected tensors is given back.
 */
async function breathe(bytes: number): Promise<void> {
  sinceBreath += bytes;
  if (sinceBreath < BREATH) return;
  sinceBreath = 0;
  await new Promise((resolve) => setTimeout(resolve, 0));
}

/** A buffer that holds `data`. */
export function upload(backend: Backend, data: TypedArray, dtype: DType): BackendBuffer {
  const buffer = backend.createBuffer(Math.max(1, data.length), dtype, 'upload');
  backend.write(buffer, storageType(dtype) === 'u32' && data instanceof Uint8Array ? Uint32Array.from(data) : data);
  return buffer;
}

function planCache(backend: Backend): PlanCache {
  const cache = plans.get(backend) ?? new PlanCache(PLAN_CACHE_SIZE);
  plans.set(backend, cache);
  return cache;
}

function asTypedArray(data: TypedArray | Float64Array, dtype: DType): TypedArray {
  if (data instanceof Float64Array) return Float32Array.from(data);
  return dtype === 'bool' && !(data instanceof Uint8Array) ? Uint8Array.from(data) : data;
}

installRuntime({ data: readTensor });
