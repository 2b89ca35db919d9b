/**
 * A measurement in a process of its own: nothing is warm, no other engine shares the device, and Mesa's shader cache is
 * off, so that a first step compiles everything. The child's result is the last line of its stdout, as JSON.
 */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const LIMIT_MS = 15 * 60_000;

/** Runs bench/`script` with `args` and gives what it reported. */
export function runChild<T>(script: string, args: readonly string[], env: Record<string, string> = {}): Promise<T> {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, MESA_SHADER_CACHE_DISABLE: 'true', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      try {
        resolve(JSON.parse(last) as T);
      } catch {
        const said = stderr.trimEnd().split('\n').slice(-12).join('\n');
        reject(new Error(`${script} ${args.join(' ')}: ${signal ?? `status ${status}`}, no result\n${said}`));
      }
    });
  });
}
