/**
 * Activations of the form x · gate(x): silu, mish, gelu; and erf, the gate of the exact gelu. They fall and rise again,
 * so their gradients need the input.
 */

import { defineOp, type Op, type Tolerance } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { errorFunction } from '../../util/erf.ts';
import { defineUnary, unaryRecord } from '../define.ts';
import { logistic, logOnePlusExp, sigmoid, softplus, tanh } from './activations.ts';
import { add, mul, sub } from './binary.ts';
import { neg } from './neg.ts';
import { exp, square } from './unary.ts';

const EXPONENTIAL: Tolerance = { relative: 3e-6, source: 'an exponential of 3 + 2·|x| ulp (WGSL 15.7.4.1), |x| ≤ 5' };

/** x · sigmoid(x). */
export const silu = defineUnary({
  name: 'silu',
  doc: 'x · sigmoid(x), elementwise (swish). f32. Elfwing et al. (2017).',
  // At -∞ it is -∞ · 0.
  extremes: false,
  tolerance: EXPONENTIAL,
  flops: 5,
  f: (x) => x * logistic(x),
  wgsl(x, { use }) {
    use('special');
    return `${x} * special_sigmoid(${x})`;
  },
  vjp(dy, x) {
    const gate = sigmoid(x);
    return mul(dy, mul(gate, add(1, mul(x, sub(1, gate)))));
  },
});

/** x · tanh(softplus(x)). */
export const mish = defineUnary({
  name: 'mish',
  doc: 'x · tanh(softplus(x)), elementwise. f32. Misra (2019).',
  extremes: false,
  tolerance: EXPONENTIAL,
  flops: 13,
  f: (x) => x * Math.tanh(logOnePlusExp(x)),
  wgsl(x, { use }) {
    use('special');
    return `${x} * special_tanh(special_softplus(${x}))`;
  },
  vjp(dy, x) {
    const gate = tanh(softplus(x));
    return mul(dy, add(gate, mul(x, mul(sub(1, square(gate)), sigmoid(x)))));
  },
});

/** The error function, 2/√π · ∫₀ˣ e^(-t²) dt. */
export const erf = defineUnary({
  name: 'erf',
  doc: 'The error function 2/√π · ∫₀ˣ e^(-t²) dt, elementwise. f32.',
  samples: [
    {
      title: 'over its range',
      inputs: [{ shape: [9], values: [-5, -3, -1, -0.9, 1e-3, 0.7, 0.95, 2, 4.5] }],
      attrs: {},
    },
  ],
  tolerance: { relative: 1e-6, source: "polynomials of 3e-8 (shaders/special.wgsl), Horner's rule and an exponential" },
  flops: 16,
  f: errorFunction,
  wgsl(x, { use }) {
    use('special');
    return `special_erf(${x})`;
  },
  vjp: (dy, x) => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
});

interface GeluAttrs {
  readonly approximate: boolean;
}

type Gelu = (x: Tensor, options?: Partial<GeluAttrs>) => Tensor;

/** x · Φ(x), with Φ the standard normal distribution function; `approximate` (false) takes Φ from a tanh. */
export const gelu: Gelu & Op<GeluAttrs> = defineOp<GeluAttrs, Gelu>(
  unaryRecord<GeluAttrs>(
    {
      name: 'gelu',
      doc:
        'x · Φ(x), elementwise, with Φ the standard normal distribution function; approximate: true takes ' +
        '½ (1 + tanh(√(2/π) (x + 0.044715 x³))) for Φ. f32. Hendrycks & Gimpel (2016).',
      extremes: false,
      samples: [{ title: 'approximate', inputs: [{ shape: [3, 7] }], attrs: { approximate: true } }],
      tolerance: EXPONENTIAL,
      flops: 18,
      f: (x, { approximate }) => x * (approximate ? 0.5 * (1 + Math.tanh(steepness(x))) : normalDistribution(x)),
      wgsl(x, { attrs, use }) {
        use('special');
        return attrs.approximate ? `special_gelu_tanh(${x})` : `special_gelu(${x})`;
      },
      vjp: (dy, x, _out, { approximate }) => mul(dy, approximate ? slopeWithTanh(x) : slopeWithErf(x)),
    },
    { approximate: false },
  ),
  (apply) => (x, options) =>
    apply([x], { approximate: checkOptions('gelu', options, ['approximate']).approximate ?? false }),
);

/** The records of this file. */
export const gatedOps: readonly Op[] = [silu, mish, erf, gelu];

const INNER = Math.sqrt(2 / Math.PI);
const CUBE = 0.044715;

/** Φ(x) + x · φ(x). */
function slopeWithErf(x: Tensor): Tensor {
  const distribution = mul(0.5, add(1, erf(mul(x, Math.SQRT1_2))));
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return add(distribution, mul(x, density));
}

function slopeWithTanh(x: Tensor): Tensor {
  const t = tanh(mul(INNER, add(x, mul(CUBE, mul(x, square(x))))));
  const innerSlope = mul(INNER, add(1, mul(3 * CUBE, square(x))));
  return mul(0.5, add(add(1, t), mul(x, mul(sub(1, square(t)), innerSlope))));
}

function steepness(x: number): number {
  return INNER * (x + CUBE * x ** 3);
}

function normalDistribution(x: number): number {
  return 0.5 * (1 + errorFunction(x * Math.SQRT1_2));
}
