/**
 * What functions of our shader libraries mean in exact arithmetic. They work on the bits of an f32 or are series for
 * one, so their text computed in f64 would still give f32's accuracy: in f64 the evaluator takes these instead, in f32
 * their text.
 *
 * A function that is left out is exact as it is written.
 */

import { errorFunction } from '../../util/erf.ts';

const tanhGelu = (x: number) => x * (0.5 + 0.5 * Math.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));

export const EXACT: Readonly<Record<string, (...args: number[]) => number | boolean>> = {
  float_is_nan: (x) => Number.isNaN(x),
  float_is_finite: (x) => Number.isFinite(x),
  float_maximum: (a, b) => Math.max(a, b),
  float_minimum: (a, b) => Math.min(a, b),
  float_relu: (x) => (x < 0 ? 0 : x),
  float_exp: (x) => Math.exp(x),
  float_log: (x) => Math.log(x),
  // IEEE 754, where JavaScript makes NaN of 1 to the power of NaN and of ±1 to infinite ones.
  float_pow: (a, b) => (a === 1 || (a === -1 && !Number.isFinite(b) && !Number.isNaN(b)) ? 1 : a ** b),
  special_keep_nan: (x, ofX) => (Number.isNaN(x) ? x : ofX),
  special_expm1: (x) => Math.expm1(x),
  special_log1p_inside: (x) => Math.log1p(x),
  special_log1p: (x) => Math.log1p(x),
  special_tanh: (x) => Math.tanh(x),
  special_erf: (x) => errorFunction(x),
  special_gelu: (x) => x * (0.5 + 0.5 * errorFunction(x * Math.SQRT1_2)),
  special_gelu_tanh: tanhGelu,
  philox_affine: (x, scale, shift) => Math.fround(Math.fround(x * scale) + shift),
};
