/**
 * `npm test [-- ARGUMENTS…]` and `npm run test:all [-- ARGUMENTS…]`: Vitest with these arguments, over the short set of
 * test files or over all of them. Whoever names files gets them from both sets: `npm test -- kernels-test/zoo`.
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCLI } from 'vitest/node';
import { runScript } from './run-script.ts';
import { TEST_SET_VARIABLE, type TestSet } from './test-sets.ts';

const ALL = '--all';

/** The set of test files that these words ask for, and the words that are Vitest's. */
export function testRun(words: readonly string[]): { readonly set: TestSet; readonly args: readonly string[] } {
  const args = words.filter((word) => word !== ALL);
  const { filter } = parseCLI(['vitest', 'run', ...args], { allowUnknownOptions: true });
  return { set: words.includes(ALL) || filter.length > 0 ? 'all' : 'short', args };
}

runScript(import.meta.url, async () => {
  const { set, args } = testRun(process.argv.slice(2));
  const package_ = fileURLToPath(import.meta.resolve('vitest/package.json'));
  const child = spawn(process.execPath, [join(package_, '../vitest.mjs'), 'run', ...args], {
    stdio: 'inherit',
    env: { ...process.env, [TEST_SET_VARIABLE]: set },
  });
  // Vitest hears Ctrl-C itself and ends; its status is then ours.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
});
