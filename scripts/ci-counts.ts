/**
 * Turns a Vitest JSON report into the two numbers of `.ci/run`'s last line: `tsx scripts/ci-counts.ts REPORT.json`
 * prints `PASSED FAILED`. A file that failed to load counts as one failure though it ran no test, and so does each test
 * that was skipped: nothing in this suite may be skipped. A report that is missing or empty is a failure too.
 */

import { readFileSync } from 'node:fs';
import { runScript } from './run-script.ts';

export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

export function countTests(report: VitestReport): { passed: number; failed: number } {
  let passed = 0;
  let failed = 0;
  for (const file of report.testResults) {
    const good = file.assertionResults.filter((test) => test.status === 'passed').length;
    const bad = file.assertionResults.length - good;
    passed += good;
    failed += bad === 0 && file.status !== 'passed' ? 1 : bad;
  }
  return passed + failed === 0 ? { passed: 0, failed: 1 } : { passed, failed };
}

function readReport(path: string): VitestReport {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as VitestReport;
  } catch {
    return { testResults: [] };
  }
}

runScript(import.meta.url, () => {
  const { passed, failed } = countTests(readReport(process.argv[2] ?? ''));
  console.log(`${passed} ${failed}`);
});
