/**
 * pow, the one op of two operands that needs functions of one: its gradient takes a logarithm.
 */

import { type BinaryOp, defineBinary } from '../define.ts';
import { unbroadcast } from '../reduction/sum.ts';
import { mul, sub } from './binary.ts';
import { equal, lessEqual } from './compare.ts';
import { where } from './select.ts';
import { log } from './unary.ts';

/** aᵇ as IEEE 754 pow; `square` is cheaper for b = 2. */
export const pow: BinaryOp = defineBinary(
  {
    name: 'pow',
    doc:
      'aᵇ, elementwise, as IEEE 754 pow: a negative base takes whole exponents and gives NaN for others; a⁰ = 1 ' +
      'for every a, and 1ᵇ = 1 for every b. 0 to a negative exponent is infinite, and so is the slope of a root at ' +
      '0. The gradient of b is 0 where a ≤ 0. f32.',
    values: ['positive', 'normal'],
    samples: [
      {
        title: 'negative bases',
        inputs: [
          { shape: [4, 1], values: [-2, -0.5, -1, -3] },
          { shape: [6], values: [3, 2, -1, 0, 0.5, Number.NaN] },
        ],
        attrs: {},
      },
    ],
    tolerance: {
      relative: 2e-5,
      source: 'WGSL 15.7.4.1: as exp2(b · log2 a); log2 is off by 2⁻²¹, times |b| ≤ 4; then 3 + 2·|b · log2 a| ulp',
    },
    flops: 8,
    // JavaScript alone makes NaN of 1 to the power of NaN, and of ±1 to infinite ones.
    f: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b),
    wgsl(a, b, { scalar, use }) {
      use('float');
      return `float_pow(${a}, ${b}, ${scalar(Number.NaN)})`;
    },
    vjp(dy, a, b, out) {
      const slope = where(equal(b, 0), 0, mul(b, pow(a, sub(b, 1))));
      const none = lessEqual(a, 0);
      return [mul(dy, slope), mul(dy, where(none, 0, mul(out, log(where(none, 1, a)))))];
    },
  },
  unbroadcast,
);
