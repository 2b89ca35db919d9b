/** The other engines, by their lock file, into bench/peers: on demand, as they are not dependencies of downhill. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../peers/', import.meta.url));

/** Installs what is missing; nothing of downhill changes. @param say hears that it takes a while. */
export function installPeers(say: (text: string) => void): void {
  if (existsSync(`${FOLDER}node_modules/@jax-js/jax`) && existsSync(`${FOLDER}node_modules/@tensorflow/tfjs`)) return;
  say('installing the peers: npm ci in bench/peers (about 300 MB)');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  execFileSync(npm, ['ci', '--no-audit', '--no-fund'], { cwd: FOLDER, stdio: ['ignore', 'ignore', 'inherit'] });
}
