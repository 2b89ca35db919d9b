/**
 * Downloads a file of known content: mirrors in turn, SHA-256 checked, progress reported, kept in a cache that the
 * caller plugs in (a folder in Node; in a browser for instance the Cache API).
 *
 * Invariant: bytes that are returned or put into the cache have one of the expected checksums; what a mirror sent
 * is dropped whole otherwise. A cached file that does not match any more is downloaded again.
 */
import { DownhillError } from '../../util/errors.ts';
import { joinBytes } from '../../util/join-bytes.ts';

/** Keeps downloaded bytes between runs. `put` must be atomic: a reader sees all of the bytes or none. */
export interface ByteCache {
  /** The bytes under `key` (a relative path with `/`), or undefined. */
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, bytes: Uint8Array): Promise<void>;
}

/** Which file is wanted. */
export interface RemoteFile {
  /** Its name in the cache and in errors, such as `mnist/train-images-idx3-ubyte.gz`. */
  readonly key: string;
  /** Its addresses, tried in turn. */
  readonly urls: readonly string[];
  /** SHA-256 sums in lower-case hex, any of which is accepted; `any` for content that is not known beforehand. */
  readonly sha256: readonly string[] | 'any';
}

/** Progress of a download. */
export interface DownloadProgress {
  readonly key: string;
  readonly url: string;
  /** Bytes received so far. */
  readonly received: number;
  /** Bytes to expect, where the server says so. */
  readonly total?: number;
}

export interface DownloadOptions {
  readonly cache?: ByteCache;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Gives up on a URL when nothing arrives for this long, in milliseconds; 30,000 unless given. */
  readonly stallMs?: number;
  /** Gives up on a URL that sends more than this; unbounded unless given. */
  readonly maxBytes?: number;
  /** Added to the error when no URL answers as it should: what the reader can do instead. */
  readonly advice?: string;
}

/**
 * The bytes of `file`, from the cache or from the first of its URLs that delivers them whole.
 * @throws DownhillError('network') when every URL failed; the message lists each URL with its reason.
 */
export async function downloadFile(file: RemoteFile, options: DownloadOptions = {}): Promise<Uint8Array> {
  const cached = await options.cache?.get(file.key);
  if (cached && (file.sha256 === 'any' || file.sha256.includes(await sha256Hex(cached)))) return cached;
  const failures: string[] = [];
  let cause: unknown;
  for (const url of file.urls) {
    let bytes: Uint8Array;
    try {
      bytes = await fetchBytes(file.key, url, options);
    } catch (error) {
      failures.push(`${url}: ${reasonOf(error)}`);
      cause = error;
      continue;
    }
    if (file.sha256 !== 'any') {
      const sum = await sha256Hex(bytes);
      if (!file.sha256.includes(sum)) {
        const found = `${bytes.length} bytes with SHA-256 ${sum}`;
        failures.push(`${url}: wrong checksum: found ${found}; expected ${file.sha256.join(' or ')}`);
        continue;
      }
    }
    await options.cache?.put(file.key, bytes);
    return bytes;
  }
  const tried = failures.length > 0 ? failures.map((line) => `\n  ${line}`).join('') : ' no URL given';
  const advice = options.advice ? `\n${options.advice}` : '';
  throw new DownhillError('network', `cannot download ${file.key}:${tried}${advice}`, { cause });
}

/**
 * SHA-256 of `bytes` in lower-case hex.
 * @throws DownhillError('network') where WebCrypto is missing: a page not served over HTTPS or from localhost.
 */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) {
    const message =
      'checksums need crypto.subtle, which browsers give to secure pages only: serve by HTTPS or localhost';
    throw new DownhillError('network', message);
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** One GET, read chunk by chunk; throws when the answer is not 2xx, stalls or ends early. */
async function fetchBytes(key: string, url: string, options: DownloadOptions): Promise<Uint8Array> {
  const { onProgress, stallMs = 30_000, maxBytes = Number.POSITIVE_INFINITY } = options;
  const abort = new AbortController();
  const stalled = () => abort.abort(new Error(`nothing arrived for ${stallMs} ms`));
  let timer = setTimeout(stalled, stallMs);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw new Error(`HTTP ${response.status} ${response.statusText}`.trim());
    }
    // Where the transfer itself is compressed this counts compressed bytes, and more than `total` may arrive.
    const total = Number(response.headers.get('content-length')) || undefined;
    if (total !== undefined && total > maxBytes) {
      await response.body.cancel();
      throw new Error(`announces ${total} bytes; expected at most ${maxBytes}`);
    }
    const reader = response.body.getReader();
    const chunks: Uint8Array[] = [];
    let received = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      clearTimeout(timer);
      timer = setTimeout(stalled, stallMs);
      chunks.push(value);
      received += value.length;
      if (received > maxBytes) {
        abort.abort();
        throw new Error(`sent more than the ${maxBytes} bytes that are allowed`);
      }
      onProgress?.({ key, url, received, ...(total !== undefined && { total }) });
    }
    if (total !== undefined && received < total) throw new Error(`ended after ${received} of ${total} bytes`);
    return joinBytes(chunks);
  } finally {
    clearTimeout(timer);
  }
}

/** The error's message with that of its cause: Node's fetch says only "fetch failed" and keeps why in `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause;
  if (!(cause instanceof Error)) return error.message;
  const detail = cause.message || (cause as { code?: string }).code || cause.name;
  return `${error.message} (${detail})`;
}
