/**
 * Tunings in a browser: in IndexedDB, one for each adapter. Nothing is loaded by itself: a page that tunes calls
 * `saveTuning` once and `loadTuning` whenever it has opened a backend.
 */

import type { Backend } from '../backend/backend.ts';
import { DownhillError } from '../util/errors.ts';
import { applyTuning, importTuning, makeTuning, type Tuning, tuningMisfit } from './tuning.ts';

const DATABASE = 'downhill';
const STORE = 'tuning';

/**
 * Keeps `tuning` for its adapter, in place of what was kept.
 * @returns where: the store in IndexedDB and the key (in Node, the file's path).
 * @throws DownhillError `state` where there is no IndexedDB, `file` when it refuses.
 */
export async function saveTuning(tuning: Tuning): Promise<string> {
  const key = keyOf(tuning);
  await withStore('readwrite', (store) => store.put(tuning, key));
  return `${DATABASE}/${STORE}/${key}`;
}

/**
 * Uses the tuning that `saveTuning` kept for the backend's adapter.
 * @returns it, or undefined when there is none, or it is of another version or broken.
 * @throws DownhillError as `saveTuning`.
 */
export async function loadTuning(backend: Backend): Promise<Tuning | undefined> {
  const kept = await withStore('readonly', (store) => store.get(keyOf(makeTuning(backend, {}))));
  if (kept === undefined) return undefined;
  let tuning: Tuning;
  try {
    tuning = importTuning(kept, 'the tuning in IndexedDB');
  } catch (error) {
    console.warn(`downhill: ${(error as DownhillError).message}; the default tiles hold`);
    return undefined;
  }
  if (tuningMisfit(backend, tuning) !== undefined) return undefined;
  applyTuning(backend, tuning);
  return tuning;
}

function keyOf({ adapter, adapterType, subgroupSize }: Tuning): string {
  return JSON.stringify([adapter, adapterType, subgroupSize]);
}

/** The result of one request to the store, which is made when it is not there. */
async function withStore(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  if (globalThis.indexedDB === undefined) {
    throw new DownhillError(
      'state',
      'tunings are kept in IndexedDB, which is missing here; keep the text of exportTuning',
    );
  }
  let database: IDBDatabase | undefined;
  try {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    database = await answer(opening);
    return await answer(work(database.transaction(STORE, mode).objectStore(STORE)));
  } catch (cause) {
    throw new DownhillError('file', `IndexedDB refused the tuning: ${(cause as Error).message}`, { cause });
  } finally {
    database?.close();
  }
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
