/**
 * Rounding, tests of a value and logical not: elementwise functions that are constant almost everywhere, so none has a
 * gradient. stopGradient is here too: the value itself, on purpose without one.
 */

import type { Op, Tolerance } from '../../core/op.ts';
import { defineUnary } from '../define.ts';

const EXACT: Tolerance = { relative: 0, source: 'exact in WGSL' };

/** Values around the halves, where rounding rules differ. */
const HALVES = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, -1.7, 1.2, 8388609];
const halves = { title: 'halves', inputs: [{ shape: [HALVES.length], values: HALVES }], attrs: {} };

/** The largest whole number ≤ x. */
export const floor = defineUnary({
  name: 'floor',
  doc: 'The largest whole number ≤ x, elementwise. No gradient. f32.',
  samples: [halves],
  tolerance: EXACT,
  f: Math.floor,
  wgsl: (x) => `floor(${x})`,
  vjp: null,
});

/** The smallest whole number ≥ x. */
export const ceil = defineUnary({
  name: 'ceil',
  doc: 'The smallest whole number ≥ x, elementwise. No gradient. f32.',
  samples: [halves],
  tolerance: EXACT,
  f: Math.ceil,
  wgsl: (x) => `ceil(${x})`,
  vjp: null,
});

/** The nearest whole number; halves go to the even one. */
export const round = defineUnary({
  name: 'round',
  doc: 'The nearest whole number, elementwise; halves go to the even one, as in NumPy. No gradient. f32.',
  samples: [halves],
  tolerance: EXACT,
  f(x) {
    const below = Math.floor(x);
    const rest = x - below;
    if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
    return below % 2 === 0 ? below : below + 1;
  },
  wgsl: (x) => `round(${x})`,
  vjp: null,
});

/** True where x is NaN. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name that the field knows it by
export const isNaN = defineUnary({
  name: 'isNaN',
  doc: 'True where x is NaN, elementwise, f32 → bool. The bits are tested: WGSL compilers may assume that no NaN exists.',
  result: 'bool',
  tolerance: EXACT,
  f: (x) => Number(Number.isNaN(x)),
  wgsl(x, { use }) {
    use('float');
    return `float_is_nan(${x})`;
  },
  vjp: null,
});

/** True where x is neither infinite nor NaN. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name that the field knows it by
export const isFinite = defineUnary({
  name: 'isFinite',
  doc: 'True where x is neither infinite nor NaN, elementwise, f32 → bool.',
  result: 'bool',
  tolerance: EXACT,
  f: (x) => Number(Number.isFinite(x)),
  wgsl(x, { use }) {
    use('float');
    return `float_is_finite(${x})`;
  },
  vjp: null,
});

/** Not x. */
export const logicalNot = defineUnary({
  name: 'logicalNot',
  doc: 'Not x, elementwise over bool.',
  accepts: ['bool'],
  tolerance: EXACT,
  f: (x) => 1 - x,
  wgsl: (x) => `!${x}`,
  vjp: null,
});

/** x itself, through which no gradient flows. */
export const stopGradient = defineUnary({
  name: 'stopGradient',
  doc: 'x itself; no gradient flows through it.',
  accepts: ['f32', 'i32', 'u32', 'bool'],
  tolerance: EXACT,
  flops: 0,
  f: (x) => x,
  wgsl: (x) => x,
  vjp: null,
});

/** The records of this file. */
export const roundingOps: readonly Op[] = [floor, ceil, round, isNaN, isFinite, logicalNot, stopGradient];
