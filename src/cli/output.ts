/**
 * Where a command's output goes. People read stdout. With --json, stdout holds one line of JSON, the result, and
 * progress goes to stderr.
 *
 * Invariants: with --json, nothing but `result` writes to stdout, and it writes one line; control characters in names
 * that come from a file do not reach the terminal.
 */

import type { ProgressWriter } from '../train/callbacks/progress-bar.ts';
import { printable } from '../util/show.ts';

export class Output {
  constructor(
    readonly json: boolean,
    private readonly stdout: NodeJS.WriteStream = process.stdout,
    private readonly stderr: NodeJS.WriteStream = process.stderr,
  ) {}

  /** For progress bars. */
  get progress(): ProgressWriter {
    return this.json ? this.stderr : this.stdout;
  }

  /** A line about progress. */
  say(line: string): void {
    this.progress.write(`${printable(line)}\n`);
  }

  /** A line that must not be missed, whatever is done with stdout. */
  warn(line: string): void {
    this.stderr.write(`${printable(line)}\n`);
  }

  /** The result: `data` as JSON, or `lines` for people. */
  result(data: object, lines: readonly string[]): void {
    this.stdout.write(this.json ? `${JSON.stringify(data)}\n` : `${printable(lines.join('\n'))}\n`);
  }
}

/** Rows as text columns, each as wide as its widest cell; the columns of `right` are set to the right. */
export function columns(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, k) => {
      widths[k] = Math.max(widths[k] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, k) => (right.includes(k) ? cell.padStart(widths[k]) : cell.padEnd(widths[k])))
      .join('  ')
      .trimEnd(),
  );
}
