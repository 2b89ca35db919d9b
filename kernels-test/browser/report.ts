/**
 * The outcome of the checks: lines for a person, a summary, and, on request, a report in the form of Vitest's JSON, so
 * that .ci/run counts each check (scripts/ci-counts.ts) as it counts tests: `--outputFile.json=PATH`, as Vitest has it.
 */

import { writeFileSync } from 'node:fs';
import type { VitestReport } from '../../scripts/ci-counts.ts';
import type { CheckResult } from './page/check.ts';

export class Outcome {
  private readonly results: CheckResult[] = [];

  /** @param suite what was checked, for the summary: the folder of kernels-test/. */
  constructor(private readonly suite = 'browser') {}

  /** Takes a result in, and prints it. */
  add(result: CheckResult): void {
    this.results.push(result);
    const { name, passed, detail, ms } = result;
    console.log(`${passed ? 'ok  ' : 'FAIL'} ${name} (${ms.toFixed()} ms)${detail === '' ? '' : `: ${detail}`}`);
  }

  get failed(): number {
    return this.results.filter(({ passed }) => !passed).length;
  }

  /** `browser: N passed, N failed`, by the suite's name. */
  summary(): string {
    return `${this.suite}: ${this.results.length - this.failed} passed, ${this.failed} failed`;
  }

  /** Writes the report to where `args` asks for it, if they do. */
  write(args: readonly string[]): void {
    const option = '--outputFile.json=';
    const path = args.find((arg) => arg.startsWith(option))?.slice(option.length);
    if (path === undefined) return;
    const assertionResults = this.results.map(({ passed }) => ({ status: passed ? 'passed' : 'failed' }));
    const status = this.failed === 0 ? 'passed' : 'failed';
    const report: VitestReport = { testResults: [{ name: `kernels-test/${this.suite}`, status, assertionResults }] };
    writeFileSync(path, JSON.stringify(report));
  }
}
