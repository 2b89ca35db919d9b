/**
 * Whether two candidates compute the same: sums in another order, hence not the same bits.
 */

/**
 * Largest difference that is accepted, as a part of the largest magnitude of the result. Sums of K products in [-1, 1]
 * in another order differ by about √K·2⁻²⁴ of it; what reads or writes a wrong element differs by a large part of it.
 */
const TOLERANCE = 1e-3;

/** The first value that differs, in words; undefined when there is none. NaN and infinities must stand in both. */
export function differenceOf(
  found: readonly ArrayLike<number>[],
  expected: readonly ArrayLike<number>[],
): string | undefined {
  for (const [k, values] of expected.entries()) {
    let scale = 0;
    for (let i = 0; i < values.length; i++)
      if (Number.isFinite(values[i])) scale = Math.max(scale, Math.abs(values[i]));
    for (let i = 0; i < values.length; i++) {
      const [a, b] = [found[k][i], values[i]];
      if (Object.is(a, b) || a === b || Math.abs(a - b) <= TOLERANCE * scale) continue;
      return `element ${i} of result ${k} is ${a} for ${b}`;
    }
  }
  return undefined;
}
