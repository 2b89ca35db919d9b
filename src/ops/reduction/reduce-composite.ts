/**
 * Reductions that take more than a sum: variance in one walk without cancellation (runs around the mean so far, Chan's
 * merge; shaders/moments.wgsl), and log Σ exp, a formula in other reductions with the maximum taken out.
 */

import type { Op } from '../../core/op.ts';
import { add, mul, sub } from '../elementwise/binary.ts';
import { isFinite as isFiniteNumber } from '../elementwise/rounding.ts';
import { where } from '../elementwise/select.ts';
import { exp, log } from '../elementwise/unary.ts';
import { inDouble } from '../in-double.ts';
import { reshape } from '../layout/shape.ts';
import { defineReduce, reducedCount, reduceMoments, reduceWith, reductionTargets } from './define-reduce.ts';
import { max, mean, sum } from './reduce.ts';
import { alignReduced } from './sum.ts';

/** Mean squared distance from the mean over `axes` (all when left out): the population variance, as Keras `ops.var`. */
export const variance = defineReduce({
  name: 'variance',
  doc: 'Mean squared distance from the mean over axes, or axis (all when left out): the population variance. Source: Keras ops.var.',
  accepts: ['f32'],
  empty: 'refused',
  cpu([x], output, { axes }) {
    const count = reducedCount(x.shape, axes);
    output.data.set(reduceMoments(x, axes).squares.map((square) => square / count));
  },
  vjp(dy, [x], _output, { axes }) {
    const centered = sub(x, mean(x, { axes, keepDims: true }));
    return [mul(mul(centered, 2 / reducedCount(x.shape, axes)), alignReduced(dy, x, axes))];
  },
  lower: {
    runs: {
      library: 'moments',
      state: 'Moments',
      init: 'Moments(0.0, 0.0, 0.0)',
      run: { state: 'MomentsRun', init: 'MomentsRun(0.0, 0.0)' },
      step: (run, x, acc) => `moments_step(${run}, ${x} - ${acc}.base)`,
      close: (acc, run, { turn, before, count }) =>
        `moments_add(${acc}, ${run}, ${turn}, f32(${before}), f32(${count}))`,
      words: (acc) => [`${acc}.base`, `${acc}.rest`, `${acc}.squares`],
      restore: (words) => `Moments(${words.join(', ')})`,
      merge: (acc, chunk, { turn, before, count }) =>
        `moments_merge(${acc}, ${chunk}, ${turn}, f32(${before}), f32(${count}))`,
      finish: (acc, count) => `${acc}.squares / f32(${count})`,
    },
  },
  samples: [
    { title: 'long', inputs: [{ shape: [64, 64] }], attrs: { axes: [0, 1], keepDims: false } },
    { title: 'tall and narrow', inputs: [{ shape: [64, 33, 3] }], attrs: { axes: [0, 1], keepDims: true } },
    {
      title: 'longer',
      inputs: [{ shape: [200_000], values: 'positive' }],
      attrs: { axes: [0], keepDims: false },
    },
    {
      title: 'far from zero',
      inputs: [{ shape: [4], values: [1000, 1001, 1002, 1004] }],
      attrs: { axes: [0], keepDims: false },
    },
  ],
  tolerance: {
    relative: 1e-5,
    source: 'sums of runs around a running mean, no chain longer than a few hundred (Chan, Golub, LeVeque 1983)',
  },
});

/** log Σ exp(x) over `axes` (all when left out), without overflow. */
export const logSumExp = defineReduce({
  name: 'logSumExp',
  doc: 'log Σ exp(x) over axes, or axis (all when left out); the maximum is taken out first, so nothing overflows.',
  accepts: ['f32'],
  empty: 'refused',
  cpu: inDouble(([x], output, attrs) => {
    const tops = { ...output, data: new Float64Array(output.data.length) };
    reduceWith(Number.NEGATIVE_INFINITY, Math.max)([x], tops, attrs);
    const targets = reductionTargets(x.shape, attrs.axes);
    const anchor = tops.data.map((top) => (Number.isFinite(top) ? top : 0));
    for (let i = 0; i < targets.length; i++) output.data[targets[i]] += Math.exp(x.data[i] - anchor[targets[i]]);
    for (let o = 0; o < output.data.length; o++) output.data[o] = Math.log(output.data[o]) + anchor[o];
  }),
  vjp(dy, [x], output, { axes }) {
    return [mul(exp(sub(x, alignReduced(output, x, axes))), alignReduced(dy, x, axes))];
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
