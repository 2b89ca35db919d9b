/**
 * Reductions over axes from one record: axis rule, dtype rule, samples and rejects follow; the reference of a plain
 * reduction comes from `reduceWith`.
 *
 * Invariant: references reduce in row-major order with f64 accumulators. A reduction over no elements is refused unless
 * it has a neutral element (an empty sum is 0, an empty product 1).
 */

import type { DType } from '../../core/dtype.ts';
import type { CompositeLowering, ReduceLowering } from '../../core/lowering.ts';
import {
  type CpuTensor,
  defineOp,
  type Op,
  type OpRecord,
  type Reject,
  type Sample,
  type SampleValues,
  type Tolerance,
} from '../../core/op.ts';
import { type Aval, describe, Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, normalizeAxes, reduceShape, type Shape, sizeOf, stridesOf } from '../../util/shape.ts';
import { stridedOffsets } from '../layout/strided.ts';

export const BLOCKED_SUMMATION: Tolerance = {
  relative: 1e-5,
  source:
    'blocked summation in another order: |error| ≤ 300 · 2⁻²⁴ · Σ|xᵢ| for up to 10⁸ terms (Higham, section 4.2), a tenth of it seen',
};

/** An axis, several, or undefined for all; negative ones count from the end. */
export type Axes = number | readonly number[] | undefined;

export interface ReduceOptions {
  /** All when left out. */
  readonly axes?: Axes;
  /** The same as `axes`, as Keras spells it; give one of them. */
  readonly axis?: Axes;
  /** Leave size 1 where an axis was reduced, so that the result broadcasts with the input. False when left out. */
  readonly keepDims?: boolean;
}

export interface ReduceAttrs {
  /** Sorted, distinct, not negative. */
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

type Reduce = (x: Tensor, options?: ReduceOptions) => Tensor;
export type ReduceOp = Reduce & Op<ReduceAttrs>;

export interface ReduceSpec
  extends Pick<OpRecord<ReduceAttrs>, 'name' | 'doc' | 'cpu' | 'vjp' | 'expand' | 'tolerance'> {
  readonly accepts: readonly DType[];
  /** Dtype of the output; that of the input when left out. */
  readonly result?: DType;
  /** Whether a reduction over no elements has a value. */
  readonly empty: 'allowed' | 'refused';
  readonly lower: Omit<ReduceLowering<ReduceAttrs>, 'kind' | 'axes'> | CompositeLowering<ReduceAttrs>;
  readonly values?: SampleValues;
  /** Samples beside the common ones, most of them with long reductions or special values. */
  readonly samples?: readonly Sample<ReduceAttrs>[];
}

const REDUCE_OPTIONS = ['axes', 'keepDims', 'axis'] as const;

/** A reduction over axes. */
export function defineReduce(spec: ReduceSpec): ReduceOp {
  const { name, accepts } = spec;
  return defineOp<ReduceAttrs, Reduce>(
    {
      name,
      doc: spec.doc,
      infer([x], { axes, keepDims }) {
        checkOperand(spec, x);
        normalizeAxes(name, axes, x.shape);
        const shape = reduceShape(x.shape, axes, keepDims);
        if (spec.empty === 'refused' && reducedCount(x.shape, axes) === 0) {
          throw new DownhillError(
            'shape',
            `${name}: nothing to reduce: ${describe(x)} has no elements over axes ${formatShape(axes)}`,
          );
        }
        return { shape, dtype: spec.result ?? x.dtype };
      },
      cpu: spec.cpu,
      vjp: spec.vjp,
      lower: 'kind' in spec.lower ? spec.lower : { kind: 'reduce', axes: (_input, attrs) => attrs.axes, ...spec.lower },
      ...(spec.expand === undefined ? {} : { expand: spec.expand }),
      samples: [...commonSamples(accepts, spec.values), ...(spec.samples ?? [])],
      rejects: commonRejects(spec),
      tolerance: spec.tolerance,
      bench: {
        flops: ([x]) => sizeOf(x.shape),
        sample: { inputs: [{ shape: [1024, 1024] }], attrs: { axes: [1], keepDims: false } },
      },
    },
    (apply) => (x, options) => {
      const { axis, axes, keepDims = false } = checkOptions(name, options, REDUCE_OPTIONS);
      if (axis !== undefined && axes !== undefined) {
        throw new DownhillError('argument', `${name}: axis and axes mean the same; give one of them`);
      }
      return apply([x], { axes: axesOf(name, x, axes ?? axis), keepDims });
    },
  );
}

/** The axes that a caller means, for `x` of any kind: what is not a tensor is refused later, by name. */
export function axesOf(op: string, x: Tensor, axes: Axes): number[] {
  return x instanceof Tensor ? normalizeAxes(op, axes, x.shape) : [];
}

/** Count of elements in each reduction. */
export function reducedCount(shape: Shape, axes: readonly number[]): number {
  return axes.reduce((count, axis) => count * shape[axis], 1);
}

/** For each element of `shape` in order, the output that it is reduced into. */
export function reductionTargets(shape: Shape, axes: readonly number[]): Uint32Array {
  const kept = stridesOf(reduceShape(shape, axes, true));
  const strides = shape.map((_, axis) => (axes.includes(axis) ? 0 : kept[axis]));
  return stridedOffsets({ sizes: shape, strides, base: 0 });
}

/** The reference of a plain reduction. `finish` gets the count of reduced elements. */
export function reduceWith(
  init: number | ((dtype: DType) => number),
  step: (accumulator: number, x: number) => number,
  finish: (accumulator: number, count: number) => number = (accumulator) => accumulator,
): OpRecord<ReduceAttrs>['cpu'] {
  return ([x], output, { axes }) => {
    const start = typeof init === 'number' ? init : init(x.dtype);
    const accumulators = new Float64Array(output.data.length).fill(start);
    const targets = reductionTargets(x.shape, axes);
    for (let i = 0; i < targets.length; i++) {
      accumulators[targets[i]] = step(accumulators[targets[i]], x.data[i]);
    }
    const count = reducedCount(x.shape, axes);
    for (let o = 0; o < accumulators.length; o++) output.data[o] = finish(accumulators[o], count);
  };
}

/**
 * The mean of each reduction and the sum of squared distances from it, in f64. Distances are taken from its first
 * element, so that equal values have exactly themselves as mean and 0 as distance.
 */
export function reduceMoments(
  { shape, data }: CpuTensor,
  axes: readonly number[],
): { readonly means: Float64Array; readonly squares: Float64Array; readonly targets: Uint32Array } {
  const count = reducedCount(shape, axes);
  const targets = reductionTargets(shape, axes);
  const outputs = count === 0 ? 0 : targets.length / count;
  const [bases, sums, squares] = [new Float64Array(outputs), new Float64Array(outputs), new Float64Array(outputs)];
  // Backwards, so that the first element stays. An infinity cannot be the base: its distance from itself is NaN.
  for (let i = targets.length - 1; i >= 0; i--) bases[targets[i]] = Number.isFinite(data[i]) ? data[i] : 0;
  for (let i = 0; i < targets.length; i++) sums[targets[i]] += data[i] - bases[targets[i]];
  const means = sums.map((sum, o) => bases[o] + sum / count);
  for (let i = 0; i < targets.length; i++) squares[targets[i]] += (data[i] - means[targets[i]]) ** 2;
  return { means, squares, targets };
}

function checkOperand({ name, accepts }: ReduceSpec, x: Aval): void {
  if (accepts.includes(x.dtype)) return;
  const hint = accepts.includes('f32') ? "; convert with cast(x, 'f32')" : '';
  throw new DownhillError('dtype', `${name}: x must be ${accepts.join(' or ')}, got ${describe(x)}${hint}`);
}

function commonSamples(accepts: readonly DType[], values: SampleValues = 'normal'): Sample<ReduceAttrs>[] {
  const cases: readonly (readonly [Shape, readonly number[], boolean])[] = [
    [[], [], false],
    [[1], [0], false],
    [[7], [0], true],
    [[3, 5], [0], false],
    [[3, 5], [1], true],
    [[3, 5], [0, 1], false],
    [[3, 5], [], false],
    [[2, 3, 4, 5], [1, 3], false],
    [[2, 3, 4, 5], [0, 2], true],
    [[5, 1], [1], false],
    [[3, 64], [1], false],
  ];
  const floats = cases.map(
    ([shape, axes, keepDims]): Sample<ReduceAttrs> => ({ inputs: [{ shape, values }], attrs: { axes, keepDims } }),
  );
  const others = accepts
    .filter((dtype) => dtype !== 'f32')
    .map(
      (dtype): Sample<ReduceAttrs> => ({
        title: dtype,
        inputs: [{ shape: [4, 5], dtype, values: { below: 9 } }],
        attrs: { axes: [1], keepDims: false },
      }),
    );
  return [...floats, ...others];
}

function commonRejects({ name, accepts, empty }: ReduceSpec): Reject<ReduceAttrs>[] {
  const rejects: Reject<ReduceAttrs>[] = [
    {
      title: 'an axis that is not there',
      inputs: [{ shape: [2, 3] }],
      attrs: { axes: [2], keepDims: false },
      message: new RegExp(`^${name}: axis 2 is out of range for shape \\[2,3\\]; axes run from -2 to 1`),
    },
    {
      title: 'an axis twice',
      inputs: [{ shape: [2, 3] }],
      attrs: { axes: [1, 1], keepDims: false },
      message: new RegExp(`^${name}: axes \\[1,1\\] name an axis twice`),
    },
    {
      title: 'bool',
      inputs: [{ shape: [2, 3], dtype: 'bool', values: { below: 2 } }],
      attrs: { axes: [1], keepDims: false },
      message: new RegExp(`^${name}: x must be ${accepts.join(' or ')}, got bool\\[2,3\\]`),
    },
  ];
  if (empty === 'refused') {
    rejects.push({
      title: 'nothing to reduce',
      inputs: [{ shape: [2, 0] }],
      attrs: { axes: [1], keepDims: false },
      message: new RegExp(`^${name}: nothing to reduce: f32\\[2,0\\] has no elements over axes \\[1\\]`),
    });
  }
  return rejects;
}
