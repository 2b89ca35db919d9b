/** Where the GPU time of a step goes, from the command line: counts and sums, not times, which are the machine's. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChromeTrace, TraceEvent } from '../../src/backend/chrome-trace.ts';
import type { ProfileResult } from '../../src/cli/profile-report.ts';
import { describeProfile, profileResult } from '../../src/cli/profile-report.ts';
import { expectCliRefusal, jsonOf, runCli } from './run-cli.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'downhill-profile-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A softmax regression on 28 × 28 digits. */
const words = ['profile', '--model', 'softmax', '--batch-size', '16', '--runs', '2'];

describe('profile', () => {
  test('gives every kernel of the step, and a trace of them', async () => {
    const path = join(folder, 'deep', 'trace.json');
    const json = await jsonOf([...words, '--trace', path]);
    const result = json as unknown as ProfileResult;
    expect(result).toMatchObject({ model: 'softmax', dataset: 'digits', batchSize: 16, runs: 2 });
    const { kernels } = result;
    expect(kernels).toHaveLength(result.dispatches);
    // The forward product: 784 × 10 weights, 16 images, 10 biases; an addition an output besides.
    const product = kernels.find(({ label }) => label.startsWith('matmul+add [16x10x784]'))!;
    expect(product.bytes).toBe(4 * (784 * 10 + 16 * 784 + 10 + 16 * 10));
    expect(product.flops).toBe(2 * 16 * 784 * 10 + 16 * 10);
    // Adam reads gradient, weight and two moments and writes three of them.
    const adam = kernels.find(({ label }) => label.includes(' adam'))!;
    expect(adam.bytes).toBeGreaterThanOrEqual(4 * 7 * 7850);
    expect(adam.bytes).toBeLessThan(4 * 7 * 7850 + 200);
    expect(kernels.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(kernels.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(result.bytes);
    expect(kernels.reduce((sum, { ns }) => sum + ns, 0)).toBe(result.ns);
    expect(result.ns).toBeGreaterThan(0);

    const { traceEvents } = JSON.parse(await readFile(path, 'utf8')) as ChromeTrace;
    const events = traceEvents.filter((event): event is TraceEvent => event.ph === 'X');
    expect(events.map(({ name }) => name)).toEqual(kernels.map(({ label }) => label));
    expect(events.map(({ args }) => args.bytes)).toEqual(kernels.map(({ bytes }) => bytes));
    const starts = events.map(({ ts }) => ts);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(events.reduce((sum, { dur }) => sum + dur, 0)).toBeCloseTo(result.ns / 1000, 3);
  });

  test('prints the slowest first, the rest in one row, the total and the adapter', async () => {
    const { status, stdout, stderr } = await runCli([...words, '--top', '2']);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^2 steps of softmax on 16 examples of digits, \S/m);
    expect(stdout).toMatch(/^ +kernel +µs +% +GFLOP\/s +GB\/s$/m);
    expect(stdout).toMatch(/^ +\d+ more \(--top\) /m);
    expect(stdout).toMatch(/^ +total +[\d.]+ +100\.0 /m);
    expect(stdout).toMatch(/^adapter +\S/m);
  });

  test('takes a config file, as train does', async () => {
    const path = join(folder, 'config.json');
    await writeFile(path, JSON.stringify({ model: 'softmax', optimizer: 'sgd', batchSize: 8 }));
    const result = await jsonOf(['profile', '--config', path, '--runs', '1']);
    expect(result).toMatchObject({ model: 'softmax', batchSize: 8, runs: 1 });
    expect((result.kernels as { label: string }[]).some(({ label }) => label.includes(' sgd'))).toBe(true);
  });
});

describe('profile refuses', () => {
  test('a machine without an adapter, with what to install', () =>
    expectCliRefusal(words, [/a profile needs a GPU or a driver that acts as one/, /mesa-vulkan-drivers/], {
      env: { VK_DRIVER_FILES: '/dev/null' },
    }));

  test('kernels that are compared with the reference', () =>
    expectCliRefusal(words, [/profile: VALIDATE=1 runs every dispatch separately on two backends; unset it/], {
      env: { VALIDATE: '1' },
    }));

  test('a place where no trace can be written', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    const path = join(file, 'trace.json');
    const { status, stderr } = await runCli([...words, '--trace', path]);
    expect([status, existsSync(path)]).toEqual([1, false]);
    expect(stderr).toMatch(/^error: cannot write .*trace\.json: /m);
  });
});

test('the table shows the slowest, in order, and leaves out rates that nothing tells', () => {
  const kernel = (label: string, ns: number, flops: number) => {
    return {
      label,
      ns,
      share: ns / 10_000,
      flops,
      bytes: ns,
      gflops: flops / ns,
      gbs: 1,
      workgroups: [1, 1, 1],
    } as const;
  };
  const kernels = [kernel('copy', 1000, 0), kernel('x'.repeat(80), 6000, 60_000), kernel('reduction', 3000, 300)];
  const result = profileResult({ model: 'm', dataset: 'd', batchSize: 1, runs: 3, adapter: 'a' }, kernels);
  expect(result).toMatchObject({ ns: 10_000, flops: 60_300, bytes: 10_000, gflops: 6.03, gbs: 1 });
  const rows = describeProfile(result, 2)
    .slice(2, 6)
    .map((line) => line.trim().split(/ {2,}/));
  expect(rows).toEqual([
    ['1', `${'x'.repeat(55)}…`, '6.0', '60.0', '10.0', '1.00'],
    ['2', 'reduction', '3.0', '30.0', '0.10', '1.00'],
    ['1 more (--top)', '1.0', '10.0'],
    ['total', '10.0', '100.0', '6.03', '1.00'],
  ]);
  expect(describeProfile(result, 3)[4].trim().split(/ {2,}/)).toEqual(['0', 'copy', '1.0', '10.0', '1.00']);
});
