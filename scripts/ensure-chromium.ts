/**
 * Makes sure that the browser tests have a Chromium. Run by .ci/run only, where the project has browser tests.
 *
 * `CHROMIUM` names a browser to use; otherwise the usual names are looked for on PATH. Where there is none, Debian as
 * root gets its `chromium` package; anyone else is told what to do, and the exit status is 1.
 */

import { spawnSync } from 'node:child_process';
import { install } from './apt.ts';
import { chromiumPlan, type Machine, readMachine, shellCommands } from './debian.ts';
import { runScript } from './run-script.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

export interface Chromium {
  /** What to start. */
  readonly command: string;
  /** What it says of itself, such as `Chromium 140.0.7339.80`. */
  readonly version: string;
}

/** The Chromium to test with, or undefined. */
export function findChromium(): Chromium | undefined {
  for (const command of process.env.CHROMIUM ? [process.env.CHROMIUM] : NAMES) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8', timeout: 30_000 });
    if (status === 0) return { command, version: stdout.trim().split('\n').at(-1) ?? '' };
  }
  return undefined;
}

/** What to tell someone whose machine has no Chromium and cannot be given one from here. */
export function howToGetChromium(machine: Machine): string {
  const plan = chromiumPlan(machine);
  const commands = plan ? shellCommands(plan) : ['install Chromium or Chrome, or set CHROMIUM to its path'];
  return ['no Chromium was found for the browser tests:', ...commands.map((line) => `  ${line}`)].join('\n');
}

async function ensureChromium(): Promise<Chromium> {
  const found = findChromium();
  if (found) return found;
  const machine = readMachine();
  const plan = chromiumPlan(machine);
  if (process.env.CHROMIUM) throw new Error(`CHROMIUM=${process.env.CHROMIUM} does not run; correct it or unset it`);
  if (!plan || !machine.root) throw new Error(howToGetChromium(machine));

  console.log('no Chromium here: installing it for the browser tests');
  await install(plan);
  const installed = findChromium();
  if (!installed) throw new Error('installed chromium, yet it does not run (chromium --version)');
  return installed;
}

runScript(import.meta.url, async () => {
  const { command, version } = await ensureChromium();
  console.log(`Chromium: ${command} (${version})`);
});
