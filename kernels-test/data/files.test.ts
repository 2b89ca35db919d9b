/** Atomic writing and the download cache: what is on the disk after success, and after every failure. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { folderCache } from '../../src/data/sets/cache.node.ts';
import { cacheFolder } from '../../src/util/cache-folder.node.ts';
import { readFileBytes, writeFileAtomic } from '../../src/util/files.node.ts';
import { expectRefusal } from './refusal.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'downhill-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('writeFileAtomic', () => {
  test('makes the folder, writes and replaces, and leaves no temporary file', async () => {
    const path = join(folder, 'a', 'b', 'w.bin');
    await writeFileAtomic(path, Uint8Array.of(1, 2));
    await writeFileAtomic(path, 'text');
    expect(await readFile(path, 'utf8')).toBe('text');
    expect(await readdir(join(folder, 'a', 'b'))).toEqual(['w.bin']);
  });

  test('fails by name when a folder is in the way, and leaves nothing behind', async () => {
    const path = join(folder, 'taken');
    await mkdir(path);
    await expectRefusal(() => writeFileAtomic(path, 'x'), 'file', `cannot write ${path}: it is a folder`);
    expect(await readdir(folder)).toEqual(['taken']);
  });

  test('fails by name when a file stands where a folder should', async () => {
    await writeFile(join(folder, 'file'), 'old');
    const path = join(folder, 'file', 'w.bin');
    await expectRefusal(() => writeFileAtomic(path, 'x'), 'file', path, /a part of the path is a file/);
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('old');
  });
});

describe('readFileBytes', () => {
  test('reads bytes', async () => {
    await writeFile(join(folder, 'x'), Uint8Array.of(7, 8));
    expect([...(await readFileBytes(join(folder, 'x')))]).toEqual([7, 8]);
  });

  test('names a missing file and what it should have been', async () => {
    const path = join(folder, 'none');
    const message = `cannot read weights ${path}: no such file or folder`;
    await expectRefusal(() => readFileBytes(path, 'weights'), 'file', message);
    await expectRefusal(() => readFileBytes(folder), 'file', /it is a folder; expected a file/);
  });
});

describe('folderCache', () => {
  test('keeps bytes under keys with folders', async () => {
    const cache = folderCache(join(folder, 'cache'));
    expect(await cache.get('mnist/a.gz')).toBeUndefined();
    await cache.put('mnist/a.gz', Uint8Array.of(5));
    expect([...(await cache.get('mnist/a.gz'))!]).toEqual([5]);
    expect(await readdir(join(folder, 'cache', 'mnist'))).toEqual(['a.gz']);
  });

  test('names DOWNHILL_CACHE when the folder cannot be used', async () => {
    await writeFile(join(folder, 'file'), '');
    const cache = folderCache(join(folder, 'file'));
    await expectRefusal(() => cache.put('k', Uint8Array.of(1)), 'file', /cannot write/, /set DOWNHILL_CACHE/);
    await expectRefusal(() => cache.get('k'), 'file', /cannot read/, /set DOWNHILL_CACHE/);
  });

  test('its place is DOWNHILL_CACHE, or downhill in XDG_CACHE_HOME or in ~/.cache', () => {
    expect(cacheFolder({})).toBe(join(homedir(), '.cache', 'downhill'));
    expect(cacheFolder({ DOWNHILL_CACHE: '/somewhere' })).toBe('/somewhere');
    expect(cacheFolder({ XDG_CACHE_HOME: '/caches' })).toBe('/caches/downhill');
    expect(cacheFolder({ DOWNHILL_CACHE: '' })).toBe(join(homedir(), '.cache', 'downhill'));
  });
});
