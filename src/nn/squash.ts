/**
 * What capsules have in common: vectors along the last axis whose length, below 1, is the probability that the thing
 * they describe is there.
 * Source: Sabour, Frosst, Hinton, "Dynamic routing between capsules", NeurIPS 2017, equation 1.
 */

import type { Tensor } from '../core/tensor.ts';
import { add, div, mul } from '../ops/elementwise/binary.ts';
import { rsqrt, sqrt, square } from '../ops/elementwise/unary.ts';
import { sum } from '../ops/reduction/reduce.ts';

/** Added below roots, so that a vector of zeros has a gradient. */
const TINY = 1e-7;

/** v = s · |s|² / (1 + |s|²) / |s|: short vectors shrink to almost nothing, long ones to length just below 1. */
export function squash(s: Tensor): Tensor {
  const squares = sum(square(s), { axes: -1, keepDims: true });
  return mul(s, mul(div(squares, add(squares, 1)), rsqrt(add(squares, TINY))));
}

/** [..., D] → [...]: the length of each vector. */
export function lengths(v: Tensor): Tensor {
  return sqrt(add(sum(square(v), { axes: -1 }), TINY));
}
