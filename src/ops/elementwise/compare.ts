/**
 * Comparisons and logic of two operands with NumPy broadcasting → bool. No gradient flows through them.
 * NaN compares as in IEEE 754: unequal to everything, itself included, and in no order.
 */

import type { Op } from '../../core/op.ts';
import { defineComparison } from '../define.ts';

/** a = b. */
export const equal = defineComparison({
  name: 'equal',
  doc: 'a = b, elementwise → bool; NaN equals nothing.',
  accepts: ['f32', 'i32', 'u32', 'bool'],
  f: (a, b) => a === b,
  wgsl: (a, b) => `${a} == ${b}`,
});

/** a ≠ b. */
export const notEqual = defineComparison({
  name: 'notEqual',
  doc: 'a ≠ b, elementwise → bool; NaN is unequal to everything.',
  accepts: ['f32', 'i32', 'u32', 'bool'],
  f: (a, b) => a !== b,
  // Not `a != b`: Tint makes that an ordered comparison, which is false with NaN.
  wgsl: (a, b) => `!(${a} == ${b})`,
});

/** a < b. */
export const less = defineComparison({
  name: 'less',
  doc: 'a < b, elementwise → bool; false with NaN.',
  f: (a, b) => a < b,
  wgsl: (a, b) => `${a} < ${b}`,
});

/** a ≤ b. */
export const lessEqual = defineComparison({
  name: 'lessEqual',
  doc: 'a ≤ b, elementwise → bool; false with NaN.',
  f: (a, b) => a <= b,
  wgsl: (a, b) => `${a} <= ${b}`,
});

/** a > b. */
export const greater = defineComparison({
  name: 'greater',
  doc: 'a > b, elementwise → bool; false with NaN.',
  f: (a, b) => a > b,
  wgsl: (a, b) => `${a} > ${b}`,
});

/** a ≥ b. */
export const greaterEqual = defineComparison({
  name: 'greaterEqual',
  doc: 'a ≥ b, elementwise → bool; false with NaN.',
  f: (a, b) => a >= b,
  wgsl: (a, b) => `${a} >= ${b}`,
});

/** a and b. */
export const logicalAnd = defineComparison({
  name: 'logicalAnd',
  doc: 'a and b, elementwise over bool.',
  accepts: ['bool'],
  f: (a, b) => a !== 0 && b !== 0,
  wgsl: (a, b) => `${a} && ${b}`,
});

/** a or b. */
export const logicalOr = defineComparison({
  name: 'logicalOr',
  doc: 'a or b, elementwise over bool.',
  accepts: ['bool'],
  f: (a, b) => a !== 0 || b !== 0,
  wgsl: (a, b) => `${a} || ${b}`,
});

/** The records of this file. */
export const compareOps: readonly Op[] = [
  equal,
  notEqual,
  less,
  lessEqual,
  greater,
  greaterEqual,
  logicalAnd,
  logicalOr,
];
