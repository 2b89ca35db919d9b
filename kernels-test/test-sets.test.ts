/**
 * The two sets of test files: each file is in exactly one, `npm run test:all` runs both, and what is named runs
 * wherever it is. Vitest itself is asked, with the configuration of this repository.
 */

import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { mergedDurations, slowestLines } from '../scripts/slowest-tests.ts';
import { testRun } from '../scripts/test.ts';
import { longestFirst, readDurations } from '../scripts/test-durations.ts';
import { patternsOf, TEST_SET_VARIABLE, TEST_SETS } from '../scripts/test-sets.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every file that looks like a test, by the file system. */
const everyFile = readdirSync(join(root, 'kernels-test'), { recursive: true, encoding: 'utf8' })
  .map((path) => `kernels-test/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.test.ts'))
  .sort();

/** The files that Vitest finds with these words and in this set; undefined leaves the variable away. */
async function filesOf(set: string | undefined, ...words: string[]): Promise<string[]> {
  const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')));
  const env = { ...process.env, NO_COLOR: '1', [TEST_SET_VARIABLE]: set };
  const args = [vitest, 'list', '--filesOnly', ...words];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
  return stdout
    .split('\n')
    .filter((line) => line.endsWith('.test.ts'))
    .sort();
}

describe('sets of test files', () => {
  let sets: Readonly<Record<(typeof TEST_SETS)[number], string[]>>;
  beforeAll(async () => {
    const [short, long, all] = await Promise.all(TEST_SETS.map((set) => filesOf(set)));
    sets = { short, long, all };
  });

  test('each file is in exactly one of the two, and test:all has both', () => {
    const { short, long, all } = sets;
    expect(short.filter((path) => long.includes(path))).toEqual([]);
    expect([...short, ...long].sort()).toEqual(all);
    expect(all).toEqual(everyFile);
    expect(short.length + long.length).toBe(everyFile.length);
    expect(Math.min(short.length, 5 * long.length)).toBeGreaterThan(50);
  });

  test('npm test, npm run test:all and .ci/run take the sets that they say', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect([scripts.test, scripts['test:all']]).toEqual(['tsx scripts/test.ts', 'tsx scripts/test.ts --all']);
    expect(scripts['pretest:all']).toBe(scripts.pretest);
    expect(readFileSync(join(root, '.ci/run'), 'utf8')).toMatch(/^tests "tests" npm run -s test:all --$/m);
  });

  test.each<[string[], string, string[]]>([
    [[], 'short', []],
    [['--all'], 'all', []],
    [['--all', '--bail=1'], 'all', ['--bail=1']],
    [['-t', 'seed 3'], 'short', ['-t', 'seed 3']],
    [['--reporter', 'json'], 'short', ['--reporter', 'json']],
    [['kernels-test/zoo'], 'all', ['kernels-test/zoo']],
    [['-t', 'lenet', 'zoo/goldens.long'], 'all', ['-t', 'lenet', 'zoo/goldens.long']],
  ])('%j asks for the set %s', (words, set, args) => {
    expect(testRun(words)).toEqual({ set, args });
  });

  test('a file that takes long runs when it is named, alone or by the folder that it is in', async () => {
    const [long] = sets.long;
    expect(await filesOf(testRun([long]).set, long)).toEqual([long]);
    expect(await filesOf(undefined, long)).toEqual([long]);
  });

  test('a set that there is not is refused', () => {
    expect(() => patternsOf('some')).toThrow(`${TEST_SET_VARIABLE}=some: there are short, long, all`);
  });

  test('a file in two parts has both, and its code goes through support/part.ts', () => {
    const textOf = (path: string) => readFileSync(join(root, path), 'utf8');
    const halves = everyFile.filter((path) => path.endsWith('.long.test.ts') && /^import '\.\//m.test(textOf(path)));
    expect(halves.length).toBeGreaterThan(5);
    for (const half of halves) {
      const whole = half.replace('.long.test.ts', '.test.ts');
      expect(textOf(half), half).toContain(`import './${basename(whole)}';`);
      expect(textOf(whole), whole).toContain('support/part.ts');
    }
    const alone = everyFile.filter((path) => textOf(path).includes('support/part.ts') && path !== SELF);
    for (const path of alone)
      expect(existsSync(join(root, path.replace('.test.ts', '.long.test.ts'))), path).toBe(true);
  });
});

const SELF = 'kernels-test/test-sets.test.ts';

describe('order and report', () => {
  const files = ['fast', 'slow', 'new', 'newer', 'slower'];
  const sizes: Readonly<Record<string, number>> = { new: 10, newer: 20, fast: 5 };

  test('files that take longest start first, unknown ones by their size', () => {
    const order = longestFirst(
      files,
      { slow: 3, slower: 4, fast: 1 },
      (file) => file,
      (file) => sizes[file],
    );
    expect(order).toEqual(['slower', 'slow', 'fast', 'newer', 'new']);
  });

  test('the table has files that are there, the longest first', () => {
    const rows = Object.entries(readDurations());
    expect(rows.length).toBeGreaterThan(20);
    for (const [path] of rows) expect(statSync(join(root, path)).isFile(), path).toBe(true);
    const seconds = rows.map(([, s]) => s);
    expect(seconds).toEqual([...seconds].sort((a, b) => b - a));
  });

  test('what is measured replaces what was, and files that are gone or fast leave the table', () => {
    const merged = mergedDurations({ a: 5, b: 6, gone: 7 }, { a: 8, b: 0.4, c: 2 }, (path) => path !== 'gone');
    expect(Object.entries(merged)).toEqual([
      ['a', 8],
      ['c', 2],
    ]);
  });

  test('the slowest tests are printed, the slowest first', () => {
    const lines = slowestLines(
      [1, 3, 2].map((s) => ({ file: 'x.test.ts', name: `test ${s}`, ms: 1000 * s })),
      2,
    );
    expect(lines).toEqual(['    3.0 s  x.test.ts  test 3', '    2.0 s  x.test.ts  test 2']);
  });
});
