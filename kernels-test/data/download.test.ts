/** Downloads against a server on 127.0.0.1: mirrors, checksums, cache and progress, and each way the network fails. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { folderCache } from '../../src/data/sets/cache.node.ts';
import { type ByteCache, type DownloadProgress, downloadFile, sha256Hex } from '../../src/data/sets/download.ts';
import { expectRefusal } from './refusal.ts';
import { startServer, type TestServer } from './server.ts';

const content = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) >> 3);
const sum = createHash('sha256').update(content).digest('hex');

let server: TestServer;
let gone: string;

beforeAll(async () => {
  server = await startServer({
    good: (_, response) => response.writeHead(200, { 'content-length': content.length }).end(content),
    other: (_, response) => response.end('another file'),
    zipped: (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(content)),
    cut: (_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 1000), () => response.destroy());
    },
    silent: (_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 1000));
    },
  });
  const closed = await startServer({});
  await closed.close();
  gone = closed.url;
});
afterAll(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
});

/** Downloads the test file from paths of the server, or from whole URLs. */
function get(paths: readonly string[], options: Parameters<typeof downloadFile>[1] = {}) {
  const urls = paths.map((path) => (path.startsWith('http') ? path : server.url + path));
  return downloadFile({ key: 'set/file.bin', urls, sha256: [sum] }, options);
}

function memoryCache(): ByteCache & { readonly kept: Map<string, Uint8Array> } {
  const kept = new Map<string, Uint8Array>();
  return {
    kept,
    get: async (key) => kept.get(key),
    put: async (key, bytes) => {
      kept.set(key, bytes);
    },
  };
}

test('sha256Hex agrees with node:crypto', async () => {
  expect(await sha256Hex(content)).toBe(sum);
});

describe('downloadFile', () => {
  test('gets the bytes and reports progress', async () => {
    const reports: DownloadProgress[] = [];
    expect(await get(['good'], { onProgress: (progress) => reports.push(progress) })).toEqual(content);
    const last = { key: 'set/file.bin', url: `${server.url}good`, received: content.length, total: content.length };
    expect(reports.at(-1)).toEqual(last);
  });

  test('takes a body that the server compressed on the way', async () => {
    expect(await get(['zipped'])).toEqual(content);
  });

  test('goes on to the next mirror', async () => {
    expect(await get([gone, 'missing', 'other', 'cut', 'good'])).toEqual(content);
    expect(server.requests).toEqual(['missing', 'other', 'cut', 'good']);
  });

  test('asks the cache first, and downloads again what does not match there', async () => {
    const cache = memoryCache();
    await get(['good'], { cache });
    expect(await get(['good'], { cache })).toEqual(content);
    expect(server.requests).toEqual(['good']);
    cache.kept.set('set/file.bin', content.subarray(1));
    expect(await get(['good'], { cache })).toEqual(content);
    expect(server.requests).toEqual(['good', 'good']);
    expect(cache.kept.get('set/file.bin')).toEqual(content);
  });

  test.each([
    ['a wrong checksum', 'other', /wrong checksum: found 12 bytes with SHA-256 [0-9a-f]{64}; expected [0-9a-f]{64}/],
    ['a truncated body', 'cut', /terminated|ended after 1000 of 100000 bytes/],
    ['a missing page', 'missing', /HTTP 404 Not Found/],
    ['a server that falls silent', 'silent', /nothing arrived for 150 ms/],
  ])('refuses %s, and keeps nothing', async (_, path, message) => {
    const folder = await mkdtemp(join(tmpdir(), 'downhill-cache-'));
    const options = { cache: folderCache(folder), stallMs: 150 };
    await expectRefusal(
      () => get([path], options),
      'network',
      /cannot download set\/file.bin/,
      server.url + path,
      message,
    );
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });

  test('refuses a connection that is refused, with the advice given', async () => {
    const advice = 'Use --data DIR.';
    await expectRefusal(() => get([gone], { advice }), 'network', gone, /ECONNREFUSED/, advice);
  });

  test('lists every mirror that failed', async () => {
    await expectRefusal(() => get(['missing', 'cut']), 'network', /missing: HTTP 404/, /cut: /);
    await expectRefusal(() => get([]), 'network', /no URL given/);
    await expectRefusal(() => get(['http://[bad']), 'network', /http:\/\/\[bad: /);
  });
});
