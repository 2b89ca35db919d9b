/**
 * Do the tests notice? `npx tsx scripts/mutate.ts [part of a name]` makes the mistakes of scripts/mutations.ts one at a
 * time in a copy of the tree, runs the tests named beside each, and tells which of them fail. Exit status 1 when a
 * mistake goes unnoticed, or when the tests fail without one.
 *
 * Invariant: the tree itself is only read. `node_modules` is linked into the copy, not copied.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Mutation, mutations } from './mutations.ts';
import { runScript } from './run-script.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const LEFT_OUT = new Set(['node_modules', '.git', 'runs', 'scratch', 'dist']);

/** What is read of Vitest's JSON report. */
interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** `text` with the mistake in it. @throws Error when the line is not there, or there twice. */
export function applyMutation({ name, file, from, to }: Mutation, text: string): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`mutation "${name}": its line occurs ${parts.length - 1} times in ${file}`);
  return parts.join(to);
}

/** Titles of the tests that failed; a file that did not load counts as one. */
function failingTests(folder: string, tests: readonly string[]): string[] {
  execFileSync('npx', ['--no-install', 'tsx', 'scripts/embed-shaders.ts'], { cwd: folder, stdio: 'ignore' });
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const options = ['--reporter=json', `--outputFile=${report}`, '--passWithNoTests=false'];
  // A few graphs are enough for the fuzzer here.
  const env = { ...process.env, FUZZ: process.env.FUZZ ?? '25' };
  const { status } = spawnSync('npx', ['--no-install', 'vitest', 'run', ...tests, ...options], {
    cwd: folder,
    env,
    stdio: 'ignore',
  });
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  const ran = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter((test) => test.status !== 'skipped');
  const failed = ran.filter((test) => test.status === 'failed').map(({ fullName }) => fullName.trim());
  if (failed.length > 0) return failed;
  if (status === 0 && ran.length === 0) throw new Error(`no test was run by: vitest run ${tests.join(' ')}`);
  return status === 0 ? [] : [`${tests[0]} does not load`];
}

function main(filter: string): void {
  const chosen = mutations.filter(({ name }) => name.includes(filter));
  if (chosen.length === 0) throw new Error(`no mutation has "${filter}" in its name`);
  const folder = mkdtempSync(join(tmpdir(), 'downhill-mutate-'));
  let unnoticed = 0;
  try {
    cpSync(root, folder, {
      recursive: true,
      filter: (path) => !LEFT_OUT.has(relative(root, path).split(/[\\/]/)[0]),
    });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const sound = new Map(chosen.map(({ tests }) => [tests.join(' '), tests]));
    for (const tests of sound.values()) {
      const failed = failingTests(folder, tests);
      if (failed.length > 0) throw new Error(`without any mistake these fail: ${failed.slice(0, 5).join('; ')}`);
    }
    for (const mutation of chosen) {
      const path = join(folder, mutation.file);
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, applyMutation(mutation, text));
      const failed = failingTests(folder, mutation.tests);
      writeFileSync(path, text);
      if (failed.length === 0) unnoticed++;
      const verdict = failed.length === 0 ? 'NOT NOTICED' : `noticed by ${failed.length}, first: ${failed[0]}`;
      console.log(`${mutation.name}\n    ${mutation.file}: ${verdict}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${chosen.length - unnoticed} of ${chosen.length} mistakes noticed`);
  if (unnoticed > 0) process.exitCode = 1;
}

runScript(import.meta.url, () => main(process.argv[2] ?? ''));
