/**
 * Monotonic activation functions, elementwise. The gradient of each reads the output alone, so that a layer need keep
 * no pre-activation and the gradient can be fused into whatever produces dy.
 *
 * Definitions and constants follow Keras 3 (keras/src/activations/activations.py).
 */

import { defineOp, type Op, type Reject, type Tolerance } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { defineUnary, unaryRecord } from '../define.ts';
import { add, mul, sub } from './binary.ts';
import { greater, less, logicalAnd } from './compare.ts';
import { neg } from './neg.ts';
import { where } from './select.ts';
import { abs, expm1, square } from './unary.ts';

const EXPONENTIAL: Tolerance = { relative: 3e-6, source: 'an exponential of 3 + 2·|x| ulp (WGSL 15.7.4.1), |x| ≤ 5' };
const PRODUCT: Tolerance = { relative: 1e-6, source: 'a product or quotient of at most 2.5 ulp (WGSL 15.7.4.1)' };

/** max(x, 0); NaN stays, the gradient at 0 is 0. */
export const relu = defineUnary({
  name: 'relu',
  doc: 'max(x, 0), elementwise; NaN stays NaN, the gradient at 0 is 0. f32.',
  values: 'nonzero',
  tolerance: { relative: 0, source: 'x or 0' },
  f: (x) => (x < 0 ? 0 : x),
  wgsl(x, { use }) {
    use('float');
    return `float_relu(${x})`;
  },
  vjp: (dy, _x, out) => where(greater(out, 0), dy, 0),
});

interface SlopeAttrs {
  readonly alpha: number;
}

type WithSlope = (x: Tensor, options?: { readonly alpha?: number }) => Tensor;

/** x where positive, else alpha (0.2, at least 0) · x. @throws DownhillError `argument` for a negative alpha. */
export const leakyRelu: WithSlope & Op<SlopeAttrs> = defineOp<SlopeAttrs, WithSlope>(
  unaryRecord<SlopeAttrs>(
    {
      name: 'leakyRelu',
      doc: 'x where positive, else alpha · x, elementwise; alpha is 0.2 when left out, as in Keras. f32.',
      values: 'nonzero',
      tolerance: PRODUCT,
      rejects: [negativeAlpha('leakyRelu')],
      f: (x, { alpha }) => (x < 0 ? alpha * x : x),
      wgsl: (x, { attrs, scalar }) => `select(${x}, ${scalar(attrs.alpha)} * ${x}, ${x} < 0.0)`,
      vjp: (dy, _x, out, { alpha }) => where(greater(out, 0), dy, mul(dy, alpha)),
    },
    { alpha: 0.2 },
    (attrs) => checkAlpha('leakyRelu', attrs),
  ),
  (apply) => (x, options) => apply([x], { alpha: checkOptions('leakyRelu', options, ['alpha']).alpha ?? 0.2 }),
);

/** x where positive, else alpha (1, at least 0) · (eˣ - 1). @throws DownhillError `argument` for a negative alpha. */
export const elu: WithSlope & Op<SlopeAttrs> = defineOp<SlopeAttrs, WithSlope>(
  unaryRecord<SlopeAttrs>(
    {
      name: 'elu',
      doc: 'x where positive, else alpha · (eˣ - 1), elementwise; alpha is 1 when left out. f32. Clevert et al. (2015).',
      values: 'nonzero',
      tolerance: EXPONENTIAL,
      flops: 4,
      rejects: [negativeAlpha('elu')],
      f: (x, { alpha }) => (x < 0 ? alpha * Math.expm1(x) : x),
      wgsl(x, { attrs, scalar, use }) {
        use('special');
        return `select(${x}, ${scalar(attrs.alpha)} * special_expm1(${x}), ${x} < 0.0)`;
      },
      vjp: (dy, _x, out, { alpha }) => mul(dy, where(greater(out, 0), 1, add(out, alpha))),
    },
    { alpha: 1 },
    (attrs) => checkAlpha('elu', attrs),
  ),
  (apply) => (x, options) => apply([x], { alpha: checkOptions('elu', options, ['alpha']).alpha ?? 1 }),
);

const SELU = { scale: 1.0507009873554805, alpha: 1.6732632423543772 };

/** scale · elu(x, alpha) with the constants that keep mean 0 and variance 1. */
export const selu = defineUnary({
  name: 'selu',
  doc: 'scale · elu(x, alpha), with the constants of Klambauer et al. (2017) that keep mean 0 and variance 1. f32.',
  values: 'nonzero',
  tolerance: EXPONENTIAL,
  flops: 5,
  f: (x) => SELU.scale * (x < 0 ? SELU.alpha * Math.expm1(x) : x),
  wgsl(x, { use }) {
    use('special');
    return `${SELU.scale} * select(${x}, ${SELU.alpha} * special_expm1(${x}), ${x} < 0.0)`;
  },
  vjp: (dy, _x, out) => mul(dy, where(greater(out, 0), SELU.scale, add(out, SELU.scale * SELU.alpha))),
});

/** 1 / (1 + e⁻ˣ). */
export const sigmoid = defineUnary({
  name: 'sigmoid',
  doc: '1 / (1 + e⁻ˣ), elementwise, without overflow. f32.',
  tolerance: EXPONENTIAL,
  flops: 4,
  f: logistic,
  wgsl(x, { use }) {
    use('special');
    return `special_sigmoid(${x})`;
  },
  vjp: (dy, _x, out) => mul(dy, mul(out, sub(1, out))),
});

/** Hyperbolic tangent. */
export const tanh = defineUnary({
  name: 'tanh',
  doc: 'Hyperbolic tangent, elementwise. f32.',
  tolerance: EXPONENTIAL,
  flops: 6,
  f: Math.tanh,
  wgsl(x, { use }) {
    use('special');
    return `special_tanh(${x})`;
  },
  vjp: (dy, _x, out) => mul(dy, sub(1, square(out))),
});

/** ln(1 + eˣ). */
export const softplus = defineUnary({
  name: 'softplus',
  doc: 'ln(1 + eˣ), elementwise, without overflow. f32.',
  tolerance: EXPONENTIAL,
  flops: 6,
  f: logOnePlusExp,
  wgsl(x, { use }) {
    use('special');
    return `special_softplus(${x})`;
  },
  // The derivative is sigmoid(x) = 1 - e^(-softplus(x)).
  vjp: (dy, _x, out) => neg(mul(dy, expm1(neg(out)))),
});

/** x / (1 + |x|). */
export const softsign = defineUnary({
  name: 'softsign',
  doc: 'x / (1 + |x|), elementwise. f32.',
  // Away from 0: the second derivative jumps there.
  values: 'nonzero',
  tolerance: PRODUCT,
  flops: 2,
  f: (x) => x / (1 + Math.abs(x)),
  wgsl: (x) => `${x} / (1.0 + abs(${x}))`,
  vjp: (dy, _x, out) => mul(dy, square(sub(1, abs(out)))),
});

/** x / 6 + 1/2 within [0, 1]. */
export const hardSigmoid = defineUnary({
  name: 'hardSigmoid',
  doc: 'x / 6 + 1/2 within [0, 1], elementwise, as in Keras 3; no gradient at the ends. f32.',
  samples: [{ title: 'both ends', inputs: [{ shape: [5], values: [-4, -2.5, 0, 2.5, 4] }], attrs: {} }],
  tolerance: PRODUCT,
  flops: 2,
  f: (x) => Math.min(Math.max(x / 6 + 0.5, 0), 1),
  wgsl(x, { use }) {
    use('float');
    return `float_minimum(float_maximum(${x} / 6.0 + 0.5, 0.0), 1.0)`;
  },
  vjp: (dy, _x, out) => where(logicalAnd(greater(out, 0), less(out, 1)), mul(dy, 1 / 6), 0),
});

/** The records of this file. */
export const activationOps: readonly Op[] = [
  relu,
  leakyRelu,
  elu,
  selu,
  sigmoid,
  tanh,
  softplus,
  softsign,
  hardSigmoid,
];

/** 1 / (1 + e⁻ˣ) in f64. */
export function logistic(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

/** ln(1 + eˣ) in f64. */
export function logOnePlusExp(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** With a negative alpha the sign of the output would not tell the sign of x, which the gradient needs. */
function checkAlpha(op: string, { alpha }: SlopeAttrs): void {
  if (!(alpha >= 0)) throw new DownhillError('argument', `${op}: alpha must be at least 0, got ${alpha}`);
}

function negativeAlpha(op: string): Reject<SlopeAttrs> {
  return {
    title: 'negative alpha',
    inputs: [{ shape: [2] }],
    attrs: { alpha: -0.1 },
    message: new RegExp(`^${op}: alpha must be at least 0, got -0.1$`),
  };
}
