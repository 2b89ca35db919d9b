/**
 * Gzip files, decompressed no further than what they hold can need.
 */
import { DownhillError } from '../../util/errors.ts';
import { inflate, TooMuch } from './inflate.ts';

/** Whether `bytes` begin with gzip's magic number (1f 8b). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Decompressed bytes that are allowed where nothing says how many there are: 256 MiB, or 100 times those of the file.
 */
export function mostPlainBytes(bytes: Uint8Array): number {
  return Math.max(2 ** 28, 100 * bytes.length);
}

/**
 * The decompressed content of `bytes`.
 * @param name what the error calls the input, such as its path.
 * @param limit most bytes to allow, or a function that says so from the first of them; `mostPlainBytes` unless given.
 * @throws DownhillError('file') when the stream is truncated, corrupt, no gzip at all or longer than allowed; and what
 *   `limit` throws.
 */
export async function gunzip(
  bytes: Uint8Array,
  name: string,
  limit: number | ((start: Uint8Array) => number) = mostPlainBytes(bytes),
): Promise<Uint8Array> {
  try {
    return await inflate(bytes, 'gzip', limit);
  } catch (cause) {
    if (cause instanceof DownhillError) throw cause;
    if (cause instanceof TooMuch) {
      const found = `${bytes.length} bytes of gzip that expand to more than ${cause.limit}`;
      const hint =
        typeof limit === 'function' ? 'its header announces' : 'is allowed; decompress it first if it is meant';
      throw new DownhillError('file', `${name}: found ${found}, which is more than ${hint}`, { cause });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    const found = isGzip(bytes) ? `truncated or corrupt gzip (${reason})` : 'no gzip (it does not begin with 1f 8b)';
    throw new DownhillError('file', `${name}: ${found}, ${bytes.length} bytes; expected a whole .gz file`, { cause });
  }
}
