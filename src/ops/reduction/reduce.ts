/**
 * Plain reductions: mean, prod, max, min, and sum from sum.ts. See arg-reduce.ts for positions and reduce-composite.ts
 * for what is built from them.
 *
 * On the device every reduction runs in an order fixed by the plan (no atomics), so the same plan gives the same bits.
 */

import type { Op, Vjp } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { div, mul } from '../elementwise/binary.ts';
import { cast } from '../elementwise/cast.ts';
import { equal, logicalAnd } from '../elementwise/compare.ts';
import { where } from '../elementwise/select.ts';
import {
  BLOCKED_SUMMATION,
  defineReduce,
  type ReduceAttrs,
  reducedCount,
  reduceMoments,
  reduceWith,
} from './define-reduce.ts';
import { equalValues, long, odd, tall } from './reduce-samples.ts';
import { alignReduced, spread, sum } from './sum.ts';

export { sum } from './sum.ts';

const NUMBERS = ['f32', 'i32', 'u32'] as const;

/** Mean over `axes` (all when left out). */
export const mean = defineReduce({
  name: 'mean',
  doc: 'Mean over axes, or axis (all when left out). f32.',
  accepts: ['f32'],
  empty: 'refused',
  cpu: ([x], output, { axes }) => output.data.set(reduceMoments(x, axes).means),
  vjp: (dy, [x], _output, { axes }) => [spread(mul(dy, 1 / reducedCount(x.shape, axes)), x, axes)],
  lower: {
    runs: {
      library: 'center',
      state: 'Center',
      init: 'Center(0.0, 0.0)',
      run: { state: 'f32', init: '0.0' },
      step: (run, x, acc) => `${run} + (${x} - ${acc}.base)`,
      close: (acc, run, { turn, before, count }) =>
        `center_add(${acc}, ${run}, ${turn}, f32(${before}), f32(${count}))`,
      words: (acc) => [`${acc}.base + ${acc}.rest`],
      restore: ([word]) => `Center(${word}, 0.0)`,
      merge: (acc, chunk, { turn, before, count }) =>
        `center_merge(${acc}, ${chunk}, ${turn}, f32(${before}), f32(${count}))`,
      finish: (acc) => `${acc}.base + ${acc}.rest`,
    },
  },
  samples: [long, equalValues, tall, odd],
  tolerance: BLOCKED_SUMMATION,
});

/** Product over `axes` (all when left out); integers wrap. */
export const prod = defineReduce({
  name: 'prod',
  doc:
    'Product over axes, or axis (all when left out); integers wrap. The product of nothing is 1. The gradient is right with zeros ' +
    'too: each element gets the product of the others.',
  accepts: NUMBERS,
  empty: 'allowed',
  values: 'positive',
  cpu([x], output, attrs) {
    const multiply = x.dtype === 'f32' ? (product: number, value: number) => product * value : Math.imul;
    reduceWith(1, multiply)([x], output, attrs);
  },
  vjp: (dy, [x], _output, { axes }) => [mul(alignReduced(dy, x, axes), productOfOthers(x, axes))],
  lower: {
    chain: {
      state: ({ output }) => output.dtype,
      init: ({ output }) => `${output.dtype}(1)`,
      step: (acc, x) => `${acc} * ${x}`,
      merge: (a, b) => `${a} * ${b}`,
    },
  },
  samples: [
    {
      title: 'rows with no, one and two zeros',
      inputs: [{ shape: [3, 3], values: [2, -3, 0.5, 0, 3, -2, 0, 1, 0] }],
      attrs: { axes: [1], keepDims: false },
    },
    odd,
  ],
  tolerance: { relative: 1e-5, source: 'one rounding of 2⁻²⁴ a factor, in any order; at most 64 factors here' },
});

/** For each element, the product of the other elements of its reduction. */
function productOfOthers(x: Tensor, axes: readonly number[]): Tensor {
  const kept = { axes, keepDims: true };
  const isZero = equal(x, 0);
  const nonzero = where(isZero, 1, x);
  const product = prod(nonzero, kept);
  const zeros = sum(cast(isZero, 'f32'), kept);
  const atTheOnlyZero = logicalAnd(isZero, equal(zeros, 1));
  return where(equal(zeros, 0), div(product, nonzero), where(atTheOnlyZero, product, 0));
}

/** Shares dy equally among the elements that equal the extreme, as JAX does. */
const shareAmongTies: Vjp<ReduceAttrs> = (dy, [x], output, { axes }) => {
  const isExtreme = cast(equal(x, alignReduced(output, x, axes)), 'f32');
  const ties = sum(isExtreme, { axes, keepDims: true });
  return [mul(isExtreme, div(alignReduced(dy, x, axes), ties))];
};

/** Largest element over `axes` (all when left out); NaN when there is one. */
export const max = defineReduce({
  name: 'max',
  doc: 'Largest element over axes, or axis (all when left out); NaN when there is one. Ties share the gradient equally, as in JAX.',
  accepts: NUMBERS,
  empty: 'refused',
  values: 'distinct',
  cpu: reduceWith(Number.NEGATIVE_INFINITY, Math.max),
  vjp: shareAmongTies,
  lower: {
    chain: {
      state: ({ output }) => output.dtype,
      init({ output: { dtype }, scalar }) {
        if (dtype === 'f32') return scalar(Number.NEGATIVE_INFINITY);
        return dtype === 'i32' ? 'bitcast<i32>(0x80000000u)' : '0u';
      },
      step(acc, x, _r, { output, use }) {
        if (output.dtype !== 'f32') return `max(${acc}, ${x})`;
        use('float');
        return `float_maximum(${acc}, ${x})`;
      },
      merge(a, b, { output, use }) {
        if (output.dtype !== 'f32') return `max(${a}, ${b})`;
        use('float');
        return `float_maximum(${a}, ${b})`;
      },
    },
  },
  samples: [odd],
  tolerance: { relative: 0, source: 'one of the elements' },
});

/** Smallest element over `axes` (all when left out); NaN when there is one. */
export const min = defineReduce({
  name: 'min',
  doc: 'Smallest element over axes, or axis (all when left out); NaN when there is one. Ties share the gradient equally, as in JAX.',
  accepts: NUMBERS,
  empty: 'refused',
  values: 'distinct',
  cpu: reduceWith(Number.POSITIVE_INFINITY, Math.min),
  vjp: shareAmongTies,
  lower: {
    chain: {
      state: ({ output }) => output.dtype,
      init({ output: { dtype }, scalar }) {
        if (dtype === 'f32') return scalar(Number.POSITIVE_INFINITY);
        return dtype === 'i32' ? '0x7fffffffi' : '0xffffffffu';
      },
      step(acc, x, _r, { output, use }) {
        if (output.dtype !== 'f32') return `min(${acc}, ${x})`;
        use('float');
        return `float_minimum(${acc}, ${x})`;
      },
      merge(a, b, { output, use }) {
        if (output.dtype !== 'f32') return `min(${a}, ${b})`;
        use('float');
        return `float_minimum(${a}, ${b})`;
      },
    },
  },
  samples: [odd],
  tolerance: { relative: 0, source: 'one of the elements' },
});

/** The records of this file. */
export const reduceOps: readonly Op[] = [mean, prod, max, min];
