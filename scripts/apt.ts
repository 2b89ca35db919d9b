/**
 * Carries out an InstallPlan with apt-get, as root, with no questions asked and its own output shown as progress.
 *
 * Another apt may be at work (unattended upgrades in a machine just booted), so a held lock is waited for. A sources
 * file that was added for an installation which then failed is removed again.
 */

import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InstallPlan } from './debian.ts';

const LOCK_WAIT_MS = 5 * 60_000;
const LOCK_RETRY_MS = 5_000;

/** Installs the plan's packages. @throws Error with apt's own last words. */
export async function install({ packages, targetRelease, addSource }: InstallPlan): Promise<void> {
  if (addSource) {
    console.log(`adding ${addSource.path}: ${addSource.text.trim()}`);
    writeFileSync(addSource.path, addSource.text);
  }
  try {
    await aptGet(['update']).catch((error: Error) => {
      // Often some third party's source is out of reach, which the packages wanted here do not need.
      console.log(`${error.message}\ngoing on with the package lists as they are`);
    });
    const target = targetRelease === undefined ? [] : ['-t', targetRelease];
    await aptGet(['install', '-y', '--no-install-recommends', ...target, ...packages]);
  } catch (error) {
    if (addSource) rmSync(addSource.path, { force: true });
    throw error;
  }
}

async function aptGet(args: readonly string[]): Promise<void> {
  const giveUpAt = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    console.log(`apt-get ${args.join(' ')}`);
    const { code, errors } = await runAptGet(args);
    if (code === 0) return;
    if (!isLocked(errors) || Date.now() > giveUpAt) {
      throw new Error(`apt-get ${args[0]} failed (${code}): ${errors.trim() || 'no message'}`);
    }
    console.log('another program holds the apt lock; trying again in a few seconds');
    await sleep(LOCK_RETRY_MS);
  }
}

/** Whether apt gave up because another process holds one of its locks. Needs messages in English (LC_ALL=C). */
export function isLocked(errors: string): boolean {
  return /could not get lock|unable to lock|is another process using it/i.test(errors);
}

function runAptGet(args: readonly string[]): Promise<{ code: number; errors: string }> {
  const quiet = ['-q', '-o', 'Dpkg::Use-Pty=0', '-o', 'Acquire::Retries=3'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const child = spawn('apt-get', [...quiet, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stdout.pipe(process.stdout, { end: false });
  child.stderr.pipe(process.stderr, { end: false });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: -1, errors: error.message }));
    child.on('close', (code) => resolve({ code: code ?? -1, errors }));
  });
}
