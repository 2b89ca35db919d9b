/**
 * Regularizers: penalties on the values of weights (or on a layer's outputs) that are added to the loss, by Keras 3's
 * names, defaults and formulas (keras/src/regularizers/regularizers.py). Each is plain data with a traced function.
 *
 * Invariant: a penalty depends on the weight alone, so its gradient joins the weight's gradient in the same step.
 * Source: Tikhonov 1943 (l2); Tibshirani 1996 (l1); Zou and Hastie 2005 (both).
 */

import type { Tensor } from '../core/tensor.ts';
import { iota, zeros } from '../ops/create.ts';
import { add, minimum, mul } from '../ops/elementwise/binary.ts';
import { cast } from '../ops/elementwise/cast.ts';
import { notEqual } from '../ops/elementwise/compare.ts';
import { abs, rsqrt, square } from '../ops/elementwise/unary.ts';
import { expandDims } from '../ops/layout/shape.ts';
import { transpose } from '../ops/layout/transpose.ts';
import { matmul } from '../ops/matmul/matmul.ts';
import { sum } from '../ops/reduction/reduce.ts';
import { refuseSurplus, type Surplus } from '../util/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { formatShape } from '../util/shape.ts';
import { checkKnownOptions, numberBetween, oneOf } from './check-options.ts';
import { resolveNamed } from './resolve-named.ts';

export interface Regularizer {
  readonly name: string;
  /** The options that make it again. */
  readonly config: Readonly<Record<string, number | string>>;
  /** f32 [], added to the loss; traced once for each program. `weight` has its own shape. */
  penalty(weight: Tensor): Tensor;
}

/** A regularizer or the name of one with its default options. */
export type RegularizerLike = RegularizerName | Regularizer;

export interface OrthogonalOptions {
  /** 0.01 when left out. */
  readonly factor?: number;
  /** Whether the rows (when left out) or the columns of the matrix shall be at right angles. */
  readonly mode?: 'rows' | 'columns';
}

/** Keras' `epsilon()`: the least norm by which a row is divided. */
const EPSILON = 1e-7;

/** l1 · Σ|w|, l1 0.01 when left out. @throws DownhillError `argument` for an option that is not accepted. */
export function l1(options: { readonly l1?: number } = {}, ...surplus: Surplus): Regularizer {
  refuseSurplus('l1', surplus);
  checkKnownOptions('l1', options, ['l1']);
  const factor = numberBetween('l1', 'l1', options.l1 ?? 0.01, 0);
  return { name: 'l1', config: { l1: factor }, penalty: (w) => mul(sum(abs(w)), factor) };
}

/** l2 · Σw², l2 0.01 when left out. @throws DownhillError `argument` for an option that is not accepted. */
export function l2(options: { readonly l2?: number } = {}, ...surplus: Surplus): Regularizer {
  refuseSurplus('l2', surplus);
  checkKnownOptions('l2', options, ['l2']);
  const factor = numberBetween('l2', 'l2', options.l2 ?? 0.01, 0);
  return { name: 'l2', config: { l2: factor }, penalty: (w) => mul(sum(square(w)), factor) };
}

/**
 * l1 · Σ|w| + l2 · Σw². A factor that is left out is 0; both are 0.01 where a layer names it (`'l1l2'`), as Keras'
 * documentation has it. @throws DownhillError `argument` for an option that is not accepted.
 */
export function l1l2(options: { readonly l1?: number; readonly l2?: number } = {}, ...surplus: Surplus): Regularizer {
  refuseSurplus('l1l2', surplus);
  checkKnownOptions('l1l2', options, ['l1', 'l2']);
  const first = numberBetween('l1l2', 'l1', options.l1 ?? 0, 0);
  const second = numberBetween('l1l2', 'l2', options.l2 ?? 0, 0);
  return {
    name: 'l1l2',
    config: { l1: first, l2: second },
    penalty(w) {
      const terms = [
        ...(first === 0 ? [] : [mul(sum(abs(w)), first)]),
        ...(second === 0 ? [] : [mul(sum(square(w)), second)]),
      ];
      return terms.length === 0 ? zeros([]) : terms.reduce((a, b) => add(a, b));
    },
  };
}

/**
 * factor · the mean |cosine| between two different rows (or columns) of a matrix.
 * @throws DownhillError `argument` for an option that is not accepted; `shape` at a weight that is not a matrix.
 */
export function orthogonal(options: OrthogonalOptions = {}, ...surplus: Surplus): Regularizer {
  refuseSurplus('orthogonal', surplus);
  checkKnownOptions('orthogonal', options, ['factor', 'mode']);
  const factor = numberBetween('orthogonal', 'factor', options.factor ?? 0.01, 0);
  const mode = oneOf('orthogonal', 'mode', options.mode ?? 'rows', ['rows', 'columns']);
  return {
    name: 'orthogonal',
    config: { factor, mode },
    penalty(w) {
      if (w.rank !== 2) {
        const found = formatShape(w.shape);
        throw new DownhillError('shape', `regularizer orthogonal: takes matrices, found a weight of shape ${found}`);
      }
      const axis = mode === 'rows' ? 1 : 0;
      const size = w.shape[1 - axis];
      if (size < 2) return zeros([]);
      const inverse = minimum(rsqrt(sum(square(w), { axes: axis, keepDims: true })), 1 / EPSILON);
      const unit = mul(w, inverse);
      const across = transpose(unit, [1, 0]);
      const cosines = mode === 'rows' ? matmul(unit, across) : matmul(across, unit);
      const index = iota(size, 'i32');
      const others = cast(notEqual(expandDims(index, 0), expandDims(index, 1)), 'f32');
      return mul(sum(abs(mul(cosines, others))), (0.5 * factor) / ((size * (size - 1)) / 2));
    },
  };
}

/** All regularizers by name. */
export const regularizers = { l1, l2, l1l2, orthogonal };

export type RegularizerName = keyof typeof regularizers;

/**
 * The regularizer that `value` names or is; also accepts the `{ name, config }` of a saved one.
 * @throws DownhillError `argument` for an unknown name, with the nearest one.
 */
export function resolveRegularizer(owner: string, value: unknown): Regularizer {
  const named = { ...regularizers, l1l2: (config: object = { l1: 0.01, l2: 0.01 }) => l1l2(config) };
  return resolveNamed<Regularizer>({ kind: 'regularizer', method: 'penalty', builtIn: named }, owner, value);
}
