/**
 * A random matrix with orthonormal columns, on the host: Gram and Schmidt's process on standard normal columns, in f64
 * and twice over each column, so that rounding does not pile up.
 *
 * Invariant: the diagonal of R is positive, hence the matrix is uniform over all such matrices.
 * Source: Mezzadri, "How to Generate Random Matrices from the Classical Compact Groups", 2007; Saxe et al., ICLR 2014.
 */

import type { HostRandom } from './host-random.ts';

/** `columns` ≤ `rows` columns at right angles and of norm 1, each an array of `rows` numbers. */
export function orthonormalColumns(random: HostRandom, rows: number, columns: number): Float64Array[] {
  const done: Float64Array[] = [];
  while (done.length < columns) {
    const column = Float64Array.from({ length: rows }, () => random.normal());
    const before = norm(column);
    for (let pass = 0; pass < 2; pass++) for (const other of done) takeAway(column, other);
    const length = norm(column);
    // A column in the span of the others has no direction of its own: another is drawn.
    if (length <= 1e-10 * before) continue;
    done.push(column.map((value) => value / length));
  }
  return done;
}

function takeAway(column: Float64Array, other: Float64Array): void {
  let product = 0;
  for (let i = 0; i < column.length; i++) product += column[i] * other[i];
  for (let i = 0; i < column.length; i++) column[i] -= product * other[i];
}

function norm(column: Float64Array): number {
  let sum = 0;
  for (const value of column) sum += value * value;
  return Math.sqrt(sum);
}
