/**
 * Tensor: a lazy handle on one value of a graph, and at the same time the node itself.
 *
 * Invariant: shape and dtype never change. `op`, `inputs` and `attrs` describe how the value is computed; a tensor
 * without an op is a leaf, whose value comes from a placeholder, from host memory or from a device buffer. Evaluation
 * turns a computed tensor into a device leaf: the value stays, the history is let go.
 */

import { DownhillError } from '../util/errors.ts';
import type { Shape } from '../util/shape.ts';
import { formatShape, sizeOf } from '../util/shape.ts';
import type { DType, TypedArray } from './dtype.ts';
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

  /** Keeps the value, forgets the history: called by the runtime when the value has been computed. */
  becomeDeviceLeaf(storage: TensorStorage): void {
    this.op = null;
    this.inputs = [];
    this.attrs = {};
    this.leaf = { kind: 'device', storage };
  }

  /**
   * The elements in row-major order, computed now if they are not yet there.
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
    this.op = null;
    this.inputs = [];
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
