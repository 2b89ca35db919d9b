/**
 * The op record: the only place an op exists. The exported function that a user calls *is* the record, so
 * `tensor.op === relu`. Shape rule, reference, gradient, lowering, samples and rejects stand together; tests, the
 * benchmark rows and the op reference walk `ops/index.ts` and read them here. Built packages leave out what only they
 * read (docs/adr/0014-bundle-sizes.md): nothing that runs on a page may look at `doc`, `samples`, `rejects`,
 * `bench.sample` or `tolerance.source`. `cpu` and `tolerance` come when a backend needs them
 * (backend/cpu/references.ts).
 */

import { DownhillError } from '../util/errors.ts';
import type { Shape } from '../util/shape.ts';
import type { CpuData, DType } from './dtype.ts';
import type { Lowering } from './lowering.ts';
import { currentScope } from './scope.ts';
import { type Aval, Tensor } from './tensor.ts';

/** Static options of an op: plain data, printable, comparable by their JSON. */
// biome-ignore lint/suspicious/noExplicitAny: an op in a graph has lost its attribute type
type AnyAttrs = any;

/** A tensor as the reference functions see it: row-major data beside its shape. */
export interface CpuTensor {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: CpuData;
}

/** How the values of a sample input are drawn (see self-test/sample-values.ts). */
export type SampleValues =
  /** Standard normal. */
  | 'normal'
  /** Uniform in [0.2, 2]. */
  | 'positive'
  /** Uniform in [-0.95, 0.95]. */
  | 'unit'
  /** Uniform in [0.05, 0.95]. */
  | 'probability'
  /** A shuffled ladder with steps of 0.1: no ties, for max and argMax under finite differences. */
  | 'distinct'
  /** 0.1 throughout: the rounding errors of its sums all have one sign. */
  | 'equal'
  /** Normal, but at least 0.1 from zero: for kinks at 0. */
  | 'nonzero'
  /** Whole numbers in [0, below). */
  | { readonly below: number }
  /** These very values. */
  | readonly number[];

export interface SampleInput {
  readonly shape: Shape;
  readonly dtype?: DType;
  readonly values?: SampleValues;
}

/** One call that tests, benches and documentation make. */
export interface Sample<A = AnyAttrs> {
  readonly title?: string;
  readonly inputs: readonly SampleInput[];
  readonly attrs: A;
}

/** A call that must be refused, and what the message must say. */
export interface Reject<A = AnyAttrs> {
  readonly title: string;
  readonly inputs: readonly SampleInput[];
  readonly attrs: A;
  readonly message: RegExp;
}

/** How far a GPU in f32 may be from the f64 reference, and why. */
export interface Tolerance {
  /** Largest accepted |gpu − reference| / max(1, |reference|), over all elements. */
  readonly relative: number;
  readonly source: string;
}

/** The gradient rule: one entry per input, null where none flows; written in ops, so it can be derived again. */
export type Vjp<A> = (dy: Tensor, inputs: readonly Tensor[], output: Tensor, attrs: A) => readonly (Tensor | null)[];

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
  /** Inputs that gradients take as given though the output depends on them: `vjp` says null for them on purpose. */
  readonly givenInputs?: readonly number[];
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
  return Object.assign(callable, rest);
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
