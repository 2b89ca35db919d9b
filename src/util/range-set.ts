/**
 * A set of whole numbers kept as sorted, disjoint, non-touching half-open ranges [from, to): which elements of a buffer
 * have been written.
 */

export class RangeSet {
  readonly #ranges: [from: number, to: number][] = [];

  /** Adds [from, to); an empty range changes nothing. */
  add(from: number, to: number): void {
    if (to <= from) return;
    const ranges = this.#ranges;
    let first = 0;
    while (first < ranges.length && ranges[first][1] < from) first++;
    let last = first;
    while (last < ranges.length && ranges[last][0] <= to) {
      from = Math.min(from, ranges[last][0]);
      to = Math.max(to, ranges[last][1]);
      last++;
    }
    ranges.splice(first, last - first, [from, to]);
  }

  /** How many numbers are in the set. */
  get size(): number {
    return this.#ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  /** The first number of [from, to) that is not in the set, or undefined when all are. */
  firstMissing(from: number, to: number): number | undefined {
    if (to <= from) return undefined;
    const range = this.#ranges.find(([start, end]) => start <= from && from < end);
    if (range === undefined) return from;
    // Ranges do not touch, so what follows this one is missing.
    return range[1] >= to ? undefined : range[1];
  }
}
