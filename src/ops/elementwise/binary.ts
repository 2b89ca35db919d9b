/**
 * Arithmetic of two operands with NumPy broadcasting. Either operand may be a number.
 *
 * Integers follow WGSL: sums and products wrap, division truncates, x / 0 = x and x mod 0 = 0 (no trap on any device).
 */

import type { Op, Tolerance } from '../../core/op.ts';
import { type BinaryOp, defineBinary } from '../define.ts';
import { unbroadcast } from '../reduction/sum.ts';
import { equal, greaterEqual, lessEqual } from './compare.ts';
import { neg } from './neg.ts';
import { floor } from './rounding.ts';
import { where } from './select.ts';

const NUMBERS = ['f32', 'i32', 'u32'] as const;
const EXACT: Tolerance = { relative: 0, source: 'one of the operands' };

/** a + b. */
export const add: BinaryOp = defineBinary(
  {
    name: 'add',
    doc: 'a + b, elementwise; integers wrap.',
    accepts: NUMBERS,
    f: (a, b) => a + b,
    wgsl: (a, b) => `${a} + ${b}`,
    vjp: (dy) => [dy, dy],
  },
  unbroadcast,
);

/** a - b. */
export const sub: BinaryOp = defineBinary(
  {
    name: 'sub',
    doc: 'a - b, elementwise; integers wrap.',
    accepts: NUMBERS,
    f: (a, b) => a - b,
    wgsl: (a, b) => `${a} - ${b}`,
    vjp: (dy) => [dy, neg(dy)],
  },
  unbroadcast,
);

/** a · b. */
export const mul: BinaryOp = defineBinary(
  {
    name: 'mul',
    doc: 'a · b, elementwise; integers wrap.',
    accepts: NUMBERS,
    f: (a, b, dtype) => (dtype === 'f32' ? a * b : Math.imul(a, b)),
    wgsl: (a, b) => `${a} * ${b}`,
    vjp: (dy, a, b) => [mul(dy, b), mul(dy, a)],
  },
  unbroadcast,
);

/** a / b; integers truncate. */
export const div: BinaryOp = defineBinary(
  {
    name: 'div',
    doc: 'a / b, elementwise; integers truncate toward zero, and a / 0 = a for them, as in WGSL.',
    accepts: NUMBERS,
    values: ['normal', 'nonzero'],
    tolerance: { relative: 1e-6, source: 'WGSL 15.7.4: 2.5 ulp' },
    f: (a, b, dtype) => (dtype === 'f32' ? a / b : b === 0 ? a : Math.trunc(a / b)),
    wgsl: (a, b) => `${a} / ${b}`,
    vjp: (dy, _a, b, out) => [div(dy, b), neg(div(mul(dy, out), b))],
  },
  unbroadcast,
);

/** The remainder with the sign of the divisor: a - b·⌊a/b⌋. */
export const mod: BinaryOp = defineBinary(
  {
    name: 'mod',
    doc:
      'a - b·⌊a/b⌋, elementwise: the remainder with the sign of b, as in Python and NumPy. NaN where b is 0 or an operand ' +
      'is infinite; for integers a mod 0 = 0. In f32 the remainder is meaningful while |a/b| is below 2²³.',
    accepts: NUMBERS,
    values: ['normal', 'positive'],
    samples: [
      {
        // NaN too: there is no gradient where the remainder jumps.
        title: 'multiples and NaN',
        inputs: [
          { shape: [6, 1], values: [6, -6, 9, 7, -7, Number.NaN] },
          { shape: [4], values: [3, -3, 2, -2] },
        ],
        attrs: {},
      },
    ],
    tolerance: { relative: 4e-6, source: 'quotient, product and difference in f32; |a / b| is below 20 here' },
    flops: 4,
    f(a, b, dtype) {
      if (dtype !== 'f32' && b === 0) return 0;
      const remainder = a % b;
      const wrongSign = remainder !== 0 && remainder < 0 !== b < 0;
      return Number.isFinite(b) ? remainder + (wrongSign ? b : 0) : Number.NaN;
    },
    wgsl(a, b, { inputs, use }) {
      if (inputs[0].dtype === 'u32') return `${a} % ${b}`;
      if (inputs[0].dtype === 'i32') {
        return `${a} % ${b} + select(0i, ${b}, ${a} % ${b} != 0i && (${a} % ${b} < 0i) != (${b} < 0i))`;
      }
      use('float');
      return `float_mod(${a}, ${b})`;
    },
    vjp: (dy, a, b) => [dy, neg(mul(dy, floor(div(a, b))))],
  },
  unbroadcast,
);

/** The larger; NaN when one is NaN. At a tie each operand gets half of the gradient (as in JAX). */
export const maximum: BinaryOp = defineBinary(
  {
    name: 'maximum',
    doc: 'The larger of a and b, elementwise; NaN when one is NaN. At a tie each gets half of the gradient, as in JAX.',
    accepts: NUMBERS,
    tolerance: EXACT,
    f: (a, b) => Math.max(a, b),
    wgsl(a, b, { inputs, use }) {
      if (inputs[0].dtype !== 'f32') return `max(${a}, ${b})`;
      use('float');
      return `float_maximum(${a}, ${b})`;
    },
    vjp(dy, a, b) {
      const shared = where(equal(a, b), mul(dy, 0.5), dy);
      return [where(greaterEqual(a, b), shared, 0), where(lessEqual(a, b), shared, 0)];
    },
  },
  unbroadcast,
);

/** The smaller; NaN when one is NaN. At a tie each operand gets half of the gradient (as in JAX). */
export const minimum: BinaryOp = defineBinary(
  {
    name: 'minimum',
    doc: 'The smaller of a and b, elementwise; NaN when one is NaN. At a tie each gets half of the gradient, as in JAX.',
    accepts: NUMBERS,
    tolerance: EXACT,
    f: (a, b) => Math.min(a, b),
    wgsl(a, b, { inputs, use }) {
      if (inputs[0].dtype !== 'f32') return `min(${a}, ${b})`;
      use('float');
      return `float_minimum(${a}, ${b})`;
    },
    vjp(dy, a, b) {
      const shared = where(equal(a, b), mul(dy, 0.5), dy);
      return [where(lessEqual(a, b), shared, 0), where(greaterEqual(a, b), shared, 0)];
    },
  },
  unbroadcast,
);

/** (a - b)². */
export const squaredDifference: BinaryOp = defineBinary(
  {
    name: 'squaredDifference',
    doc: '(a - b)², elementwise; integers wrap.',
    accepts: NUMBERS,
    tolerance: { relative: 2e-6, source: 'a difference and a product, correctly rounded each' },
    flops: 2,
    f: (a, b, dtype) => (dtype === 'f32' ? (a - b) * (a - b) : Math.imul(a - b, a - b)),
    wgsl: (a, b) => `(${a} - ${b}) * (${a} - ${b})`,
    vjp(dy, a, b) {
      const da = mul(dy, mul(sub(a, b), 2));
      return [da, neg(da)];
    },
  },
  unbroadcast,
);

/** The records of this file. */
export const binaryOps: readonly Op[] = [add, sub, mul, div, mod, maximum, minimum, squaredDifference];
