/**
 * Constraints: what a weight is projected to after each update, inside the step, by Keras 3's names, defaults and
 * formulas (keras/src/constraints/constraints.py). Each is plain data with a traced function.
 *
 * Invariant: the projection gives a weight of the same shape and depends on the weight alone. Axes are those over which
 * a norm is taken: 0 for the incoming weights of each unit of a dense kernel, [0, 1, 2] for each filter of a 2D kernel.
 * Source: Srebro and Shraibman 2005; Srivastava et al., "Dropout", JMLR 2014, section 5.1 (max-norm).
 */

import type { Tensor } from '../core/tensor.ts';
import { add, div, maximum, mul } from '../ops/elementwise/binary.ts';
import { clip } from '../ops/elementwise/select.ts';
import { sqrt, square } from '../ops/elementwise/unary.ts';
import { sum } from '../ops/reduction/reduce.ts';
import { refuseSurplus, type Surplus } from '../util/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { checkKnownOptions, numberBetween, show } from './check-options.ts';
import { resolveNamed } from './resolve-named.ts';

/** An axis or several; negative ones count from the end. */
export type ConstraintAxis = number | readonly number[];

export interface Constraint {
  readonly name: string;
  /** The options that make it again. */
  readonly config: Readonly<Record<string, number | readonly number[]>>;
  /** True when each value depends on itself alone, so that a flat group of weights can be projected at once. */
  readonly elementwise: boolean;
  /** The weight that is kept instead of `weight`, of its shape; traced once for each program. */
  project(weight: Tensor): Tensor;
}

/** A constraint or the name of one with its default options. */
export type ConstraintLike = ConstraintName | Constraint;

/** Keras' `epsilon()`: keeps a weight of norm 0 from a division by 0. */
const EPSILON = 1e-7;

/** No value below 0. @throws DownhillError `argument` for any option. */
export function nonNeg(options: object = {}, ...surplus: Surplus): Constraint {
  refuseSurplus('nonNeg', surplus);
  checkKnownOptions('nonNeg', options, []);
  return { name: 'nonNeg', config: {}, elementwise: true, project: (w) => maximum(w, 0) };
}

/**
 * Norms along `axis` (0) of at most `maxValue` (2); shorter ones keep theirs.
 * @throws DownhillError `argument` for an option that is not accepted.
 */
export function maxNorm(
  options: { readonly maxValue?: number; readonly axis?: ConstraintAxis } = {},
  ...surplus: Surplus
): Constraint {
  refuseSurplus('maxNorm', surplus);
  checkKnownOptions('maxNorm', options, ['maxValue', 'axis']);
  const maxValue = numberBetween('maxNorm', 'maxValue', options.maxValue ?? 2, 0);
  const axis = checkAxis('maxNorm', options.axis ?? 0);
  return normed('maxNorm', { maxValue, axis }, axis, (norm) => clip(norm, 0, maxValue));
}

/** Norms along `axis` (0) of 1. @throws DownhillError `argument` for an option that is not accepted. */
export function unitNorm(options: { readonly axis?: ConstraintAxis } = {}, ...surplus: Surplus): Constraint {
  refuseSurplus('unitNorm', surplus);
  checkKnownOptions('unitNorm', options, ['axis']);
  const axis = checkAxis('unitNorm', options.axis ?? 0);
  const project = (w: Tensor) => div(w, add(norms(w, axis), EPSILON));
  return { name: 'unitNorm', config: { axis }, elementwise: false, project };
}

export interface MinMaxNormOptions {
  /** 0 when left out. */
  readonly minValue?: number;
  /** 1 when left out. */
  readonly maxValue?: number;
  /** Share of the way to the allowed range that one step goes, in [0, 1]; 1 when left out. */
  readonly rate?: number;
  /** 0 when left out. */
  readonly axis?: ConstraintAxis;
}

/**
 * Norms along `axis` between `minValue` and `maxValue`.
 * @throws DownhillError `argument` for an option that is not accepted or a minimum above the maximum.
 */
export function minMaxNorm(options: MinMaxNormOptions = {}, ...surplus: Surplus): Constraint {
  refuseSurplus('minMaxNorm', surplus);
  checkKnownOptions('minMaxNorm', options, ['minValue', 'maxValue', 'rate', 'axis']);
  const maxValue = numberBetween('minMaxNorm', 'maxValue', options.maxValue ?? 1, 0);
  const minValue = numberBetween('minMaxNorm', 'minValue', options.minValue ?? 0, 0, maxValue);
  const rate = numberBetween('minMaxNorm', 'rate', options.rate ?? 1, 0, 1);
  const axis = checkAxis('minMaxNorm', options.axis ?? 0);
  return normed('minMaxNorm', { minValue, maxValue, rate, axis }, axis, (norm) =>
    add(mul(clip(norm, minValue, maxValue), rate), mul(norm, 1 - rate)),
  );
}

/** All constraints by name. */
export const constraints = { nonNeg, maxNorm, unitNorm, minMaxNorm };

export type ConstraintName = keyof typeof constraints;

/**
 * The constraint that `value` names or is; also accepts the `{ name, config }` of a saved one.
 * @throws DownhillError `argument` for an unknown name, with the nearest one.
 */
export function resolveConstraint(owner: string, value: unknown): Constraint {
  return resolveNamed<Constraint>({ kind: 'constraint', method: 'project', builtIn: constraints }, owner, value);
}

function normed(
  name: string,
  config: Constraint['config'],
  axis: ConstraintAxis,
  desired: (norm: Tensor) => Tensor,
): Constraint {
  const project = (w: Tensor): Tensor => {
    const norm = norms(w, axis);
    return mul(w, div(desired(norm), add(norm, EPSILON)));
  };
  return { name, config, elementwise: false, project };
}

function norms(w: Tensor, axis: ConstraintAxis): Tensor {
  return sqrt(sum(square(w), { axes: axis, keepDims: true }));
}

function checkAxis(owner: string, axis: unknown): ConstraintAxis {
  const axes = Array.isArray(axis) ? axis : [axis];
  if (axes.length > 0 && axes.every((one) => Number.isSafeInteger(one))) return axis as ConstraintAxis;
  throw new DownhillError(
    'argument',
    `${owner}: axis must be a whole number or a list of them, found ${show(axis)}; 0 is usual, [0, 1, 2] for 2D kernels`,
  );
}
