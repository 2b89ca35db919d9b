/**
 * Decompression through the web standard DecompressionStream, which Node 20 and all browsers have: no dependency, no
 * node:zlib. Checksum, length and trailing bytes are checked by the stream itself.
 *
 * Invariant: no more is decompressed than the caller allows, give or take one chunk; a small file cannot fill memory.
 */

import { joinBytes } from '../../util/join-bytes.ts';

/** Thrown where more comes out than was allowed. */
export class TooMuch extends Error {
  constructor(readonly limit: number) {
    super(`more than ${limit} bytes come out of it`);
  }
}

/** Bytes that `limit` is shown; enough for any header that says how long the rest is. */
const START = 2048;

/**
 * The decompressed content of `bytes`.
 * @param limit most bytes to allow, or a function that says so from the first of them (2048, or all where there are
 *   fewer).
 * @throws TooMuch; what `limit` throws; and the stream's own error for bytes that are truncated or corrupt.
 */
export async function inflate(
  bytes: Uint8Array,
  format: CompressionFormat,
  limit: number | ((start: Uint8Array) => number),
): Promise<Uint8Array> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = source.pipeThrough(new DecompressionStream(format)).getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let most = typeof limit === 'number' ? limit : undefined;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      length += value.length;
      if (most === undefined && length >= START) most = (limit as (start: Uint8Array) => number)(joinBytes(chunks));
      if (length > (most ?? Number.POSITIVE_INFINITY)) throw new TooMuch(most!);
    }
  } catch (error) {
    await reader.cancel(error).catch(() => undefined);
    throw error;
  }
  const whole = joinBytes(chunks);
  if (most === undefined) {
    most = (limit as (start: Uint8Array) => number)(whole);
    if (length > most) throw new TooMuch(most);
  }
  return whole;
}
