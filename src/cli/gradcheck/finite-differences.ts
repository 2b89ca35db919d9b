/**
 * Numerical derivatives in f64, to check analytic ones.
 *
 * The five-point stencil (8(f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h is off by h⁴f⁽⁵⁾/30 and by about ε|f|/h of
 * rounding; at h = 2e-4 both are below 1e-9 for functions of ordinary size, three digits under the tolerance.
 * Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 25.3.6.
 */

import type { HostRandom } from '../../nn/host-random.ts';

/** Second differences below this are rounding. */
const BEND_NOISE = 1e-7;

/** A derivative and what it should be. */
export interface Comparison {
  readonly position: number;
  readonly analytic: number;
  readonly numeric: number;
}

/**
 * The derivative of `f` with respect to `x[position]`; `x` is changed and put back. Undefined where `f` has a kink or a
 * jump (a tie of a maximum, a relu at 0): there a difference quotient says nothing. Whether it has one is told by d(h)
 * = (f(x+h) − 2f(x) + f(x−h)) / h, which is h f″ where f is smooth, so that d(2h) = 2 d(h); at a kink d(2h) = d(h), at
 * a jump half of it. The gradient that is being checked has no say in this.
 */
export async function derivative(
  f: () => number | Promise<number>,
  x: Float64Array,
  position: number,
  h: number,
): Promise<number | undefined> {
  const at = x[position];
  const value = (offset: number) => {
    x[position] = at + offset;
    return f();
  };
  const [right, left] = [await value(h), await value(-h)];
  const [farRight, farLeft] = [await value(2 * h), await value(-2 * h)];
  const middle = await value(0);
  const bend = Math.abs(right - 2 * middle + left) / h;
  const farBend = Math.abs(farRight - 2 * middle + farLeft) / (2 * h);
  if (bend > BEND_NOISE && farBend < 1.5 * bend) return undefined;
  return (8 * (right - left) - (farRight - farLeft)) / (12 * h);
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
    if (Number.isNaN(off)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, off);
    size = Math.max(size, Math.abs(analytic), Math.abs(numeric));
  }
  return difference / size;
}
