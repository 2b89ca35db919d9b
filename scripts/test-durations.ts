/**
 * How long test files take, in seconds, from scripts/test-durations.json: those that run longest start first, so that
 * none is still running when all others are done. Only the order depends on it. `UPDATE_DURATIONS=1 npm run test:all`
 * measures anew (slowest-tests.ts); files that are not in the table come after it, the largest first.
 */

import { readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = fileURLToPath(new URL('..', import.meta.url));

export const DURATIONS_FILE = fileURLToPath(new URL('../scripts/test-durations.json', import.meta.url));

/** Seconds by path from the root. */
export type Durations = Readonly<Record<string, number>>;

export function readDurations(): Durations {
  return JSON.parse(readFileSync(DURATIONS_FILE, 'utf8')) as Durations;
}

export const pathOf = (file: string): string => relative(root, file).replaceAll('\\', '/');

/** `files` in the order in which they start. @param sizeOf bytes of a file. */
export function longestFirst<T>(
  files: readonly T[],
  durations: Durations,
  path: (file: T) => string,
  sizeOf: (file: T) => number,
): T[] {
  const seconds = (file: T): number => durations[path(file)] ?? 0;
  return [...files].sort((a, b) => seconds(b) - seconds(a) || sizeOf(b) - sizeOf(a));
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const path = ({ moduleId }: TestSpecification): string => pathOf(moduleId);
    return longestFirst(files, readDurations(), path, ({ moduleId }) => statSync(moduleId).size);
  }
}
