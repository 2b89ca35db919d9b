/** neg is by itself because the gradients of arithmetic need it and it needs nothing. */

import { defineUnary } from '../define.ts';

/** -x. */
export const neg = defineUnary({
  name: 'neg',
  doc: '-x, elementwise. f32 or i32.',
  accepts: ['f32', 'i32'],
  tolerance: { relative: 0, source: 'exact in IEEE 754 and WGSL' },
  f: (x) => -x,
  wgsl: (x) => `-${x}`,
  vjp: (dy) => neg(dy),
});
