/**
 * The numbers by which a person judges a tensor: norm, mean, spread, range, share of zeros, histogram. Computed on the
 * host in f64.
 *
 * Invariant: values that are not finite are counted in `nonFinite` and left out of everything else.
 */

import { checkKnownOptions, wholeNumber } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';

export interface TensorStatistics {
  /** Euclidean norm. */
  readonly norm: number;
  readonly mean: number;
  /** Of the population: the mean square deviation's root. */
  readonly std: number;
  readonly min: number;
  readonly max: number;
  /** Share of values that are exactly zero, in [0, 1]. */
  readonly zeros: number;
  /** Count of NaN and infinities. */
  readonly nonFinite: number;
  readonly histogram: Histogram;
}

/** Counts of values in bins of equal width from `low` to `high`; a bin holds its lower edge, the last one both. */
export interface Histogram {
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

/** NaN for norm, mean, std, min, max and zeros of no finite values. */
export function tensorStatistics(data: ArrayLike<number>, bins: number): TensorStatistics {
  let count = 0;
  let zeros = 0;
  let sum = 0;
  let squares = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < data.length; k++) {
    const value = data[k];
    if (!Number.isFinite(value)) continue;
    count++;
    sum += value;
    squares += value * value;
    if (value === 0) zeros++;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = sum / count;
  const nonFinite = data.length - count;
  if (count === 0) {
    const none = Number.NaN;
    const histogram = { low: none, high: none, counts: new Array<number>(bins).fill(0) };
    return { norm: none, mean: none, std: none, min: none, max: none, zeros: none, nonFinite, histogram };
  }
  const counts = new Array<number>(bins).fill(0);
  let deviations = 0;
  for (let k = 0; k < data.length; k++) {
    const value = data[k];
    if (!Number.isFinite(value)) continue;
    deviations += (value - mean) ** 2;
    counts[max === min ? 0 : Math.min(bins - 1, Math.floor((bins * (value - min)) / (max - min)))]++;
  }
  return {
    norm: Math.sqrt(squares),
    mean,
    std: Math.sqrt(deviations / count),
    min,
    max,
    zeros: zeros / count,
    nonFinite,
    histogram: { low: min, high: max, counts },
  };
}

/** The options that the callbacks of training insight share. */
export interface ProbeOptions {
  /** Looks after every so many epochs, the first one included; 1 when left out. */
  readonly every?: number;
}

/** Checks the options of `owner`, of which `required` must be there. @returns `every`. */
export function checkProbe<T extends ProbeOptions>(
  owner: string,
  options: T,
  required: readonly (keyof T & string)[],
  others: readonly string[] = [],
): number {
  checkKnownOptions(owner, options, [...required, 'every', ...others]);
  for (const name of required) {
    if (options[name] !== undefined) continue;
    throw new DownhillError('argument', `${owner}: option "${name}" is missing: the batch on which to look`);
  }
  return wholeNumber(owner, 'every', options.every ?? 1, 1);
}

/** A count of bins. @throws DownhillError `argument`. */
export const checkBins = (owner: string, bins: unknown = 30): number => wholeNumber(owner, 'bins', bins, 1);
