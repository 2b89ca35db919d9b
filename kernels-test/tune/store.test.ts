/**
 * What becomes of a tuning: as text, in a file of the cache folder that the next process takes, in IndexedDB. And what
 * is refused: other adapters, other versions, tiles that the device cannot run, files that are broken.
 */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createNullBackend } from '../../src/backend/null.ts';
import { isolateContractions } from '../../src/compile/isolate.ts';
import { defaultTile } from '../../src/compile/tiles.ts';
import { findStoredTuning, loadTuning, saveTuning, tuningPath, useStoredTuning } from '../../src/tune/store.node.ts';
import * as browser from '../../src/tune/store.ts';
import {
  applyTuning,
  exportTuning,
  importTuning,
  makeTuning,
  mergeTunings,
  removeTuning,
  type Tuning,
  tuningMisfit,
} from '../../src/tune/tuning.ts';
import { VERSION } from '../../src/util/version.ts';
import { expectRefusal } from '../data/refusal.ts';
import { SOFTWARE_TARGET } from '../support/graphs.ts';
import { GRAPHS } from './graphs.ts';

const entries: Tuning['entries'] = Object.fromEntries(
  isolateContractions(GRAPHS.matmul, SOFTWARE_TARGET).map(({ key, spec, rows, label }) => {
    const tile = { ...defaultTile(spec, rows, SOFTWARE_TARGET), rowsPerInvocation: 3 };
    return [key, { tile, ms: 1, defaultMs: 2, label }];
  }),
);
const [key] = Object.keys(entries);

let folder: string;
let backend: Backend;
let tuning: Tuning;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'downhill-tuning-'));
  vi.stubEnv('DOWNHILL_CACHE', folder);
  backend = createNullBackend(SOFTWARE_TARGET);
  tuning = makeTuning(backend, entries);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  await rm(folder, { recursive: true, force: true });
});

test('the version is that of the package', async () => {
  expect(VERSION).toBe(JSON.parse(await readFile('package.json', 'utf8')).version);
});

describe('applyTuning', () => {
  test('gives the backend another target, and leaves the one that was handed out as it is', () => {
    const { target } = backend;
    applyTuning(backend, tuning);
    expect(target.tiles).toBeUndefined();
    expect(backend.target.tiles?.get(key)).toEqual(entries[key].tile);
    expect(backend.target.tiles?.get('another')).toBeUndefined();
    removeTuning(backend);
    expect(backend.target).toEqual(target);
  });

  test.each([
    [{ adapter: 'another' }, /it is of adapter "another"; this is "null/],
    [{ downhill: '0.0.0' }, /it was made by downhill 0\.0\.0; this is/],
    [
      { adapterType: 'hardware' },
      /a hardware adapter with subgroups of null; this device is taken for a software adapter/,
    ],
    [{ subgroupSize: 32 }, /subgroups of 32; .* subgroups of null/],
    [{ entries: { nonsense: entries[key] } }, /"nonsense" is no key of a contraction/],
    [
      { entries: { [key]: { ...entries[key], tile: { ...entries[key].tile, invocationsM: 512 } } } },
      /the tile of .*invocations/,
    ],
    [
      { entries: { [key]: { ...entries[key], tile: { ...entries[key].tile, variant: 'broadcast' } } } },
      /subgroups of the device/,
    ],
  ] as const)('refuses %j', async (change, message) => {
    const other = { ...tuning, ...change } as Tuning;
    expect(tuningMisfit(backend, other)).toMatch(message);
    await expectRefusal(() => applyTuning(backend, other), 'argument', message);
    expect(backend.target.tiles).toBeUndefined();
  });

  test('later choices stand above earlier ones', () => {
    const later = makeTuning(backend, { [key]: { ...entries[key], ms: 0.5 } });
    const merged = mergeTunings(tuning, later);
    expect(merged.entries[key].ms).toBe(0.5);
    expect(Object.keys(merged.entries)).toEqual(Object.keys(entries));
  });
});

describe('as text', () => {
  test('comes back as it was', () => {
    expect(importTuning(exportTuning(tuning))).toEqual(tuning);
    expect(importTuning(JSON.parse(exportTuning(tuning)))).toEqual(tuning);
  });

  test.each([
    ['{', /^page\.json: not JSON: /],
    ['[]', /not a "downhill tuning" file/],
    [{ formatVersion: 1 }, /format version 1; this downhill reads version 3/],
    [{ adapter: 3 }, /downhill and adapter must be texts/],
    [{ adapterType: 'tpu' }, /adapterType is "?tpu"?; software or hardware/],
    [{ subgroupSize: '8' }, /subgroupSize must be a number or null/],
    [{ entries: [] }, /entries must be an object/],
    [{ entries: { k: {} } }, /entry "k": needs a tile/],
    [{ entries: { k: { ...entries[key], ms: 'fast' } } }, /entry "k": ms must be a number/],
    [{ entries: { k: { ...entries[key], tile: { ...entries[key].tile, chunks: null } } } }, /chunks must be a number/],
    [
      { entries: { k: { ...entries[key], tile: { ...entries[key].tile, variant: 'shared' } } } },
      /variant must be direct, broadcast or staged, found "shared"/,
    ],
    [{ entries: { k: { ...entries[key], label: 1 } } }, /label must be a text/],
  ] as const)('refuses %j', async (change, message) => {
    const source = typeof change === 'string' ? change : { ...tuning, ...change };
    await expectRefusal(() => importTuning(source, 'page.json'), 'file', message);
  });
});

describe('in the cache folder', () => {
  test('a second backend of the same adapter takes it', async () => {
    expect(await findStoredTuning(backend)).toMatchObject({ state: 'none' });
    const path = await saveTuning(tuning);
    expect(dirname(path)).toBe(join(folder, 'tuning'));
    expect(await readdir(dirname(path))).toHaveLength(1);
    const second = createNullBackend(SOFTWARE_TARGET);
    expect(await loadTuning(second)).toEqual(tuning);
    expect(second.target.tiles?.get(key)).toEqual(entries[key].tile);
  });

  test('each adapter has a file of its own, with its name', () => {
    const paths = [{}, { adapter: 'Apple M4' }, { adapterType: 'hardware' }, { subgroupSize: 4 }].map((change) =>
      tuningPath({ ...tuning, ...change } as Tuning, '/c'),
    );
    expect(new Set(paths).size).toBe(4);
    expect(paths[1]).toMatch(/^\/c\/tuning\/apple-m4-[0-9a-f]{8}\.json$/);
    expect(tuningPath({ ...tuning, adapter: '../../etc/passwd' }, '/c')).toMatch(/^\/c\/tuning\/etc-passwd-\w+\.json$/);
  });

  test.each([
    ['a broken file', '{"format":', 'corrupt', /not JSON/],
    ['a file of something else', '{}', 'corrupt', /not a "downhill tuning" file/],
    ['a file of another adapter', { adapter: 'another' }, 'outdated', /of adapter "another"/],
    ['a file of another version', { downhill: '0.0.0' }, 'outdated', /downhill 0\.0\.0/],
  ] as const)('%s is ignored', async (_what, content, state, reason) => {
    const path = await saveTuning(tuning);
    await writeFile(path, typeof content === 'string' ? content : exportTuning({ ...tuning, ...content } as Tuning));
    const warnings: string[] = [];
    expect(await useStoredTuning(backend, (message) => warnings.push(message))).toMatchObject({ path, state });
    expect(backend.target.tiles).toBeUndefined();
    expect(await findStoredTuning(backend)).toMatchObject({ reason: expect.stringMatching(reason) });
    expect(warnings).toEqual(
      state === 'corrupt' ? [expect.stringMatching(/ignored.*default tiles.*downhill tune/)] : [],
    );
    // A tuning that is saved takes the place of what was there.
    await saveTuning(tuning);
    expect(await loadTuning(backend)).toEqual(tuning);
  });

  test('a folder that cannot be read is no failure', async () => {
    vi.stubEnv('DOWNHILL_CACHE', join(await saveTuning(tuning), 'below a file'));
    expect(await findStoredTuning(backend)).toMatchObject({
      state: 'corrupt',
      reason: expect.stringMatching(/cannot read/),
    });
  });
});

describe('in IndexedDB', () => {
  /** As much of it as the store asks for: one database, kept as structured clones. */
  function stubIndexedDB(values: Map<string, unknown>): void {
    const request = (result: () => unknown) => {
      const made: Record<string, unknown> = {};
      queueMicrotask(() => {
        try {
          made.result = result();
          (made.onsuccess as () => void)();
        } catch (error) {
          made.error = error;
          (made.onerror as () => void)();
        }
      });
      return made;
    };
    const store = {
      put: (value: unknown, at: string) => request(() => values.set(at, structuredClone(value))),
      get: (at: string) => request(() => values.get(at)),
    };
    const database = { close() {}, transaction: () => ({ objectStore: () => store }) };
    vi.stubGlobal('indexedDB', { open: () => request(() => database) });
  }

  test('comes back for the same adapter, and for no other', async () => {
    const values = new Map<string, unknown>();
    stubIndexedDB(values);
    expect(await browser.loadTuning(backend)).toBeUndefined();
    expect(await browser.saveTuning(tuning)).toMatch(/^downhill\/tuning\/\[".*"software"/);
    expect(await browser.loadTuning(backend)).toEqual(tuning);
    expect(backend.target.tiles?.get(key)).toEqual(entries[key].tile);
    const other = createNullBackend({ ...SOFTWARE_TARGET, subgroupSize: 4 });
    expect(await browser.loadTuning(other)).toBeUndefined();
    expect(other.target.tiles).toBeUndefined();
    const [place] = values.keys();
    values.set(place, { ...tuning, downhill: '0.0.0' });
    expect(await browser.loadTuning(createNullBackend(SOFTWARE_TARGET))).toBeUndefined();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    values.set(place, 'broken');
    expect(await browser.loadTuning(createNullBackend(SOFTWARE_TARGET))).toBeUndefined();
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/IndexedDB: not JSON.*default tiles hold/));
    warn.mockRestore();
  });

  test('says where it is missing or refuses', async () => {
    await expectRefusal(() => browser.saveTuning(tuning), 'state', /IndexedDB, which is missing here/);
    stubIndexedDB({
      set: () => {
        throw new Error('quota');
      },
    } as never);
    await expectRefusal(() => browser.saveTuning(tuning), 'file', /IndexedDB refused the tuning: quota/);
  });
});
