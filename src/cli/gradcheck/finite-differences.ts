/**
 * Numerical derivatives in f64, to hold analytic ones against.
 *
 * The five-point stencil (8(f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h is off by h⁴f⁽⁵⁾/30 and by about ε|f|/h of
 * rounding; at h = 2e-4 both are below 1e-9 for functions of ordinary size, three digits under the tolerance.
 * Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 25.3.6.
 */

import type { HostRandom } from '../../nn/host-random.ts';

/** A derivative and what it should be. */
export interface Comparison {
  readonly position: number;
  readonly analytic: number;
  readonly numeric: number;
}

/** The derivative of `f` with respect to `x[position]`; `x` is changed and put back. */
export function derivative(f: () => number, x: Float64Array, position: number, h: number): number {
  const at = x[position];
  const value = (offset: number) => {
    x[position] = at + offset;
    return f();
  };
  const near = value(h) - value(-h);
  const far = value(2 * h) - value(-2 * h);
  x[position] = at;
  return (8 * near - far) / (12 * h);
}

/** All positions when there are at most `count`, otherwise `count` different ones at random, in order. */
export function choosePositions(length: number, count: number, random: HostRandom): number[] {
  if (length <= count) return Array.from({ length }, (_, k) => k);
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(Math.floor(random.uniform() * length));
  return [...chosen].sort((a, b) => a - b);
}

/**
 * Largest difference over the largest value: one small component among large ones is not held to its own size, which
 * rounding does not allow. `floor` keeps gradients that are zero throughout from dividing noise by noise.
 */
export function relativeError(comparisons: readonly Comparison[], floor: number): number {
  let difference = 0;
  let size = floor;
  for (const { analytic, numeric } of comparisons) {
    const off = Math.abs(analytic - numeric);
    // NaN would lose every comparison, and so pass.
    if (!(off <= difference)) difference = Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
    size = Math.max(size, Math.abs(analytic), Math.abs(numeric));
  }
  return difference / size;
}
