/**
 * Elementwise functions of one operand: arithmetic, powers, exponentials and circular functions. Gradients read the
 * output where they can.
 *
 * NaN and infinities give what IEEE 754 and C's <math.h> give. WGSL gives no such promise for them, but drivers keep it
 * for these built-ins; where one was found that does not, the expression tests bits.
 */

import type { Op, Tolerance } from '../../core/op.ts';
import { defineUnary } from '../define.ts';
import { add, div, mul } from './binary.ts';
import { neg } from './neg.ts';

const EXACT: Tolerance = { relative: 0, source: 'exact in IEEE 754 and WGSL' };
const TRIGONOMETRIC: Tolerance = { relative: 5e-4, source: 'WGSL 15.7.4.1: absolute error 2⁻¹¹ inside [-π, π]' };
const EXPONENTIAL: Tolerance = { relative: 3e-6, source: 'WGSL 15.7.4.1: 3 + 2·|x| ulp, |x| ≤ 5 here' };
const LOGARITHM: Tolerance = { relative: 1e-6, source: 'WGSL 15.7.4.1: absolute 2⁻²¹ inside [0.5, 2], else 3 ulp' };
const ROOT: Tolerance = { relative: 1e-6, source: 'WGSL 15.7.4.1: from rsqrt, 2 ulp, and a division, 2.5 ulp' };

/** |x|; the gradient at 0 is 0. */
export const abs = defineUnary({
  name: 'abs',
  doc: '|x|, elementwise; the gradient at 0 is 0. f32 or i32.',
  accepts: ['f32', 'i32'],
  values: 'nonzero',
  tolerance: EXACT,
  f: Math.abs,
  wgsl: (x) => `abs(${x})`,
  vjp: (dy, x) => mul(dy, sign(x)),
});

/** -1, 0 or 1; NaN stays. */
export const sign = defineUnary({
  name: 'sign',
  doc: '-1, 0 or 1, elementwise; NaN stays NaN. Constant almost everywhere: no gradient. f32 or i32.',
  accepts: ['f32', 'i32'],
  tolerance: EXACT,
  f: Math.sign,
  wgsl(x, { inputs, use }) {
    if (inputs[0].dtype === 'i32') return `sign(${x})`;
    use('float');
    return `select(sign(${x}), ${x}, float_is_nan(${x}))`;
  },
  vjp: null,
});

/** x². */
export const square = defineUnary({
  name: 'square',
  doc: 'x², elementwise; integers wrap. f32, i32 or u32.',
  accepts: ['f32', 'i32', 'u32'],
  f: (x) => x * x,
  wgsl: (x) => `${x} * ${x}`,
  vjp: (dy, x) => mul(dy, mul(x, 2)),
});

/** √x; NaN below 0. */
export const sqrt = defineUnary({
  name: 'sqrt',
  doc: '√x, elementwise; NaN below 0, infinite gradient at 0. f32.',
  values: 'positive',
  tolerance: ROOT,
  f: Math.sqrt,
  wgsl: (x) => `sqrt(${x})`,
  vjp: (dy, _x, out) => div(dy, mul(out, 2)),
});

/** 1/√x; infinite at 0, NaN below. */
export const rsqrt = defineUnary({
  name: 'rsqrt',
  doc: '1/√x, elementwise; infinite at 0, NaN below. f32.',
  values: 'positive',
  tolerance: ROOT,
  f: (x) => 1 / Math.sqrt(x),
  wgsl: (x) => `inverseSqrt(${x})`,
  vjp: (dy, _x, out) => mul(dy, mul(-0.5, mul(out, square(out)))),
});

/** 1/x. */
export const reciprocal = defineUnary({
  name: 'reciprocal',
  doc: '1/x, elementwise; infinite at 0. f32.',
  values: 'nonzero',
  tolerance: { relative: 2e-6, source: 'WGSL 15.7.4: division, 2.5 ulp' },
  f: (x) => 1 / x,
  wgsl: (x) => `1.0 / ${x}`,
  vjp: (dy, _x, out) => neg(mul(dy, square(out))),
});

/** eˣ. */
export const exp = defineUnary({
  name: 'exp',
  doc: 'eˣ, elementwise. f32.',
  tolerance: EXPONENTIAL,
  f: Math.exp,
  wgsl(x, { use }) {
    use('float');
    return `float_exp(${x})`;
  },
  vjp: (dy, _x, out) => mul(dy, out),
});

/** eˣ - 1, exact near 0. */
export const expm1 = defineUnary({
  name: 'expm1',
  doc: 'eˣ - 1, elementwise, exact near 0. f32.',
  tolerance: EXPONENTIAL,
  f: Math.expm1,
  wgsl(x, { use }) {
    use('special');
    return `special_expm1(${x})`;
  },
  vjp: (dy, _x, out) => mul(dy, add(out, 1)),
});

/** ln x; -∞ at 0, NaN below. */
export const log = defineUnary({
  name: 'log',
  doc: 'Natural logarithm, elementwise; -∞ at 0, NaN below. f32.',
  values: 'positive',
  tolerance: LOGARITHM,
  f: Math.log,
  wgsl(x, { use, scalar }) {
    use('float');
    return `float_log(${x}, ${scalar(Number.NEGATIVE_INFINITY)}, ${scalar(Number.NaN)})`;
  },
  vjp: (dy, x) => div(dy, x),
});

/** ln(1 + x), exact near 0. */
export const log1p = defineUnary({
  name: 'log1p',
  doc: 'ln(1 + x), elementwise, exact near 0. f32.',
  values: 'unit',
  tolerance: { relative: 3e-6, source: 'as log, absolute 2⁻²¹; 1 + x is near 0.05 at the end of the samples' },
  f: Math.log1p,
  wgsl(x, { use, scalar }) {
    use('special');
    return `special_log1p(${x}, ${scalar(Number.NEGATIVE_INFINITY)}, ${scalar(Number.NaN)})`;
  },
  vjp: (dy, x) => div(dy, add(x, 1)),
});

/** sin x, x in radians. */
export const sin = defineUnary({
  name: 'sin',
  doc: 'sin x, elementwise, x in radians. f32.',
  tolerance: TRIGONOMETRIC,
  f: Math.sin,
  wgsl: (x) => `sin(${x})`,
  vjp: (dy, x) => mul(dy, cos(x)),
});

/** cos x, x in radians. */
export const cos = defineUnary({
  name: 'cos',
  doc: 'cos x, elementwise, x in radians. f32.',
  tolerance: TRIGONOMETRIC,
  f: Math.cos,
  wgsl: (x) => `cos(${x})`,
  vjp: (dy, x) => neg(mul(dy, sin(x))),
});

/** The records of this file. */
export const unaryOps: readonly Op[] = [abs, sign, square, sqrt, rsqrt, reciprocal, exp, expm1, log, log1p, sin, cos];
