/**
 * What steps reported, on the host: one step's values by name, and their means over an epoch.
 */

import type { Logs } from './callbacks/callback.ts';

/** The means over examples of the values that steps report. */
export class MeanReport {
  private readonly sums: Float64Array;
  private examples = 0;

  constructor(private readonly names: readonly string[]) {
    this.sums = new Float64Array(names.length);
  }

  add(report: ArrayLike<number>, count: number): void {
    for (let k = 0; k < this.sums.length; k++) this.sums[k] += report[k] * count;
    this.examples += count;
  }

  logs(): Record<string, number> {
    return Object.fromEntries(this.names.map((name, k) => [name, this.sums[k] / this.examples]));
  }
}

/** One step's report by name. */
export function reportLogs(names: readonly string[], report: ArrayLike<number>): Logs {
  return Object.fromEntries(names.map((name, k) => [name, report[k]]));
}
