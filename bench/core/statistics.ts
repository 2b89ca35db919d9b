/**
 * Numbers about repeated measurements. A median represents a series; least and largest show how far it can be trusted.
 */

/** A series of milliseconds in four numbers. */
export interface Series {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

export function seriesOf(values: readonly number[]): Series {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), count: values.length };
}

/** Series of the same, measured in turn, as one: the median of their medians. */
export function together(rounds: readonly Series[]): Series {
  return {
    median: median(rounds.map((series) => series.median)),
    min: Math.min(...rounds.map(({ min }) => min)),
    max: Math.max(...rounds.map(({ max }) => max)),
    count: rounds.reduce((sum, { count }) => sum + count, 0),
  };
}

/** The middle value; the mean of the two in the middle of an even count; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Largest |a − b| / max(|b|, 1e-6) over two series of one length; NaN when a value is not a number. */
export function largestDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.NaN;
  return a.reduce((worst, value, k) => {
    const difference = Math.abs(value - b[k]) / Math.max(Math.abs(b[k]), 1e-6);
    return Number.isNaN(difference) ? Number.NaN : Math.max(worst, difference);
  }, 0);
}
