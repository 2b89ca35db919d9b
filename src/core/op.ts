/**
 * defineOp makes the function that a user calls and the op's record one value, so `tensor.op === relu`. The record's
 * parts are declared in tensor.ts (`OpRecord`) and sample.ts; this file is where ops import all of it from. Built
 * packages leave out what only tests and tools read (docs/adr/0014-bundle-sizes.md): nothing that runs on a page may
 * look at `doc`, `samples`, `rejects`, `bench.sample` or `tolerance.source`. `cpu` and `tolerance` come when a backend
 * needs them (backend/cpu/references.ts).
 */

import { DownhillError } from '../util/errors.ts';
import { currentScope } from './scope.ts';
import { type Op, type OpRecord, Tensor } from './tensor.ts';

export type { CpuTensor } from './aval.ts';
export type { Reject, Sample, SampleInput, SampleValues, Tolerance } from './sample.ts';
export type { Op, OpRecord, Vjp } from './tensor.ts';

/**
 * Makes the public function of an op and the op record one value.
 * `call` receives `apply`, which builds the tensor from checked inputs and attributes.
 */
export function defineOp<A extends object, F extends (...args: never[]) => Tensor>(
  record: OpRecord<A>,
  call: (apply: (inputs: readonly Tensor[], attrs: A) => Tensor) => F,
): F & Op<A> {
  const callable = call((inputs, attrs) => applyOp(callable, inputs, attrs)) as F & Op<A>;
  const { name, ...rest } = record;
  Object.defineProperty(callable, 'name', { value: name });
  Object.assign(callable, rest);
  opKey(callable);
  return callable;
}

/** Every op by its key, and the keys: a key stands for one record. */
const byKey = new Map<string, Op>();
const keys = new WeakMap<Op, string>();

/**
 * The key of `op`, by which plans name it: its name, or `name#2` when another op of that name has come before. An op
 * has its key from its definition on, so a plan that was read from JSON finds the ops of each module that this process
 * has loaded.
 */
export function opKey(op: Op): string {
  let key = keys.get(op);
  if (key === undefined) {
    key = op.name;
    for (let number = 2; byKey.has(key); number++) key = `${op.name}#${number}`;
    byKey.set(key, op);
    keys.set(op, key);
  }
  return key;
}

/** The op of `key`. @throws DownhillError `state` when no loaded module defines it. */
export function opOfKey(key: string): Op {
  const op = byKey.get(key);
  if (op === undefined) {
    throw new DownhillError('state', `no op "${key}" is defined here; import the module that defines it`);
  }
  return op;
}

/** The tensor that `op` gives on `inputs`. Errors say which layer or scope the call was made in. */
export function applyOp<A extends object>(op: Op<A>, inputs: readonly Tensor[], attrs: A): Tensor {
  for (const input of inputs) {
    if (!(input instanceof Tensor)) {
      throw new DownhillError('argument', `${op.name}: expected a tensor, got ${describeValue(input)}`);
    }
    if (input.leaf?.kind === 'disposed') {
      throw new DownhillError('state', `${op.name}: ${input} was used after dispose()`);
    }
  }
  const scope = currentScope();
  try {
    const tensor = Tensor.computed(op.infer(inputs, attrs), op, inputs, attrs as Readonly<Record<string, unknown>>);
    tensor.label = scope;
    return tensor;
  } catch (error) {
    if (scope !== undefined && error instanceof DownhillError) {
      throw new DownhillError(error.code, `${error.message}, in ${scope}`, { cause: error });
    }
    throw error;
  }
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length} (wrap it: tensor([...]))`;
  return typeof value === 'object' ? (value.constructor?.name ?? 'an object') : `${typeof value} ${String(value)}`;
}
