/**
 * compile(fn): traces a function of tensors once per set of input shapes and replays it as one program: one submit a
 * call. For training loops that people write themselves.
 *
 * Invariant: no call copies a tensor on the device. The program reads the memory of the arguments and writes the memory
 * of the results: memory that is new with each call, or that of a donated argument.
 */

import type { Backend, BackendBuffer, Program } from '../backend/backend.ts';
import { compileGraph } from '../compile/index.ts';
import type { Plan } from '../compile/plan.ts';
import { type GraphInput, type GraphUpdate, topologicalOrder } from '../core/graph.ts';
import { describe, Tensor } from '../core/tensor.ts';
import { checkOptions } from '../util/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { show } from '../util/show.ts';
import { type FlatTree, flattenTree, type Tree } from '../util/tree.ts';
import { getBackend } from './current-backend.ts';
import { evaluate } from './evaluate.ts';
import { assertNotDisposed, ownedTensor, storageOf } from './storage.ts';

export interface CompileFunctionOptions {
  /**
   * Positions of arguments whose memory a call takes over; none when left out. Such an argument is disposed by the
   * call, and the first result of its shape and dtype that has no memory yet is written where it was.
   */
  readonly donate?: readonly number[];
}

/** What `compile` returns: call it with tensors; the promise gives the same tree as `fn`, computed. */
export interface CompiledFunction<A extends readonly Tensor[], R extends Tree<Tensor>> {
  (...args: A): Promise<R>;
  /** Frees the programs and their buffers; tensors that were returned stay. */
  dispose(): void;
}

/** A traced function, and its program when a call has loaded it. */
interface Traced {
  readonly plan: Plan;
  readonly outputs: FlatTree<Tensor>;
  /** Computed tensors that the function closes over; the program reads their memory. */
  readonly captured: readonly Tensor[];
  /** For each result the donated argument whose memory it takes; undefined where it gets new memory. */
  readonly homes: readonly (number | undefined)[];
  /** Where arguments in host memory are written, by position; made when first needed. */
  readonly uploads: Map<number, BackendBuffer>;
  program?: Promise<Program>;
}

/**
 * Compiles `fn`, which must be a pure function of tensors that returns a tensor, an array or a record of tensors. It
 * runs once on placeholders for each combination of argument shapes and dtypes; values that it closes over become part
 * of the program as they are at that time.
 *
 * A call copies no tensor on the device. Arguments are read where they are (one in host memory is uploaded), and stay
 * the caller's; each result is written to memory of its own, which no later call changes. `donate` names arguments that
 * the caller gives away: results take their memory, so a loop that updates weights in place allocates nothing.
 *
 *     const step = compile((w, x) => ({ w: sub(w, mul(gradient(w, x), 0.1)) }), { donate: [0] });
 *     for (;;) ({ w } = await step(w, x)); // the old w is disposed by the call
 *
 * @throws DownhillError `argument` when an argument or a result is not a tensor, or a donated tensor is also another
 * argument or one that `fn` closes over; `state` when one of them or of the tensors that `fn` closes over was disposed.
 */
export function compile<A extends readonly Tensor[], R extends Tree<Tensor>>(
  fn: (...args: A) => R,
  options: CompileFunctionOptions = {},
): CompiledFunction<A, R> {
  const donated = checkDonated(checkOptions('compile', options, ['donate']).donate ?? []);
  const cache = new Map<string, Traced>();
  let backendOfCache: Backend | undefined;

  const run = async (...args: A): Promise<R> => {
    const backend = getBackend();
    if (backend !== backendOfCache) disposeAll();
    backendOfCache = backend;
    checkArguments(args, donated);
    await evaluate(args);
    const key = args.map(describe).join();
    const traced = cache.get(key) ?? trace(fn, args, donated, backend);
    cache.set(key, traced);
    const check = () => {
      checkArguments(args, donated);
      for (const tensor of traced.captured)
        assertNotDisposed('compile: a tensor that the function closes over', tensor);
    };
    check();
    const memory = new CallMemory(traced, args, backend);
    try {
      traced.program ??= backend.load(traced.plan, memory.bound);
      const program = await traced.program.catch((error) => {
        cache.delete(key);
        throw error;
      });
      // From here on nothing is awaited: calls that were made meanwhile take turns.
      check();
      memory.upload();
      program.bind(memory.bound);
      program.run(new Uint32Array(0));
    } catch (error) {
      memory.free();
      throw error;
    }
    return traced.outputs.rebuild(memory.results(donated)) as R;
  };
  const disposeAll = () => {
    for (const { program, uploads } of cache.values()) {
      const free = () => {
        for (const buffer of uploads.values()) buffer.dispose();
      };
      if (program === undefined) free();
      else
        program
          .then(
            (loaded) => loaded.dispose(),
            () => undefined,
          )
          .then(free);
    }
    cache.clear();
  };
  return Object.assign(run, { dispose: disposeAll });
}

/** The buffers of one call: those of its arguments, and those that it makes. */
class CallMemory {
  /** In the order of the plan's bound buffers. */
  readonly bound: readonly BackendBuffer[];
  private readonly byName = new Map<string, BackendBuffer>();
  private readonly made: BackendBuffer[] = [];

  constructor(
    private readonly traced: Traced,
    private readonly args: readonly Tensor[],
    private readonly backend: Backend,
  ) {
    const { plan, outputs, captured, homes } = traced;
    try {
      for (const [k, arg] of args.entries()) this.byName.set(argumentName(k), this.argument(arg, k));
      for (const [k, tensor] of captured.entries()) {
        this.byName.set(capturedName(k), storageOf(tensor, backend).buffer);
      }
      for (const [k, tensor] of outputs.leaves.entries()) {
        if (homes[k] === undefined) this.byName.set(resultName(k), this.make(tensor, tensor.label ?? 'result'));
      }
    } catch (error) {
      this.free();
      throw error;
    }
    this.bound = plan.buffers
      .filter(({ role }) => role === 'bound')
      .map(({ id }) => this.byName.get(plan.inputs.find(({ buffer }) => buffer === id)!.name)!);
  }

  /** Writes the arguments that are in host memory. */
  upload(): void {
    this.args.forEach(({ leaf }, k) => {
      if (leaf?.kind === 'host') this.backend.write(this.byName.get(argumentName(k))!, leaf.data);
    });
  }

  /** The results; donated arguments are disposed. */
  results(donated: readonly number[]): Tensor[] {
    const { outputs, homes } = this.traced;
    for (const k of homes) {
      const { leaf } = k === undefined ? {} : this.args[k];
      if (leaf?.kind === 'device') storageOf(this.args[k!], this.backend).handOver();
    }
    for (const k of donated) this.args[k].dispose();
    return outputs.leaves.map((tensor, k) => {
      const home = homes[k];
      const buffer = this.byName.get(home === undefined ? resultName(k) : argumentName(home))!;
      return ownedTensor(tensor, this.backend, buffer);
    });
  }

  /** Frees what the call made. */
  free(): void {
    for (const buffer of this.made) buffer.dispose();
  }

  private argument(arg: Tensor, k: number): BackendBuffer {
    if (arg.leaf?.kind !== 'host') return storageOf(arg, this.backend).buffer;
    // A result will own it.
    if (this.traced.homes.includes(k)) return this.make(arg, argumentName(k));
    const known = this.traced.uploads.get(k) ?? allocate(this.backend, arg, argumentName(k));
    this.traced.uploads.set(k, known);
    return known;
  }

  private make(tensor: Tensor, label: string): BackendBuffer {
    const buffer = allocate(this.backend, tensor, label);
    this.made.push(buffer);
    return buffer;
  }
}

function allocate(backend: Backend, { size, dtype }: Tensor, label: string): BackendBuffer {
  return backend.createBuffer(Math.max(1, size), dtype, label);
}

const argumentName = (k: number): string => `argument${k}`;
const capturedName = (k: number): string => `captured${k}`;
const resultName = (k: number): string => `result${k}`;

function trace<A extends readonly Tensor[], R>(
  fn: (...args: A) => R,
  args: A,
  donated: readonly number[],
  backend: Backend,
): Traced {
  const placeholders = args.map((arg, k) => Tensor.placeholder(argumentName(k), arg));
  const outputs = flattenTree(
    fn(...(placeholders as unknown as A)),
    (value): value is Tensor => value instanceof Tensor,
    (value, path) => {
      throw new DownhillError(
        'argument',
        `compile: the function returned ${typeof value}${path === '' ? '' : ` at ${path}`}; ` +
          'it must return tensors, or arrays or records of tensors',
      );
    },
  );
  const leaves = topologicalOrder(outputs.leaves).filter((tensor) => tensor.op === null);
  for (const leaf of leaves) assertNotDisposed('compile: a tensor that the function closes over', leaf);
  const captured = leaves.filter((tensor) => tensor.leaf?.kind === 'device');
  for (const k of donated) {
    if (captured.includes(args[k])) throw donatedTwice(k, 'a tensor that the function closes over');
  }
  const homes = homesOf(outputs.leaves, placeholders, donated);
  const inputs: GraphInput[] = [];
  const bind = (name: string, tensor: Tensor): Tensor => {
    inputs.push({ name, kind: 'bound', tensor });
    return tensor;
  };
  for (const [k, placeholder] of placeholders.entries()) bind(argumentName(k), placeholder);
  for (const [k, tensor] of captured.entries()) bind(capturedName(k), tensor);
  const updates = outputs.leaves.flatMap((value, k): GraphUpdate[] => {
    const home = homes[k];
    if (home === undefined) return [{ target: bind(resultName(k), Tensor.placeholder(resultName(k), value)), value }];
    // An argument that is returned as it is stays where it is.
    return placeholders[home] === value ? [] : [{ target: placeholders[home], value }];
  });
  const plan = compileGraph({ name: fn.name || 'compiled', inputs, outputs: [], updates }, backend.target);
  return { plan, outputs, captured, homes, uploads: new Map() };
}

/** The donated argument whose memory each result takes. */
function homesOf(
  results: readonly Tensor[],
  placeholders: readonly Tensor[],
  donated: readonly number[],
): (number | undefined)[] {
  const homes: (number | undefined)[] = results.map(() => undefined);
  const take = (fits: (result: Tensor, placeholder: Tensor) => boolean): void => {
    for (const k of donated) {
      if (homes.includes(k)) continue;
      const found = results.findIndex((result, j) => homes[j] === undefined && fits(result, placeholders[k]));
      if (found >= 0) homes[found] = k;
    }
  };
  take((result, placeholder) => result === placeholder);
  take((result, placeholder) => describe(result) === describe(placeholder));
  return homes;
}

function checkArguments(args: readonly Tensor[], donated: readonly number[]): void {
  args.forEach((arg, k) => {
    if (!(arg instanceof Tensor)) {
      throw new DownhillError('argument', `compile: argument ${k} of the compiled function is not a tensor`);
    }
    assertNotDisposed(`compile: argument ${k} of the compiled function`, arg);
  });
  for (const k of donated) {
    if (k >= args.length) {
      throw new DownhillError('argument', `compile: donate names argument ${k}; the call has ${args.length} arguments`);
    }
    const other = args.findIndex((arg, j) => j !== k && arg === args[k]);
    if (other >= 0) throw donatedTwice(k, `argument ${other}`);
  }
}

function donatedTwice(k: number, other: string): DownhillError {
  const advice = 'the call would overwrite what it reads; give it a tensor of its own';
  return new DownhillError('argument', `compile: argument ${k} is donated and is also ${other}: ${advice}`);
}

function checkDonated(value: readonly number[]): readonly number[] {
  const isList = Array.isArray(value) && value.every((k) => Number.isSafeInteger(k) && k >= 0);
  if (isList && new Set(value).size === value.length) return [...value];
  throw new DownhillError(
    'argument',
    `compile: donate must list positions of arguments, each once, such as [0, 1], found ${show(value)}`,
  );
}
