/**
 * compile(fn): traces a function of tensors once per set of input shapes and replays it as one program: one submit a
 * call. For training loops that people write themselves.
 *
 * Inputs are copied into buffers of the program and outputs out of it, so callers keep ownership of both.
 */

import type { Backend, BackendBuffer, Program } from '../backend/backend.ts';
import { compileGraph } from '../compile/index.ts';
import { type GraphInput, topologicalOrder } from '../core/graph.ts';
import { describe, Tensor } from '../core/tensor.ts';
import { DownhillError } from '../util/errors.ts';
import { type FlatTree, flattenTree, type Tree } from '../util/tree.ts';
import { getBackend } from './current-backend.ts';
import { evaluate } from './evaluate.ts';
import { assertNotDisposed, ownedTensor, storageOf } from './storage.ts';

interface Loaded {
  readonly program: Program;
  readonly inputs: readonly BackendBuffer[];
  readonly outputs: FlatTree<Tensor>;
  /** Computed tensors that the function closes over; the program reads their memory. */
  readonly captured: readonly Tensor[];
}

/** What `compile` returns: call it with tensors; the promise gives the same tree as `fn`, computed. */
export interface CompiledFunction<A extends readonly Tensor[], R extends Tree<Tensor>> {
  (...args: A): Promise<R>;
  /** Frees the programs and their buffers; tensors that were returned stay. */
  dispose(): void;
}

/**
 * Compiles `fn`, which must be a pure function of tensors that returns a tensor, an array or a record of tensors. It
 * runs once on placeholders for each combination of argument shapes and dtypes; values that it closes over become part
 * of the program as they are at that time.
 * @throws DownhillError `argument` when an argument or a result is not a tensor, `state` when one of them or of the
 * tensors that `fn` closes over was disposed.
 */
export function compile<A extends readonly Tensor[], R extends Tree<Tensor>>(
  fn: (...args: A) => R,
): CompiledFunction<A, R> {
  const cache = new Map<string, Promise<Loaded>>();
  let backendOfCache: Backend | undefined;

  const run = async (...args: A): Promise<R> => {
    const backend = getBackend();
    if (backend !== backendOfCache) disposeAll();
    backendOfCache = backend;
    args.forEach((arg, k) => {
      if (!(arg instanceof Tensor)) {
        throw new DownhillError('argument', `compile: argument ${k} of the compiled function is not a tensor`);
      }
      assertNotDisposed(`compile: argument ${k} of the compiled function`, arg);
    });
    await evaluate(args);
    const key = args.map(describe).join();
    let loading = cache.get(key);
    if (loading === undefined) {
      loading = load(fn, args, backend);
      cache.set(key, loading);
      loading.catch(() => cache.delete(key));
    }
    const { program, inputs, outputs, captured } = await loading;
    for (const tensor of captured) assertNotDisposed('compile: a tensor that the function closes over', tensor);
    args.forEach((arg, k) => {
      if (arg.leaf?.kind === 'host') backend.write(inputs[k], arg.leaf.data);
      else backend.copy(storageOf(arg, backend).buffer, 0, inputs[k], 0, arg.size);
    });
    program.run(new Uint32Array(0));
    const results = outputs.leaves.map((tensor, k) => {
      const kept = backend.createBuffer(tensor.size, tensor.dtype, tensor.label ?? 'result');
      backend.copy(program.outputs[k], 0, kept, 0, tensor.size);
      return ownedTensor(tensor, backend, kept);
    });
    return outputs.rebuild(results) as R;
  };
  const disposeAll = () => {
    for (const loading of cache.values()) {
      loading.then(
        ({ program, inputs }) => {
          program.dispose();
          for (const buffer of inputs) buffer.dispose();
        },
        () => undefined,
      );
    }
    cache.clear();
  };
  return Object.assign(run, { dispose: disposeAll });
}

async function load<A extends readonly Tensor[], R>(fn: (...args: A) => R, args: A, backend: Backend): Promise<Loaded> {
  const placeholders = args.map((arg, k) => Tensor.placeholder(`argument${k}`, arg));
  const outputs = flattenTree(
    fn(...(placeholders as unknown as A)),
    (value): value is Tensor => value instanceof Tensor,
    (value, path) => {
      throw new DownhillError(
        'argument',
        `compile: the function returned ${typeof value}${path === '' ? '' : ` at ${path}`}; it must return tensors, or arrays or records of tensors`,
      );
    },
  );
  const leaves = topologicalOrder(outputs.leaves).filter((tensor) => tensor.op === null);
  for (const leaf of leaves) assertNotDisposed('compile: a tensor that the function closes over', leaf);
  const captured = leaves.filter((tensor) => tensor.leaf?.kind === 'device');
  const memory = captured.map((tensor) => storageOf(tensor, backend).buffer);
  const own = placeholders.map((placeholder, k) =>
    backend.createBuffer(Math.max(1, args[k].size), placeholder.dtype, placeholder.label ?? 'argument'),
  );
  const inputs: GraphInput[] = placeholders.map((tensor, k) => ({ name: `argument${k}`, kind: 'bound', tensor }));
  for (const tensor of captured) inputs.push({ name: `captured${inputs.length}`, kind: 'bound', tensor });
  try {
    const plan = compileGraph(
      { name: fn.name || 'compiled', inputs, outputs: outputs.leaves.map((tensor, k) => ({ name: `${k}`, tensor })) },
      backend.target,
    );
    return { program: await backend.load(plan, [...own, ...memory]), inputs: own, outputs, captured };
  } catch (error) {
    for (const buffer of own) buffer.dispose();
    throw error;
  }
}
