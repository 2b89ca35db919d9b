/**
 * IDX, the format of MNIST: two zero bytes, a type byte, the number of dimensions, each extent as a big-endian u32,
 * then the values, big-endian, last axis fastest.
 *
 * Invariant: a parsed file was exactly as long as its header says; nothing is guessed, padded or cut.
 * Source: http://yann.lecun.com/exdb/mnist (section "the IDX file format").
 */
import { DownhillError } from '../../util/errors.ts';
import { gunzip, isGzip } from './gzip.ts';

/** The values of an IDX file, in the array kind of its type byte. */
export type IdxValues = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** A parsed IDX file. */
export interface IdxArray {
  readonly dtype: 'u8' | 'i8' | 'i16' | 'i32' | 'f32' | 'f64';
  /** Extents, outermost (examples) first. */
  readonly shape: readonly number[];
  /** `product(shape)` values, row-major. */
  readonly values: IdxValues;
}

interface IdxType {
  readonly dtype: IdxArray['dtype'];
  readonly bytes: number;
  read(view: DataView, offset: number, count: number): IdxValues;
}

/** By type byte. Values are read through a DataView, so neither alignment nor the host's byte order matters. */
const TYPES: Readonly<Record<number, IdxType>> = {
  8: { dtype: 'u8', bytes: 1, read: (v, at, n) => new Uint8Array(v.buffer, v.byteOffset + at, n).slice() },
  9: { dtype: 'i8', bytes: 1, read: (v, at, n) => new Int8Array(v.buffer, v.byteOffset + at, n).slice() },
  11: { dtype: 'i16', bytes: 2, read: (v, at, n) => Int16Array.from({ length: n }, (_, i) => v.getInt16(at + 2 * i)) },
  12: { dtype: 'i32', bytes: 4, read: (v, at, n) => Int32Array.from({ length: n }, (_, i) => v.getInt32(at + 4 * i)) },
  13: {
    dtype: 'f32',
    bytes: 4,
    read: (v, at, n) => Float32Array.from({ length: n }, (_, i) => v.getFloat32(at + 4 * i)),
  },
  14: {
    dtype: 'f64',
    bytes: 8,
    read: (v, at, n) => Float64Array.from({ length: n }, (_, i) => v.getFloat64(at + 8 * i)),
  },
};

/**
 * Parses an uncompressed IDX file.
 * @param name the name of the file in errors, such as its path.
 * @throws DownhillError('file') for a wrong magic number, an unknown type byte, a truncated header, missing values
 *   or bytes left over; it says what was found and what would fit.
 */
export function parseIdx(bytes: Uint8Array, name: string): IdxArray {
  const { type, shape, start, count, length } = parseHeader(bytes, name);
  if (bytes.length !== length) {
    const problem = bytes.length < length ? 'truncated?' : `${bytes.length - length} bytes too many`;
    throw refusal(name, `${bytes.length} bytes`, `${length} for ${type.dtype} [${shape}] (${problem})`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { dtype: type.dtype, shape, values: type.read(view, start, count) };
}

/**
 * What the header says, of which `bytes` are the file or its beginning.
 * @throws DownhillError('file') as `parseIdx`.
 */
function parseHeader(bytes: Uint8Array, name: string) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) throw refusal(name, `${bytes.length} bytes`, 'an IDX file of at least 4 (truncated?)');
  const magic = view.getUint32(0);
  if (magic >>> 16 !== 0) {
    const hint = isGzip(bytes) ? ' (this is gzip: decompress it first)' : '';
    throw refusal(name, `magic number 0x${hex(magic, 8)}${hint}`, 'IDX, which begins with 0x0000');
  }
  const type = TYPES[bytes[2]!];
  if (!type) throw refusal(name, `IDX type byte 0x${hex(bytes[2]!, 2)}`, knownTypes());
  const rank = bytes[3]!;
  const start = 4 + 4 * rank;
  if (rank === 0) throw refusal(name, 'IDX header with 0 dimensions', 'at least one');
  if (bytes.length < start) {
    throw refusal(name, `${bytes.length} bytes`, `a header of ${start} bytes for ${rank} dimensions (truncated?)`);
  }
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, extent) => product * extent, 1);
  return { type, shape, start, count, length: start + count * type.bytes };
}

/**
 * Parses an IDX file that may be gzip-compressed (seen by its content, not its name).
 * @throws DownhillError('file') as `parseIdx`, and for corrupt gzip or one that expands to more than the header says.
 */
export async function readIdx(bytes: Uint8Array, name: string): Promise<IdxArray> {
  if (!isGzip(bytes)) return parseIdx(bytes, name);
  return parseIdx(await gunzip(bytes, name, (start) => parseHeader(start, name).length), name);
}

function refusal(name: string, found: string, expected: string): DownhillError {
  return new DownhillError('file', `${name}: found ${found}; expected ${expected}`);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function knownTypes(): string {
  const known = Object.entries(TYPES).map(([code, { dtype }]) => `0x${hex(Number(code), 2)} (${dtype})`);
  return `one of ${known.join(', ')}`;
}
