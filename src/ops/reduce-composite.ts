/**
 * Folds that are formulas in other folds: variance in two passes (no cancellation, unlike E[x²] − E[x]²) and
 * log Σ exp with the maximum taken out.
 */

import type { Op } from '../core/op.ts';
import { alignFold } from './align-fold.ts';
import { add, mul, squaredDifference, sub } from './binary.ts';
import { defineReduce, foldCount, foldTargets, foldWith } from './define-reduce.ts';
import { max, mean, sum } from './reduce.ts';
import { isFinite as isFiniteNumber } from './rounding.ts';
import { where } from './select.ts';
import { reshape } from './shape.ts';
import { exp, log } from './unary.ts';

/** Mean squared distance from the mean over `axes` (all when left out): the population variance, as Keras `ops.var`. */
export const variance = defineReduce({
  name: 'variance',
  doc: 'Mean squared distance from the mean over axes, or axis (all when left out): the population variance. Source: Keras ops.var.',
  accepts: ['f32'],
  empty: 'refused',
  cpu([x], output, { axes }) {
    const count = foldCount(x.shape, axes);
    const targets = foldTargets(x.shape, axes);
    const means = new Float64Array(output.data.length);
    const squares = new Float64Array(output.data.length);
    for (let i = 0; i < targets.length; i++) means[targets[i]] += x.data[i] / count;
    for (let i = 0; i < targets.length; i++) squares[targets[i]] += (x.data[i] - means[targets[i]]) ** 2 / count;
    output.data.set(squares);
  },
  vjp(dy, [x], _output, { axes }) {
    const centered = sub(x, mean(x, { axes, keepDims: true }));
    return [mul(mul(centered, 2 / foldCount(x.shape, axes)), alignFold(dy, x, axes))];
  },
  lower: { kind: 'composite' },
  expand([x], { axes, keepDims }) {
    // One op, which nobody else asks for: `sub` would be shared with a gradient or a normalisation, and then be stored.
    return mean(squaredDifference(x, mean(x, { axes, keepDims: true })), { axes, keepDims });
  },
  tolerance: { relative: 1e-5, source: 'two sums in another order: n · 2⁻²⁴ each' },
});

/** log Σ exp(x) over `axes` (all when left out), without overflow. */
export const logSumExp = defineReduce({
  name: 'logSumExp',
  doc: 'log Σ exp(x) over axes, or axis (all when left out); the maximum is taken out first, so nothing overflows.',
  accepts: ['f32'],
  empty: 'refused',
  cpu([x], output, attrs) {
    const tops = { ...output, data: new Float64Array(output.data.length) };
    foldWith(Number.NEGATIVE_INFINITY, Math.max)([x], tops, attrs);
    const targets = foldTargets(x.shape, attrs.axes);
    const anchor = tops.data.map((top) => (Number.isFinite(top) ? top : 0));
    for (let i = 0; i < targets.length; i++) output.data[targets[i]] += Math.exp(x.data[i] - anchor[targets[i]]);
    for (let o = 0; o < output.data.length; o++) output.data[o] = Math.log(output.data[o]) + anchor[o];
  },
  vjp(dy, [x], output, { axes }) {
    return [mul(exp(sub(x, alignFold(output, x, axes))), alignFold(dy, x, axes))];
  },
  lower: { kind: 'composite' },
  expand([x], { axes, keepDims }) {
    const top = max(x, { axes, keepDims: true });
    // An infinite maximum is not taken out: ∞ − ∞ would be NaN.
    const anchor = where(isFiniteNumber(top), top, 0);
    const total = sum(exp(sub(x, anchor)), { axes, keepDims });
    return add(log(total), reshape(anchor, total.shape));
  },
  samples: [
    {
      title: 'large',
      inputs: [{ shape: [2, 2], values: [1000, 1001, -1000, -1001] }],
      attrs: { axes: [1], keepDims: false },
    },
  ],
  tolerance: { relative: 1e-5, source: 'exp: 3 + 2·|x| ULP; log: 3 ULP' },
});

export const reduceCompositeOps: readonly Op[] = [variance, logSumExp];
