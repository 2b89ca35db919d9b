/**
 * Safetensors, the file format of saved weights: a u64 little-endian header length, a JSON header (name → dtype,
 * shape, byte range; `__metadata__` → strings), then the values, little-endian like every machine that runs this.
 * A pure codec of bytes: it knows neither tensors nor files.
 *
 * Invariant: what `readSafetensors` returns was described completely: byte ranges are contiguous, cover the data
 * exactly and are as long as dtype and shape say. `writeSafetensors` gives the reference implementation's bytes.
 * Source: https://github.com/huggingface/safetensors (README, "Format"; safetensors/src/tensor.rs).
 */
import { DownhillError } from '../../util/errors.ts';
import { parseJson } from '../../util/json.ts';
import { show } from '../../util/show.ts';

/** How each dtype of a file is read. F16 and BF16 are widened to f32, which is exact; BOOL gives bytes. */
const DTYPES = {
  F64: { bytes: 8, read: (buffer: ArrayBuffer) => new Float64Array(buffer) },
  F32: { bytes: 4, read: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  F16: { bytes: 2, read: (buffer: ArrayBuffer) => Float32Array.from(new Uint16Array(buffer), widenF16) },
  BF16: { bytes: 2, read: (buffer: ArrayBuffer) => widenBF16(new Uint16Array(buffer)) },
  I64: { bytes: 8, read: (buffer: ArrayBuffer) => new BigInt64Array(buffer) },
  I32: { bytes: 4, read: (buffer: ArrayBuffer) => new Int32Array(buffer) },
  I16: { bytes: 2, read: (buffer: ArrayBuffer) => new Int16Array(buffer) },
  I8: { bytes: 1, read: (buffer: ArrayBuffer) => new Int8Array(buffer) },
  U64: { bytes: 8, read: (buffer: ArrayBuffer) => new BigUint64Array(buffer) },
  U32: { bytes: 4, read: (buffer: ArrayBuffer) => new Uint32Array(buffer) },
  U16: { bytes: 2, read: (buffer: ArrayBuffer) => new Uint16Array(buffer) },
  U8: { bytes: 1, read: (buffer: ArrayBuffer) => new Uint8Array(buffer) },
  BOOL: { bytes: 1, read: (buffer: ArrayBuffer) => new Uint8Array(buffer) },
} as const;

/** The dtypes that can be read; F32, U32 and I32 can be written. */
export type SafetensorsDtype = keyof typeof DTYPES;

/** One tensor of a file, by dtype: `data` has `product(shape)` values, row-major, and is a copy. */
export type SafetensorsEntry = {
  [D in SafetensorsDtype]: {
    readonly dtype: D;
    readonly shape: readonly number[];
    readonly data: ReturnType<(typeof DTYPES)[D]['read']>;
  };
}[SafetensorsDtype];

/** A parsed file. */
export interface SafetensorsFile {
  /** By name, in the order of their values in the file. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** The `__metadata__` map; empty where there is none. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** One tensor to be written, its values row-major. */
export interface SafetensorsInput {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint32Array;
}

interface Range {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** Longest header that the reference implementation accepts, in bytes. */
const HEADER_LIMIT = 100_000_000;
const METADATA = '__metadata__';

/**
 * Parses a safetensors file.
 * @param file what errors call it, such as its path.
 * @throws DownhillError('file') for a truncated or overlong file, a header that is not such JSON, an unknown dtype, a
 *   shape that does not fit its byte range, ranges that overlap or leave gaps.
 */
export function readSafetensors(bytes: Uint8Array, file = 'safetensors'): SafetensorsFile {
  const { header, dataStart } = parseHeader(bytes, file);
  const ranges: Range[] = [];
  let metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) metadata = parseMetadata(value, file);
    else ranges.push(parseRange(name, value, file));
  }
  ranges.sort((a, b) => a.start - b.start || a.end - b.end);
  checkCoverage(ranges, bytes.length - dataStart, file);
  const tensors = new Map<string, SafetensorsEntry>();
  for (const { name, dtype, shape, start, end } of ranges) {
    const copy = new Uint8Array(end - start);
    copy.set(bytes.subarray(dataStart + start, dataStart + end));
    tensors.set(name, { dtype, shape, data: DTYPES[dtype].read(copy.buffer) } as SafetensorsEntry);
  }
  return { tensors, metadata };
}

/**
 * The bytes of a safetensors file: tensors ordered by dtype (F32, U32, I32), then name; data aligned to 8 bytes.
 * @throws DownhillError('argument') for a reserved or repeated name; ('shape') for a shape that does not fit its
 *   values.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [name: string, tensor: SafetensorsInput]>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  const entries = [...tensors].map(([name, { shape, data }]) => ({ name, shape, data, rank: writeRank(data) }));
  entries.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1));
  const fields: string[] = [];
  if (metadata.size > 0) {
    const pairs = [...metadata].sort(([a], [b]) => (a < b ? -1 : 1));
    const texts = pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    fields.push(`"${METADATA}":{${texts.join(',')}}`);
  }
  const names = new Set<string>();
  let dataLength = 0;
  for (const { name, shape, data, rank } of entries) {
    checkInput(name, shape, data.length, names);
    const end = dataLength + data.byteLength;
    const dtype = WRITTEN[rank];
    fields.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${dataLength},${end}]}`,
    );
    dataLength = end;
  }
  const header = new TextEncoder().encode(`{${fields.join(',')}}`);
  const dataStart = 8 + Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(dataStart + dataLength).fill(0x20, 8, dataStart);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  bytes.set(header, 8);
  let at = dataStart;
  for (const { data } of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * The header of a file and the byte at which its values begin.
 * @throws DownhillError `file` for bytes that are not a safetensors file.
 */
export function parseHeader(bytes: Uint8Array, file: string): { header: object; dataStart: number } {
  if (bytes.length < 8) throw refusal(file, `found ${bytes.length} bytes; expected at least 8 (truncated?)`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > HEADER_LIMIT || Number(length) > bytes.length - 8) {
    const found = `header length ${length} in a file of ${bytes.length} bytes`;
    throw refusal(file, `found ${found}; expected a whole safetensors file (truncated, or another format?)`);
  }
  const dataStart = 8 + Number(length);
  let header: unknown;
  try {
    header = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, dataStart)));
  } catch (cause) {
    throw refusal(file, `its header is no JSON (${(cause as Error).message})`, cause);
  }
  if (!isObject(header)) throw refusal(file, `found ${show(header)} as header; expected a JSON object`);
  return { header, dataStart };
}

function parseMetadata(value: unknown, file: string): Map<string, string> {
  if (!isObject(value)) throw refusal(file, `${METADATA} is ${show(value)}; expected an object of strings`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text === 'string') continue;
    throw refusal(file, `${METADATA} entry "${key}" is ${show(text)}; expected a string`);
  }
  return new Map(Object.entries(value) as [string, string][]);
}

function parseRange(name: string, value: unknown, file: string): Range {
  const fault = (message: string) => refusal(file, `tensor "${name}": ${message}`);
  if (!isObject(value)) throw fault(`found ${show(value)}; expected dtype, shape and data_offsets`);
  const { dtype, shape, data_offsets: offsets } = value as Readonly<Record<string, unknown>>;
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPES, dtype)) {
    throw fault(`found dtype ${show(dtype)}; expected one of ${Object.keys(DTYPES).join(', ')}`);
  }
  if (!isCounts(shape)) throw fault(`found shape ${show(shape)}; expected a list of whole numbers`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw fault(`found data_offsets ${show(offsets)}; expected [start, end] in bytes`);
  }
  const [start, end] = offsets as [number, number];
  const length = volume(shape) * DTYPES[dtype as SafetensorsDtype].bytes;
  if (end - start !== length) {
    throw fault(`${dtype} [${shape}] takes ${length} bytes, but data_offsets [${start},${end}] hold ${end - start}`);
  }
  return { name, dtype: dtype as SafetensorsDtype, shape, start, end };
}

/** Ranges, sorted by start, must follow each other without overlap or gap and end with the file. */
function checkCoverage(ranges: readonly Range[], dataLength: number, file: string): void {
  let covered = 0;
  for (const { name, start, end } of ranges) {
    if (start !== covered) {
      const problem = start < covered ? 'overlaps the tensor before it' : 'leaves a gap before it';
      throw refusal(file, `tensor "${name}" ${problem}: it starts at byte ${start}; expected ${covered}`);
    }
    covered = end;
  }
  if (covered === dataLength) return;
  const problem = dataLength < covered ? 'truncated?' : `${dataLength - covered} bytes too many`;
  throw refusal(file, `found ${dataLength} bytes of values; expected ${covered} by its header (${problem})`);
}

const WRITTEN = ['F32', 'U32', 'I32'] as const satisfies readonly SafetensorsDtype[];

function writeRank(data: SafetensorsInput['data']): number {
  return data instanceof Float32Array ? 0 : data instanceof Uint32Array ? 1 : 2;
}

/** Also collects `name` in `names`. */
function checkInput(name: string, shape: readonly number[], length: number, names: Set<string>): void {
  if (name === METADATA) throw new DownhillError('argument', `safetensors: the tensor name "${name}" is reserved`);
  if (names.has(name)) throw new DownhillError('argument', `safetensors: two tensors are named "${name}"`);
  names.add(name);
  if (isCounts(shape) && volume(shape) === length) return;
  throw new DownhillError('shape', `safetensors: tensor "${name}" of shape [${shape}] has ${length} values`);
}

function refusal(file: string, message: string, cause?: unknown): DownhillError {
  return new DownhillError('file', `${file}: ${message}`, { cause });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}

function volume(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** IEEE half (1 sign, 5 exponent, 10 mantissa bits) as a number; exact. */
function widenF16(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** BF16 is the upper half of an f32's bits. */
function widenBF16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const words = Uint32Array.from(halves, (bits) => bits << 16);
  return new Float32Array(words.buffer);
}
