/**
 * Tensor, a lazy handle on one value of a graph and at the same time the node itself, and the op record, which says how
 * the value is computed. The two name each other, so both are declared here; ops are made with `defineOp` of op.ts.
 *
 * Invariant: shape and dtype never change. `op`, `inputs` and `attrs` describe how the value is computed; a tensor
 * without an op is a leaf, whose value comes from a placeholder, from host memory or from a device buffer. Evaluation
 * turns a computed tensor into a device leaf; how it was computed stays in `history`, for gradients
 * (docs/adr/0020-history-of-read-tensors.md).
 */

import { DownhillError } from '../util/errors.ts';
import { formatShape, type Shape, sizeOf } from '../util/shape.ts';
import { type Aval, type CpuTensor, describe } from './aval.ts';
import { type DType, isFloat, type TypedArray } from './dtype.ts';
import type { Lowering } from './lowering.ts';
import type { AnyAttrs, Reject, Sample, Tolerance } from './sample.ts';
import { type Traces, tracesOf } from './traces.ts';

export { type Aval, describe } from './aval.ts';

/** The gradient rule: one entry per input, null where none flows; written in ops, so it can be derived again. */
export type Vjp<A> = (dy: Tensor, inputs: readonly Tensor[], output: Tensor, attrs: A) => readonly (Tensor | null)[];

/**
 * The only place where an op is described: shape rule, reference, gradient, lowering, samples and rejects. Tests, the
 * benchmark rows and the op reference walk `ops/index.ts` and read them here. Built packages leave out what only they
 * read (docs/adr/0014-bundle-sizes.md): nothing that runs on a page may look at `doc`, `samples`, `rejects`,
 * `bench.sample` or `tolerance.source`.
 */
export interface OpRecord<A = AnyAttrs> {
  readonly name: string;
  /** One paragraph: what it computes, shapes, dtypes, source. */
  readonly doc: string;
  /** Shape and dtype of the output. Throws DownhillError naming the op, the shapes and what would fit. */
  infer(inputs: readonly Aval[], attrs: A): Aval;
  /** Reference: fills `output.data`, which arrives zeroed. Written to be read. */
  cpu(inputs: readonly CpuTensor[], output: CpuTensor, attrs: A): void;
  /** null says "no gradient" on purpose. */
  readonly vjp: Vjp<A> | null;
  /** Inputs without a gradient though the output depends on them: `vjp` returns null for them on purpose. */
  readonly nonDifferentiableInputs?: readonly number[];
  readonly lower: Lowering<A>;
  /** Composite ops only: the same thing in other ops. */
  expand?(inputs: readonly Tensor[], attrs: A): Tensor;
  readonly samples: readonly Sample<A>[];
  readonly rejects: readonly Reject<A>[];
  readonly tolerance: Tolerance;
  /** Floating-point operations of one call, and a size worth timing. */
  readonly bench: { flops(inputs: readonly Aval[], output: Aval, attrs: A): number; readonly sample: Sample<A> };
}

export type Op<A = AnyAttrs> = OpRecord<A>;

/** How a tensor was computed. */
export interface History {
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

/** Device memory that a tensor owns; made and freed by the runtime. */
export interface TensorStorage {
  readonly bytes: number;
  release(): void;
}

/** Where the value of a tensor without an op comes from. */
export type Leaf =
  | { readonly kind: 'placeholder'; readonly name: string }
  | { readonly kind: 'host'; readonly data: TypedArray }
  | { readonly kind: 'device'; readonly storage: TensorStorage }
  | { readonly kind: 'disposed' };

/** The door through which a tensor reaches the runtime; `runtime/` installs the only implementation. */
export interface TensorRuntime {
  data(tensor: Tensor): Promise<TypedArray>;
}

let runtime: TensorRuntime | undefined;

/** Called once by `runtime/` when it is loaded. */
export function installRuntime(implementation: TensorRuntime): void {
  runtime = implementation;
}

let nextId = 0;

export class Tensor implements Aval, Disposable {
  readonly id = nextId++;
  /** The name a user or a layer gave; shown in errors, graphs and kernel labels. */
  label: string | undefined;
  /** How the value in device memory was computed, until that is let go; null for what was not computed. */
  history: History | null = null;
  /** What the value was computed from, once that was let go. */
  lost: Traces | null = null;

  private constructor(
    readonly shape: Shape,
    readonly dtype: DType,
    public op: Op | null,
    public inputs: readonly Tensor[],
    public attrs: Readonly<Record<string, unknown>>,
    public leaf: Leaf | null,
  ) {}

  /** The value of `op` on `inputs`; use the op itself, which infers the shape. */
  static computed(aval: Aval, op: Op, inputs: readonly Tensor[], attrs: Readonly<Record<string, unknown>>): Tensor {
    return new Tensor(aval.shape, aval.dtype, op, inputs, attrs, null);
  }

  /** A value that a caller binds later. */
  static placeholder(name: string, aval: Aval): Tensor {
    const tensor = new Tensor(aval.shape, aval.dtype, null, [], {}, { kind: 'placeholder', name });
    tensor.label = name;
    return tensor;
  }

  /** A value in host memory; `data` holds `shape`'s elements in row-major order and is not copied. */
  static host(aval: Aval, data: TypedArray): Tensor {
    if (data.length !== sizeOf(aval.shape)) {
      throw new DownhillError(
        'shape',
        `tensor: ${data.length} values do not fill shape ${formatShape(aval.shape)}, which takes ${sizeOf(aval.shape)}`,
      );
    }
    return new Tensor(aval.shape, aval.dtype, null, [], {}, { kind: 'host', data });
  }

  /** A value that is already in device memory. */
  static device(aval: Aval, storage: TensorStorage): Tensor {
    return new Tensor(aval.shape, aval.dtype, null, [], {}, { kind: 'device', storage });
  }

  /** Count of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Count of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /**
   * Takes the value that was computed; the runtime calls it. Gradients still see how it came about.
   * False when the tensor was disposed or computed meanwhile: the value is not needed.
   */
  becomeDeviceLeaf(storage: TensorStorage): boolean {
    if (this.op === null) return false;
    this.history = { op: this.op, inputs: this.inputs, attrs: this.attrs };
    this.op = null;
    this.inputs = [];
    this.attrs = {};
    this.leaf = { kind: 'device', storage };
    return true;
  }

  /** The value stays; how it came about is let go. Gradients through it are refused from now on. */
  letHistoryGo(): void {
    if (this.history === null && this.op === null) return;
    this.lost = tracesOf(this, differentiableOrder(this));
    this.history = null;
    this.op = null;
    this.inputs = [];
    this.attrs = {};
  }

  /**
   * The elements in row-major order, computed now if they are not yet there. Reading does not change what the tensor
   * is: the value is kept, and `gradients` see through it as before. They do so through the 1024 latest readings, as
   * long as the values that only older readings hold take at most 256 MiB; a gradient through an older one is refused
   * (`state`), never wrong. A loop that updates a value for ever says `stopGradient` where a round begins, and holds
   * nothing.
   * @throws DownhillError `state` after dispose() or for a placeholder, `device-lost` when the device went away.
   */
  async data(): Promise<TypedArray> {
    if (runtime === undefined) throw new DownhillError('state', 'no backend is set: call setBackend(…) first');
    return runtime.data(this);
  }

  /** The one element of a size-1 tensor, as a number. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new DownhillError('shape', `item: needs one element; the tensor has shape ${formatShape(this.shape)}`);
    }
    return (await this.data())[0];
  }

  /** Frees the device memory, if any; the tensor cannot be used afterwards. Calling it twice is harmless. */
  dispose(): void {
    if (this.leaf?.kind === 'device') this.leaf.storage.release();
    this.letHistoryGo();
    this.leaf = { kind: 'disposed' };
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    const name = this.label === undefined ? '' : ` "${this.label}"`;
    return `Tensor${name} ${describe(this)}`;
  }
}

/** How `tensor` is or was computed; null for a leaf, and where no gradient flows back. */
export function historyOf(tensor: Tensor): History | null {
  const { op, inputs, attrs } = tensor;
  const history = op === null ? tensor.history : { op, inputs, attrs };
  return history === null || history.op.vjp === null || !isFloat(tensor.dtype) ? null : history;
}

/**
 * Everything that gradients of `root` pass through, inputs before users; each tensor once.
 * @param oldest tensors with smaller ids are left out: nothing that a caller wants is behind them.
 */
export function differentiableOrder(root: Tensor, oldest = 0): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  // An explicit stack: a long chain would overflow the call stack.
  const stack: { readonly tensor: Tensor; readonly inputs: readonly Tensor[]; next: number }[] = [];
  const enter = (tensor: Tensor) => {
    if (seen.has(tensor) || tensor.id < oldest) return;
    seen.add(tensor);
    stack.push({ tensor, inputs: historyOf(tensor)?.inputs ?? [], next: 0 });
  };
  enter(root);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.next < top.inputs.length) enter(top.inputs[top.next++]);
    else order.push((stack.pop() as typeof top).tensor);
  }
  return order;
}
