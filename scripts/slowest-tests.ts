/**
 * Reporter for Vitest: prints the twenty slowest tests at the end of a run of more than one file. With
 * UPDATE_DURATIONS=1 it also writes the seconds of each file into scripts/test-durations.json, which orders later runs
 * (test-durations.ts).
 */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Reporter, TestModule } from 'vitest/node';
import { DURATIONS_FILE, type Durations, pathOf, readDurations } from './test-durations.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const SHOWN = 20;
/** Faster files are as good in any order. */
const LEAST_SECONDS = 1;

export interface TimedTest {
  readonly file: string;
  readonly name: string;
  readonly ms: number;
}

/** Lines for a person: the slowest of `tests`, the slowest first. */
export function slowestLines(tests: readonly TimedTest[], count = SHOWN): string[] {
  const slowest = [...tests].sort((a, b) => b.ms - a.ms).slice(0, count);
  return slowest.map(({ file, name, ms }) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${file}  ${name}`);
}

/** `before` with what was measured now, without files that are gone or fast. */
export function mergedDurations(before: Durations, now: Durations, isThere: (path: string) => boolean): Durations {
  const rows = Object.entries({ ...before, ...now }).filter(([path, s]) => s >= LEAST_SECONDS && isThere(path));
  return Object.fromEntries(rows.sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
}

export default class SlowestTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (process.env.UPDATE_DURATIONS) this.update(modules);
    if (modules.length < 2) return;
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()]
        .filter((test) => test.result().state !== 'skipped')
        .map((test) => ({
          file: pathOf(module.moduleId),
          // Not as Vitest writes the names of tests that failed: who looks for those must not find these.
          name: test.fullName.replaceAll(' > ', ' › '),
          ms: test.diagnostic()?.duration ?? 0,
        })),
    );
    console.log(['', `The ${Math.min(SHOWN, tests.length)} slowest tests:`, ...slowestLines(tests), ''].join('\n'));
  }

  private update(modules: readonly TestModule[]): void {
    const seconds = (module: TestModule): number => {
      const { duration, collectDuration } = module.diagnostic();
      return Math.round((duration + collectDuration) / 100) / 10;
    };
    const now = Object.fromEntries(modules.map((module) => [pathOf(module.moduleId), seconds(module)]));
    const all = mergedDurations(readDurations(), now, (path) => existsSync(join(root, path)));
    writeFileSync(DURATIONS_FILE, `${JSON.stringify(all, null, 2)}\n`);
  }
}
