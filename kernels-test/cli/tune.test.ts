/** `downhill tune`, and that the process after it uses what it stored. Processes of their own, as a user has them. */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importTuning, type Tuning } from '../../src/tune/tuning.ts';
import { expectCliRefusal, jsonOf, runCli } from './run-cli.ts';

const TUNE = ['tune', '--model', 'softmax', '--dataset', 'digits', '--batch-size', '16'];
const TRAIN = ['train', '--model', 'softmax', '--limit', '16', '--epochs', '1', '--batch-size', '16'];

let folder: string;
/** As outside of the tests: stored tunings are used. */
let env: Readonly<Record<string, string | undefined>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'downhill-cli-tune-'));
  env = { DOWNHILL_CACHE: folder, DOWNHILL_TUNING: undefined };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The tuning of the last `info`. */
async function tuningInfo(more: typeof env = {}) {
  const { backends } = await jsonOf(['info'], { env: { ...env, ...more } });
  return (backends as { webgpu: { adapter: { tuning: { state: string; kernels: number; reason?: string } } } }).webgpu
    .adapter.tuning;
}

describe('a tuning that is stored', () => {
  let path: string;
  let tuning: Tuning;

  test('is reported, and lies in the cache folder', async () => {
    expect(await tuningInfo()).toMatchObject({ state: 'none', kernels: 0 });
    const report = await jsonOf(TUNE, { env });
    path = report.path as string;
    expect(await readdir(join(folder, 'tuning'))).toHaveLength(1);
    tuning = importTuning(await readFile(path, 'utf8'), path);
    const kernels = report.kernels as { key: string; timed: number }[];
    expect(report).toMatchObject({ model: 'softmax', batchSize: 16, total: kernels.length });
    expect(Object.keys(tuning.entries)).toEqual(expect.arrayContaining(kernels.map(({ key }) => key)));
    expect(report.stderr).toMatch(/^1\/\d matmul/m);
    expect(await tuningInfo()).toMatchObject({ state: 'used', kernels: Object.keys(tuning.entries).length });
  });

  test('is used by the next process, unless DOWNHILL_TUNING=off', async () => {
    // A block that no default has, to know it by.
    const entries = Object.fromEntries(
      Object.entries(tuning.entries).map(([key, entry]) => [
        key,
        { ...entry, tile: { ...entry.tile, rowsPerInvocation: 13 } },
      ]),
    );
    await writeFile(path, JSON.stringify({ ...tuning, entries }));
    const used = await runCli(TRAIN, { env: { ...env, DEBUG: '4' } });
    expect(used.status, used.stderr).toBe(0);
    expect(used.stderr).toContain('const TM = 13u');
    const off = await runCli(TRAIN, { env: { ...env, DEBUG: '4', DOWNHILL_TUNING: 'off' } });
    expect(off.status).toBe(0);
    expect(off.stderr).toContain('const TM = ');
    expect(off.stderr).not.toContain('const TM = 13u');
    expect(await tuningInfo({ DOWNHILL_TUNING: 'off' })).toMatchObject({ state: 'off', reason: 'DOWNHILL_TUNING=off' });
  });

  test('is kept beside that of other batch sizes', async () => {
    await writeFile(path, JSON.stringify(tuning));
    await jsonOf([...TUNE.slice(0, -1), '8'], { env });
    const both = importTuning(await readFile(path, 'utf8'));
    expect(Object.keys(both.entries).length).toBeGreaterThan(Object.keys(tuning.entries).length);
    expect(both.entries).toMatchObject(tuning.entries);
  });

  test('is a warning when it is broken, and nothing more', async () => {
    await writeFile(path, '{"format": "downhill tun');
    const { status, stderr } = await runCli(TRAIN, { env });
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/downhill: the stored tuning is ignored, and the default tiles hold: .*not JSON/);
    expect(await tuningInfo()).toMatchObject({ state: 'corrupt', kernels: 0 });
    const { stdout } = await runCli(['info'], { env });
    expect(stdout).toMatch(/^tuning: stored and not used \(.*not JSON.*\)/m);
    expect(stdout.split(path)).toHaveLength(2);
  });
});

test('--out writes a file to ship and leaves the cache alone; a table says what was found', async () => {
  const out = join(folder, 'page', 'tuning.json');
  const cache = join(folder, 'empty');
  const { status, stdout, stderr } = await runCli([...TUNE, '--out', out], { env: { ...env, DOWNHILL_CACHE: cache } });
  expect(status, stderr).toBe(0);
  expect(Object.keys(importTuning(await readFile(out, 'utf8')).entries).length).toBeGreaterThan(1);
  await expect(readdir(cache)).rejects.toThrow('ENOENT');
  expect(stdout).toMatch(/^kernel +default ms +tuned ms +× +tile$/m);
  expect(stdout).toMatch(/^matmul.* \d+\.\d{3} +\d+\.\d{3} +\d+\.\d\d +\d+×\d+ of \d.* invocations/m);
  expect(stdout).toContain(`written to ${out}`);
});

test('a budget that is spent leaves the rest at its defaults', async () => {
  const report = await jsonOf([...TUNE, '--budget', '0.000001', '--out', join(folder, 'none.json')], { env });
  expect(report).toMatchObject({ kernels: [] });
  expect(report.total).toBeGreaterThan(1);
});

test.each([
  [['tune', '--budget', '0'], [/--budget takes a finite number above 0/]],
  [['tune', '--model', 'lenett'], [/unknown value of --model: "lenett"; did you mean "lenet"/]],
  [['tune', '--bugdet', '3'], [/tune: unknown option --bugdet; did you mean --budget/]],
  [['tune', '--backend', 'cpu', '--model', 'softmax'], [/tune: --backend cpu has no kernels to time/]],
])('%j is refused', (words, messages) => expectCliRefusal(words, messages));
