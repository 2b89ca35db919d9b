/**
 * Tunings in Node: a file for each adapter, under `tuning` in the cache folder. A backend that is opened by name takes its
 * adapter's by itself (runtime/use-backend.node.ts).
 *
 * Invariant: nothing that stands in the folder makes a program fail. A file that cannot be used is a warning, and the
 * default tiles hold.
 */

import { join } from 'node:path';
import type { Backend } from '../backend/backend.ts';
import { cacheFolder } from '../util/cache-folder.node.ts';
import { DownhillError } from '../util/errors.ts';
import { readFileBytes, systemCode, writeFileAtomic } from '../util/files.node.ts';
import { fnv1a } from '../util/text.ts';
import { applyTuning, exportTuning, importTuning, makeTuning, type Tuning, tuningMisfit } from './tuning.ts';

/** What is known of the tuning that is stored for an adapter. */
export type StoredTuning = { readonly path: string } & (
  | { readonly state: 'none' }
  | { readonly state: 'usable'; readonly tuning: Tuning }
  /** Of another version of downhill, say: nothing is wrong, but it cannot be used. */
  | { readonly state: 'outdated'; readonly reason: string }
  | { readonly state: 'corrupt'; readonly reason: string }
);

/** The file for tunings of the same adapter as `tuning`. */
export function tuningPath({ adapter, adapterType, subgroupSize }: Tuning, folder = cacheFolder()): string {
  const words = adapter.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const identity = fnv1a(`${adapter}\n${adapterType}\n${subgroupSize}`).toString(16).padStart(8, '0');
  return join(folder, 'tuning', `${[...words, identity].join('-')}.json`);
}

/** Looks for the tuning of the backend's adapter; uses nothing. */
export async function findStoredTuning(backend: Backend, folder = cacheFolder()): Promise<StoredTuning> {
  const path = tuningPath(makeTuning(backend, {}), folder);
  let text: string;
  try {
    text = new TextDecoder().decode(await readFileBytes(path, 'a tuning'));
  } catch (error) {
    const { cause, message } = error as DownhillError;
    return systemCode(cause) === 'ENOENT' ? { path, state: 'none' } : { path, state: 'corrupt', reason: message };
  }
  try {
    const tuning = importTuning(text, path);
    const reason = tuningMisfit(backend, tuning);
    return reason === undefined ? { path, state: 'usable', tuning } : { path, state: 'outdated', reason };
  } catch (error) {
    // Whatever it is: a file in the cache folder must not stop a program.
    return { path, state: 'corrupt', reason: error instanceof DownhillError ? error.message : `${path}: ${error}` };
  }
}

/** Applies the stored tuning of the backend's adapter, if there is one that fits. @param warn hears of a broken file. */
export async function useStoredTuning(
  backend: Backend,
  warn: (message: string) => void = (message) => console.warn(`downhill: ${message}`),
): Promise<StoredTuning> {
  const stored = await findStoredTuning(backend);
  if (stored.state === 'usable') applyTuning(backend, stored.tuning);
  if (stored.state === 'corrupt') {
    warn(
      `the stored tuning is ignored, and the default tiles hold: ${stored.reason}; \`downhill tune\` writes it anew`,
    );
  }
  return stored;
}

/** Keeps `tuning` for its adapter, in place of what was kept. @returns the path. @throws DownhillError `file`. */
export async function saveTuning(tuning: Tuning): Promise<string> {
  const path = tuningPath(tuning);
  await writeFileAtomic(path, exportTuning(tuning));
  return path;
}

/** Uses the tuning that `saveTuning` kept for the backend's adapter. @returns it, or undefined when there is none that fits. */
export async function loadTuning(backend: Backend): Promise<Tuning | undefined> {
  const stored = await useStoredTuning(backend);
  return stored.state === 'usable' ? stored.tuning : undefined;
}
