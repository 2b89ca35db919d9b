/**
 * Version numbers of what runs: the package's own, from its package.json, and that of the `webgpu` package.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The version in the package.json of downhill; both src/cli and dist/cli are two folders below it. */
export function packageVersion(): string {
  return versionIn(new URL('../../package.json', import.meta.url));
}

/** The version of the `webgpu` package, or undefined where it is not installed. */
export function webgpuVersion(): string | undefined {
  try {
    // Its package.json is not exported, so the path is taken from the entry.
    const entry = createRequire(import.meta.url).resolve('webgpu');
    return versionIn(join(dirname(entry), 'package.json'));
  } catch {
    return undefined;
  }
}

function versionIn(path: string | URL): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
