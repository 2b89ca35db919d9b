/**
 * Elementwise ops from one scalar function and one WGSL expression: shape rule (NumPy broadcasting), dtype rule,
 * reference loop, samples, rejects, lowering and benchmark row follow. Adding such an op is one short record.
 *
 * Invariant: operands share one dtype (a number takes that of its partner); no dtype is converted silently. Op files
 * import each other for their gradients, and one way: helpers (this file, create.ts, checks.ts, strided.ts), then
 * reshape, sum with broadcastTo, comparisons and where, arithmetic, functions of one operand, and what is made of
 * these. Two ops that are each other's gradient share a file (sum and broadcastTo, slice and pad, gather and
 * gatherGrad).
 */

import type { DType } from '../core/dtype.ts';
import type { EmitContext } from '../core/lowering.ts';
import {
  type CpuTensor,
  defineOp,
  type Op,
  type OpRecord,
  type Reject,
  type Sample,
  type SampleInput,
  type SampleValues,
  type Tolerance,
  type Vjp,
} from '../core/op.ts';
import { type Aval, describe, Tensor } from '../core/tensor.ts';
import { DownhillError } from '../util/errors.ts';
import { broadcastShapes, type Shape, sameShape, sizeOf } from '../util/shape.ts';
import { show } from '../util/show.ts';
import { asTensor } from './create.ts';
import { binaryRejects, binarySamples, unaryRejects, unarySamples } from './define-samples.ts';
import { broadcastOffsets } from './layout/strided.ts';

export const ONE_ROUNDING: Tolerance = {
  relative: 1e-6,
  source: 'WGSL 15.7.4: correctly rounded or at most 2.5 ulp of f32 (2⁻²⁴ relative each)',
};

/** A tensor, or a number that takes the dtype of the other operand. */
export type Operand = Tensor | number;

/** Ops without options. */
export type NoAttrs = Record<string, never>;

export type UnaryOp = ((x: Tensor) => Tensor) & Op<NoAttrs>;
export type BinaryOp = ((a: Operand, b: Operand) => Tensor) & Op<NoAttrs>;

interface ElementwiseSpec<A> {
  readonly name: string;
  readonly doc: string;
  /** Dtypes of the operands; f32 alone when left out. */
  readonly accepts?: readonly DType[];
  /** Dtype of the output; that of the operands when left out. */
  readonly result?: DType;
  /** One correct rounding when left out. */
  readonly tolerance?: Tolerance;
  /** Floating-point operations an element; 1 when left out. */
  readonly flops?: number;
  /** False where NaN or infinities in the operands are not sampled. */
  readonly extremes?: boolean;
  /** Samples and refusals beside those that every elementwise op gets. */
  readonly samples?: readonly Sample<A>[];
  readonly rejects?: readonly Reject<A>[];
}

export interface UnarySpec<A> extends ElementwiseSpec<A> {
  /** The function at the precision of a JavaScript number. */
  f(x: number, attrs: A): number;
  /** The same as a WGSL expression; `x` names a value. */
  wgsl(x: string, context: EmitContext<A>): string;
  /** Gradient of x. Prefer the output to the input: what is not read need not be kept. null: none flows. */
  readonly vjp: ((dy: Tensor, x: Tensor, output: Tensor, attrs: A) => Tensor) | null;
  readonly values?: SampleValues;
}

/** An elementwise op of one operand. */
export function defineUnary(spec: UnarySpec<NoAttrs>): UnaryOp {
  return defineOp<NoAttrs, (x: Tensor) => Tensor>(unaryRecord(spec, {}), (apply) => (x, ...more: unknown[]) => {
    refuseMore(spec.name, 1, more);
    return apply([x], {});
  });
}

/**
 * @throws DownhillError `argument` for tensors or options after the `count` operands. Numbers and arrays pass, because
 *   `tensors.map(relu)` and `tensors.reduce(add)` hand over positions.
 */
function refuseMore(op: string, count: number, more: readonly unknown[]): void {
  for (const value of more) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
    const operands = count === 1 ? 'one operand' : `${count} operands`;
    const found = value instanceof Tensor ? String(value) : show(value);
    throw new DownhillError('argument', `${op}: takes ${operands} and no options, found ${found} after them`);
  }
}

/**
 * The record of an elementwise op of one operand with options; its callable is the op's own.
 * @param attrs options for its samples. @param check throws for options that make no sense.
 */
export function unaryRecord<A extends object>(
  spec: UnarySpec<A>,
  attrs: A,
  check?: (attrs: A, x: Aval) => void,
): OpRecord<A> {
  const { name, accepts = ['f32'], vjp } = spec;
  const bench: SampleInput = { shape: [1024, 1024], dtype: accepts[0], values: spec.values ?? 'normal' };
  return {
    name,
    doc: spec.doc,
    infer([x], attrs) {
      if (!accepts.includes(x.dtype)) throw refusal(name, 'x', accepts, x);
      check?.(attrs, x);
      return { shape: x.shape, dtype: spec.result ?? x.dtype };
    },
    cpu([x], output, attrs) {
      for (let i = 0; i < output.data.length; i++) output.data[i] = spec.f(x.data[i], attrs);
    },
    vjp: vjp && ((dy, [x], output, attrs) => [vjp(dy, x, output, attrs)]),
    lower: { kind: 'map', wgsl: ([x], context) => `(${spec.wgsl(x, context)})` },
    samples: unarySamples(attrs, accepts, spec),
    rejects: [...unaryRejects(name, attrs, accepts), ...(spec.rejects ?? [])],
    tolerance: spec.tolerance ?? ONE_ROUNDING,
    bench: {
      flops: (_inputs, output) => (spec.flops ?? 1) * sizeOf(output.shape),
      sample: { inputs: [accepts[0] === 'bool' ? { ...bench, values: { below: 2 } } : bench], attrs },
    },
  };
}

export interface BinarySpec extends ElementwiseSpec<NoAttrs> {
  /** The function at the precision of a JavaScript number; `dtype` is that of the operands. */
  f(a: number, b: number, dtype: DType): number;
  /** The same as a WGSL expression; `a` and `b` name values. */
  wgsl(a: string, b: string, context: EmitContext<NoAttrs>): string;
  /** Gradients of a and b at the shape of the output: broadcasting is undone here, for all ops. null: none flows. */
  readonly vjp: ((dy: Tensor, a: Tensor, b: Tensor, output: Tensor) => readonly [Tensor, Tensor]) | null;
  readonly values?: readonly [SampleValues, SampleValues];
}

/** Sums a gradient over the axes that broadcasting stretched: `unbroadcast` of reduction/sum.ts. */
type Unbroadcast = (dy: Tensor, shape: Shape) => Tensor;

/**
 * An elementwise op of two operands that broadcast.
 * @param unbroadcast that of reduction/sum.ts, handed in because sum.ts is above the helpers; needless without a
 *   gradient.
 */
export function defineBinary(spec: BinarySpec & { readonly vjp: null }): BinaryOp;
export function defineBinary(spec: BinarySpec, unbroadcast: Unbroadcast): BinaryOp;
export function defineBinary(spec: BinarySpec, unbroadcast?: Unbroadcast): BinaryOp {
  const { name, accepts = ['f32'] } = spec;
  const attrs: NoAttrs = {};
  const values = spec.values ?? ['normal', 'normal'];
  const benchValues = (k: 0 | 1): SampleValues => (accepts[0] === 'bool' ? { below: 2 } : values[k]);
  return defineOp<NoAttrs, (a: Operand, b: Operand) => Tensor>(
    {
      name,
      doc: `${spec.doc} Shapes broadcast as in NumPy.`,
      infer([a, b]) {
        checkPair(name, a, b, accepts);
        return { shape: broadcastShapes(name, a.shape, b.shape), dtype: spec.result ?? a.dtype };
      },
      cpu: ([a, b], output) => loopPairs(a, b, output, spec.f),
      vjp: unbroadcast === undefined ? null : gradientOfBinary(spec, unbroadcast),
      lower: { kind: 'map', wgsl: ([a, b], context) => `(${spec.wgsl(a, b, context)})` },
      samples: binarySamples(attrs, accepts, spec),
      rejects: [...binaryRejects(name, attrs, accepts), ...(spec.rejects ?? [])],
      tolerance: spec.tolerance ?? ONE_ROUNDING,
      bench: {
        flops: (_inputs, output) => (spec.flops ?? 1) * sizeOf(output.shape),
        sample: {
          inputs: ([0, 1] as const).map((k) => ({
            shape: [1024, 1024],
            dtype: accepts[0],
            values: benchValues(k),
          })),
          attrs,
        },
      },
    },
    (apply) =>
      (a, b, ...more: unknown[]) => {
        refuseMore(name, 2, more);
        return apply([asTensor(name, a, b), asTensor(name, b, a)], attrs);
      },
  );
}

/** A comparison: two operands of one dtype → bool, without a gradient. */
export function defineComparison(spec: Omit<BinarySpec, 'vjp' | 'result' | 'tolerance' | 'f'> & Predicate): BinaryOp {
  return defineBinary({
    accepts: ['f32', 'i32', 'u32'],
    ...spec,
    f: (a, b) => Number(spec.f(a, b)),
    result: 'bool',
    vjp: null,
    tolerance: { relative: 0, source: 'yes or no' },
  });
}

interface Predicate {
  f(a: number, b: number): boolean;
}

/** @throws DownhillError `dtype` unless both operands have one dtype and the op takes it. */
export function checkPair(op: string, a: Aval, b: Aval, accepts: readonly DType[]): void {
  if (a.dtype !== b.dtype) {
    throw new DownhillError(
      'dtype',
      `${op}: operands are ${describe(a)} and ${describe(b)}; they must have one dtype: convert one with cast(x, '${a.dtype}')`,
    );
  }
  if (!accepts.includes(a.dtype)) throw refusal(op, 'operands', accepts, a);
}

function refusal(op: string, what: string, accepts: readonly DType[], found: Aval): DownhillError {
  const hint = accepts.includes('f32') ? "; convert with cast(x, 'f32')" : '';
  return new DownhillError('dtype', `${op}: ${what} must be ${accepts.join(' or ')}, got ${describe(found)}${hint}`);
}

function gradientOfBinary({ vjp }: BinarySpec, unbroadcast: Unbroadcast): Vjp<NoAttrs> | null {
  if (vjp === null) return null;
  return (dy, [a, b], output) => {
    const [da, db] = vjp(dy, a, b, output);
    return [unbroadcast(da, a.shape), unbroadcast(db, b.shape)];
  };
}

function loopPairs(a: CpuTensor, b: CpuTensor, output: CpuTensor, f: BinarySpec['f']): void {
  const out = output.data;
  const { dtype } = a;
  if (sameShape(a.shape, b.shape)) {
    for (let i = 0; i < out.length; i++) out[i] = f(a.data[i], b.data[i], dtype);
    return;
  }
  if (b.data.length === 1) {
    const [number] = b.data;
    for (let i = 0; i < out.length; i++) out[i] = f(a.data[i], number, dtype);
    return;
  }
  const [fromA, fromB] = [a, b].map((operand) => broadcastOffsets(operand.shape, output.shape));
  for (let i = 0; i < out.length; i++) out[i] = f(a.data[fromA[i]], b.data[fromB[i]], dtype);
}
