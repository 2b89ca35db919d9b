/**
 * Exponential smoothing of a noisy series, free of the bias towards the start: what is left of a value after a way of x
 * is `strength` ** x, so that points that were merged or left out change nothing about how smooth the line is.
 * Source: the bias correction of D. P. Kingma and J. Ba, "Adam" (2015), section 3, on uneven distances.
 */

export type Value = number | null;

/**
 * @param xs places, which do not fall. @param ys values; `null` and what is not finite have no place in the mean.
 * @param strength 0 (the values themselves) to below 1. @returns a value wherever `ys` has a finite one, else `null`.
 */
export function smoothed(xs: readonly number[], ys: readonly Value[], strength: number): Value[] {
  let sum = 0;
  let weight = 0;
  let last: number | undefined;
  return ys.map((value, k) => {
    if (value === null || !Number.isFinite(value)) return null;
    const way = last === undefined ? 1 : xs[k] - last;
    last = xs[k];
    const kept = strength === 0 ? 0 : strength ** way;
    sum = kept * sum + (1 - kept) * value;
    weight = kept * weight + (1 - kept);
    return sum / weight;
  });
}
