/**
 * Tensor: a lazy handle on one value of a graph, and at the same time the node itself.
 *
 * Invariant: shape and dtype never change. `op`, `inputs` and `attrs` describe how the value is computed; a tensor
 * without an op is a leaf, whose value comes from a placeholder, from host memory or from a device buffer. Evaluation
 * turns a computed tensor into a device leaf; how it was computed stays in `history`, for gradients
 * (docs/adr/0020-history-of-read-tensors.md).
 */

import { DownhillError } from '../util/errors.ts';
import type { Shape } from '../util/shape.ts';
import { formatShape, sizeOf } from '../util/shape.ts';
import type { DType, TypedArray } from './dtype.ts';
import { type History, type Traces, tracesOf } from './history.ts';
import type { Op } from './op.ts';

/** Abstract value: what is known of a tensor before anything runs. */
export interface Aval {
  readonly shape: Shape;
  readonly dtype: DType;
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

  /** A value that already lies in device memory. */
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
    this.lost = tracesOf(this);
    this.history = null;
    this.op = null;
    this.inputs = [];
    this.attrs = {};
  }

  /**
   * The elements in row-major order, computed now if they are not yet there. Reading does not change what the tensor is:
   * the value is kept, and `gradients` see through it as before. They do so through the 1024 latest readings, as long as
   * the values that only older readings hold take at most 256 MiB; a gradient through an older one is refused (`state`),
   * never wrong. A loop that updates a value for ever says `stopGradient` where a round begins, and holds nothing.
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

/** `f32[2,3]`. */
export function describe(aval: Aval): string {
  return `${aval.dtype}${formatShape(aval.shape)}`;
}
