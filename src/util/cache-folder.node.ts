/** Where downhill keeps what it can make or fetch again: data sets, tunings. */

import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The cache folder: DOWNHILL_CACHE where it is set and not empty, else `downhill` in XDG_CACHE_HOME or in `~/.cache`
 * (XDG Base Directory Specification).
 */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return environment.DOWNHILL_CACHE || join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'downhill');
}
