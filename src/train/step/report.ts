/**
 * What steps reported, on the host: the logs of one step, and those of all steps so far.
 *
 * Invariant: a value of an epoch is computed from sums over its examples, never from values of batches, which differ in
 * size: precision is not the mean of precisions. Sums are kept in f64; a step's own are f32, exact for counts below
 * 2²⁴.
 */

import { invariant } from '../../util/errors.ts';
import { sizeOf } from '../../util/shape.ts';
import type { StepProgram } from './step-program.ts';

/** The values of one step or one epoch by name: `loss`, `accuracy`, `valLoss`, `valAccuracy`. */
export type Logs = Readonly<Record<string, number>>;

/** A value of the logs and how the numbers that steps report for it become one. */
export interface ReportedValue {
  /** In the logs, and of the graph's output. */
  readonly name: string;
  /**
   * True when steps report numbers that add up, even a single one; a single number is a mean over examples otherwise.
   */
  readonly sums: boolean;
  /** The logged value, from the mean or from the sums. */
  result(totals: ArrayLike<number>): number;
}

/** A value's place in the row of numbers that a step reports. */
export interface ReportEntry extends ReportedValue {
  readonly offset: number;
  readonly width: number;
}

/** Places for `values` one after another, as wide as `program` reports them. */
export function layOutReport(values: readonly ReportedValue[], program: Pick<StepProgram, 'plan'>): ReportEntry[] {
  let offset = 0;
  return values.map((value) => {
    const output = program.plan.outputs.find(({ name }) => name === value.name);
    invariant(output !== undefined, `program "${program.plan.name}" reports no "${value.name}"`);
    const width = sizeOf(output.shape);
    const entry = { ...value, sums: value.sums || width > 1, offset, width };
    offset += width;
    return entry;
  });
}

/** The name of a value over the validation data: `loss` → `valLoss`. */
export function validationName(name: string): string {
  return `val${name[0].toUpperCase()}${name.slice(1)}`;
}

/** One step's report by name. */
export function reportLogs(entries: readonly ReportEntry[], report: ArrayLike<number>): Logs {
  return Object.fromEntries(
    entries.map(({ name, offset, width, result }) => [
      name,
      result(Array.from({ length: width }, (_, k) => report[offset + k])),
    ]),
  );
}

/** The sums behind running values, as plain data. */
export interface ReportSums {
  readonly totals: readonly number[];
  readonly examples: number;
}

/** The report over all steps added so far. */
export class RunningReport {
  private readonly totals: Float64Array;
  private examples = 0;

  /** @param from the sums of steps that were made before, by the same entries. */
  constructor(
    private readonly entries: readonly ReportEntry[],
    from?: ReportSums,
  ) {
    this.totals = new Float64Array(entries.reduce((sum, { width }) => sum + width, 0));
    if (from === undefined) return;
    invariant(from.totals.length === this.totals.length, 'the sums are of another report');
    this.totals.set(from.totals);
    this.examples = from.examples;
  }

  get sums(): ReportSums {
    return { totals: [...this.totals], examples: this.examples };
  }

  /** @param report of a step over `count` examples. */
  add(report: ArrayLike<number>, count: number): void {
    for (const { offset, width, sums } of this.entries) {
      const factor = sums ? 1 : count;
      for (let k = offset; k < offset + width; k++) this.totals[k] += report[k] * factor;
    }
    this.examples += count;
  }

  logs(): Record<string, number> {
    return Object.fromEntries(
      this.entries.map(({ name, offset, width, sums, result }) => {
        const totals = this.totals.subarray(offset, offset + width);
        return [name, result(sums ? totals : [totals[0] / this.examples])];
      }),
    );
  }
}
