/**
 * Gzip through the web standard DecompressionStream, which Node 20 and all browsers have: no dependency, no node:zlib.
 * Checksum, length and trailing bytes are checked by the stream itself.
 */
import { DownhillError } from '../util/errors.ts';

/** Whether `bytes` begin with gzip's magic number (1f 8b). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The decompressed content of `bytes`.
 * @param name what the error calls the input, such as its path.
 * @throws DownhillError('file') when the stream is truncated, corrupt or no gzip at all.
 */
export async function gunzip(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  try {
    const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
    const plain = source.pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(plain).arrayBuffer());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const found = isGzip(bytes) ? `truncated or corrupt gzip (${reason})` : 'no gzip (it does not begin with 1f 8b)';
    throw new DownhillError('file', `${name}: ${found}, ${bytes.length} bytes; expected a whole .gz file`, { cause });
  }
}
