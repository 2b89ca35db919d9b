/** Test helper: runs the command line in a process of its own, as a user does, built once for all tests. */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { MNIST_FILES, MNIST_PARTS, type MnistBytes } from '../../src/data/sets/mnist.ts';
import { tinyMnist } from '../data/idx-bytes.ts';
import { builtSources } from '../support/built-sources.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface CliRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Added to the environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Hears of stderr as it comes, and may send a signal. */
  readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** The same for stdout. */
  readonly onStdout?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** Runs the sources through tsx, as `npm start` does: ten times as long to load. */
  readonly sources?: boolean;
}

/** `downhill ...words`. */
export async function runCli(
  words: readonly string[],
  { env = {}, onStderr, onStdout, sources = false }: CliOptions = {},
): Promise<CliRun> {
  const start = sources ? ['--import', 'tsx', 'src/cli/main.ts'] : [(await builtSources()).command];
  const child = spawn(process.execPath, [...start, ...words], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
    onStdout?.(stdout, (signal) => child.kill(signal));
  });
  child.stderr.on('data', (data) => {
    stderr += data;
    onStderr?.(stderr, (signal) => child.kill(signal));
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** The result that `--json` leaves on the last line, after a check that the command succeeded. */
export async function jsonOf(
  words: readonly string[],
  options: CliOptions & { status?: number } = {},
): Promise<Record<string, unknown> & { stderr: string }> {
  const { status, stdout, stderr } = await runCli([...words, '--json'], options);
  expect(status, stderr).toBe(options.status ?? 0);
  const lines = stdout.split('\n');
  expect(lines.pop(), 'the last line ends').toBe('');
  expect(lines, 'stdout holds the result alone').toHaveLength(1);
  return { ...JSON.parse(lines[0]), stderr };
}

/**
 * Expects a refusal: exit status 1, nothing on stdout, one message without a stack trace that says all of `messages`.
 */
export async function expectCliRefusal(
  words: readonly string[],
  messages: readonly (string | RegExp)[],
  options: CliOptions = {},
): Promise<void> {
  const { status, stdout, stderr } = await runCli(words, { ...options, env: { DEBUG: undefined, ...options.env } });
  expect(status, stderr).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^error: /m);
  // Dawn prints places in its own C++ when it finds no driver; those are not ours.
  expect(stderr).not.toMatch(/^\s+at .*(\.[jt]s|node:)/m);
  expect(stderr).not.toContain('unexpected error');
  for (const message of messages) expect(stderr).toMatch(message);
}

/** Writes a data folder of five tiny images, with some of the files replaced. @returns its path. */
export async function tinyDataFolder(path: string, change: Partial<MnistBytes> = {}): Promise<string> {
  await mkdir(path, { recursive: true });
  const files = { ...tinyMnist(), ...change };
  for (const part of MNIST_PARTS) await writeFile(join(path, MNIST_FILES[part]), files[part]);
  return path;
}
