/**
 * Zip archives in memory, as far as .npz needs them: stored and deflated entries, zip64 sizes, checksums; the
 * decompression is the platform's (DecompressionStream), as for gzip.
 *
 * Invariant: bytes that are returned have the length and the CRC-32 that the archive announces; the directory is read
 * to its end, and no byte of the file belongs to two entries, so that what comes out is bounded by the file's length.
 * Source: PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3.
 */
import { DownhillError } from '../../util/errors.ts';
import { inflate, TooMuch } from './inflate.ts';

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const FULL = 0xffffffff;

/**
 * The entries of an archive by name, decompressed; folders are left out.
 * @param name the name of the archive in errors.
 * @throws DownhillError('file') for no zip, a truncated one, a directory of more or fewer entries than the archive
 *   says, two entries of one name or in one place, an encrypted entry, another compression than deflate, a wrong length
 *   or checksum; naming the entry.
 */
export async function readZip(bytes: Uint8Array, name: string): Promise<Map<string, Uint8Array>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const refuse = (found: string) =>
    new DownhillError('file', `${name}: found ${found}; expected a whole zip archive (truncated?)`);
  try {
    const { start, end, count } = directory(view, refuse);
    const listed: Entry[] = [];
    for (let at = start; at < end; at = listed.at(-1)!.next) listed.push(centralEntry(view, at, refuse));
    if (listed.length !== count) {
      throw refuse(`${listed.length} entries in its directory, where the end record counts ${count}`);
    }
    if ((listed.at(-1)?.next ?? start) !== end) throw refuse('a directory that runs over its end');
    checkPlaces(view, listed, start, name);
    const entries = new Map<string, Uint8Array>();
    for (const entry of listed) {
      if (!entry.name.endsWith('/')) entries.set(entry.name, await content(view, entry, name));
    }
    return entries;
  } catch (cause) {
    // An offset that leads out of the file.
    if (cause instanceof RangeError) throw refuse(`${bytes.length} bytes with an offset beyond them`);
    throw cause;
  }
}

/** The bytes of an archive with these entries, deflated unless `compress` is false. */
export async function writeZip(entries: ReadonlyMap<string, Uint8Array>, compress = true): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const directoryParts: Uint8Array[] = [];
  let offset = 0;
  for (const [entryName, plain] of entries) {
    const packed = compress ? await pass(plain, new CompressionStream('deflate-raw')) : plain;
    if (Math.max(plain.length, packed.length, offset + packed.length) >= FULL) {
      throw new DownhillError(
        'argument',
        `writeZip: "${entryName}" makes the archive 4 GiB or more, which is not written`,
      );
    }
    const encoded = new TextEncoder().encode(entryName);
    // Version 2.0, names in UTF-8, method, 1980-01-01 (so that the same arrays give the same bytes).
    const common = [u16(20), u16(0x800), u16(compress ? 8 : 0), u16(0), u16(0x21), u32(crc32(plain))];
    common.push(u32(packed.length), u32(plain.length), u16(encoded.length), u16(0));
    const local = joined([u32(LOCAL), ...common, encoded]);
    parts.push(local, packed);
    const rest = [u16(0), u16(0), u16(0), u32(0), u32(offset), encoded];
    directoryParts.push(joined([u32(CENTRAL), u16(20), ...common, ...rest]));
    offset += local.length + packed.length;
  }
  const central = joined(directoryParts);
  const n = u16(entries.size);
  return joined([...parts, central, u32(END), u16(0), u16(0), n, n, u32(central.length), u32(offset), u16(0)]);
}

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
  readonly next: number;
}

/** Where the central directory begins and ends, and how many entries the archive says it has. */
function directory(view: DataView, refuse: (found: string) => DownhillError) {
  // The end record is last; only a comment of at most 65535 bytes may follow.
  let end = view.byteLength - 22;
  const least = Math.max(0, end - 0xffff);
  while (end >= least && view.getUint32(end, true) !== END) end--;
  if (end < least) throw refuse(`${view.byteLength} bytes without an end record`);
  const count = view.getUint16(end + 10, true);
  const start = view.getUint32(end + 16, true);
  const ends = (from: number, length: number, at: number, entries: number) => {
    if (from + length === at) return { start: from, end: at, count: entries };
    throw refuse(`a directory from byte ${from} to ${from + length}; expected it to end at ${at}`);
  };
  const locator = end - 20;
  const isWide = (count === 0xffff || start === FULL) && locator >= 0 && view.getUint32(locator, true) === LOCATOR64;
  if (!isWide) return ends(start, view.getUint32(end + 12, true), end, count);
  const end64 = Number(view.getBigUint64(locator + 8, true));
  if (view.getUint32(end64, true) !== END64) throw refuse('no zip64 end record where the archive says');
  const wide = (at: number) => Number(view.getBigUint64(end64 + at, true));
  return ends(wide(48), wide(40), end64, wide(32));
}

/** @throws DownhillError('file') for entries of one name, or that share bytes with each other or with the directory. */
function checkPlaces(view: DataView, entries: readonly Entry[], directoryStart: number, archive: string): void {
  const refuse = (entry: Entry, found: string) =>
    new DownhillError('file', `${archive}: entry "${entry.name}" ${found}; expected one place for each entry`);
  const names = new Set<string>();
  let free = 0;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (names.has(entry.name)) throw refuse(entry, 'comes twice');
    names.add(entry.name);
    if (entry.offset < free) throw refuse(entry, `begins at byte ${entry.offset}, within the entry before it`);
    free = dataStart(view, entry) + entry.packed;
    if (free > directoryStart) throw refuse(entry, `ends at byte ${free}, beyond the directory's begin`);
  }
}

/** Where the bytes of an entry begin, after its own header. */
function dataStart(view: DataView, { offset }: Entry): number {
  return offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
}

function centralEntry(view: DataView, at: number, refuse: (found: string) => DownhillError): Entry {
  if (view.getUint32(at, true) !== CENTRAL) throw refuse(`no entry of the directory at byte ${at}`);
  const nameLength = view.getUint16(at + 28, true);
  const extraLength = view.getUint16(at + 30, true);
  const extra = at + 46 + nameLength;
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
  let size = view.getUint32(at + 24, true);
  let packed = view.getUint32(at + 20, true);
  let offset = view.getUint32(at + 42, true);
  for (let field = extra; field + 4 <= extra + extraLength; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue;
    // Zip64: those of the three that did not fit, in this order.
    let next = field + 4;
    const wide = (value: number): number => {
      if (value !== FULL) return value;
      next += 8;
      return Number(view.getBigUint64(next - 8, true));
    };
    size = wide(size);
    packed = wide(packed);
    offset = wide(offset);
  }
  return {
    name,
    flags: view.getUint16(at + 8, true),
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    packed,
    size,
    offset,
    next: extra + extraLength + view.getUint16(at + 32, true),
  };
}

async function content(view: DataView, entry: Entry, archive: string): Promise<Uint8Array> {
  const refuse = (found: string, expected: string, cause?: unknown) =>
    new DownhillError('file', `${archive}: entry "${entry.name}": found ${found}; expected ${expected}`, { cause });
  if (entry.flags & 1) throw refuse('encrypted bytes', 'an archive without password');
  if (entry.method !== 0 && entry.method !== 8) throw refuse(`compression method ${entry.method}`, 'stored or deflate');
  if (view.getUint32(entry.offset, true) !== LOCAL)
    throw refuse('no header where the directory says', 'one (truncated?)');
  const raw = new Uint8Array(view.buffer, view.byteOffset + dataStart(view, entry), entry.packed);
  let plain: Uint8Array;
  try {
    plain = entry.method === 0 ? raw.slice() : await inflate(raw, 'deflate-raw', entry.size);
  } catch (cause) {
    if (cause instanceof TooMuch) throw refuse(`more than ${entry.size} bytes`, `the ${entry.size} of the directory`);
    throw refuse(`corrupt bytes (${cause instanceof Error ? cause.message : cause})`, 'deflate', cause);
  }
  if (plain.length !== entry.size) throw refuse(`${plain.length} bytes`, `${entry.size}`);
  if (crc32(plain) !== entry.crc) throw refuse('another checksum', 'the CRC-32 of the directory');
  return plain;
}

async function pass(bytes: Uint8Array, through: GenericTransformStream): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(through as ReadableWritablePair);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 of IEEE 802.3, as zip and gzip use it. */
export function crc32(bytes: Uint8Array): number {
  let crc = FULL;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return (crc ^ FULL) >>> 0;
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 255, value >>> 8);
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
