/**
 * PNG: every colour type and depth, interlaced or not. Alpha is left out: the colours are those that are stored, under
 * transparent pixels too; 16 bits are rounded to 8; gamma and colour profiles are not applied.
 *
 * Invariant: the same bytes wherever this runs; a file that lacks its end, a wrong checksum or too few or too many
 * pixels is refused.
 * Source: W3C, Portable Network Graphics (third edition).
 */
import { inflate, TooMuch } from '../formats/inflate.ts';
import { crc32 } from '../formats/zip.ts';
import { exifOrientation, type Orientation } from './exif.ts';
import { checkPixels, type DecodedImage } from './image-limits.ts';

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly interlaced: boolean;
}

/**
 * Samples of a pixel and the depths that are allowed, by colour type: grey, RGB, palette, grey and alpha, RGB and
 * alpha.
 */
const COLOURS: Readonly<Record<number, readonly [samples: number, depths: readonly number[]]>> = {
  0: [1, [1, 2, 4, 8, 16]],
  2: [3, [8, 16]],
  3: [1, [1, 2, 4, 8]],
  4: [2, [8, 16]],
  6: [4, [8, 16]],
};

/** The seven passes of an interlaced image: first column and row, steps between. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** More than this, deflate cannot expand. */
const MOST_EXPANSION = 1040;

/**
 * RGB bytes of a PNG, and its Exif orientation (1 where it says none).
 * @throws Error that says what is wrong with the bytes.
 */
export async function decodePng(bytes: Uint8Array, maxPixels: number): Promise<DecodedImage> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: Header | undefined;
  let palette: Uint8Array | undefined;
  let orientation: Orientation = 1;
  const data: Uint8Array[] = [];
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) throw truncated(bytes);
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) throw truncated(bytes);
    const body = bytes.subarray(at + 8, at + 8 + length);
    const isCritical = (bytes[at + 4]! & 0x20) === 0;
    if (isCritical && crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      throw new Error(`the checksum of part ${JSON.stringify(type)} is wrong`);
    }
    at += 12 + length;
    if (header === undefined && type !== 'IHDR') throw new Error('it does not begin with its header');
    if (type === 'IEND') break;
    if (type === 'IHDR') {
      if (header !== undefined) throw new Error('it has two headers');
      header = readHeader(body, maxPixels);
    } else if (type === 'PLTE') palette = body;
    else if (type === 'IDAT') data.push(body);
    else if (type === 'eXIf') orientation = exifOrientation(body);
    else if (isCritical) throw new Error(`part ${JSON.stringify(type)} is of an unknown kind`);
  }
  const packed = joined(data);
  const { width, height } = header!;
  const rows = await unpack(packed, header!, bytes.length);
  const pixels = new Uint8Array(3 * width * height);
  let at = 0;
  for (const [x, y, stepX, stepY] of header!.interlaced ? PASSES : ([[0, 0, 1, 1]] as const)) {
    const [across, down] = [Math.ceil((width - x) / stepX), Math.ceil((height - y) / stepY)];
    if (across <= 0 || down <= 0) continue;
    const line = lineLength(header!, across);
    undoFilters(rows, at, line, down, bytesApart(header!));
    for (let row = 0; row < down; row++) {
      const to = 3 * ((y + row * stepY) * width + x);
      writePixels(rows, at + row * (line + 1) + 1, across, header!, palette, pixels, to, 3 * stepX);
    }
    at += down * (line + 1);
  }
  return { width, height, channels: 3, data: pixels, orientation };
}

function readHeader(body: Uint8Array, maxPixels: number): Header {
  if (body.length !== 13) throw new Error(`its header has ${body.length} bytes; expected 13`);
  const view = new DataView(body.buffer, body.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colour, compression, filter, interlace] = body.subarray(8) as unknown as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (!COLOURS[colour]?.[1].includes(depth))
    throw new Error(`it has colour type ${colour} of ${depth} bits, which PNG does not have`);
  if (compression !== 0 || filter !== 0 || interlace > 1)
    throw new Error('its compression, filter or interlace method is unknown to PNG');
  checkPixels(width, height, maxPixels);
  return { width, height, depth, colour, interlaced: interlace === 1 };
}

/** The filtered rows, exactly as many bytes as the header says. */
async function unpack(packed: Uint8Array, header: Header, fileLength: number): Promise<Uint8Array> {
  const { width, height, interlaced } = header;
  let expected = 0;
  for (const [x, y, stepX, stepY] of interlaced ? PASSES : ([[0, 0, 1, 1]] as const)) {
    const [across, down] = [Math.ceil((width - x) / stepX), Math.ceil((height - y) / stepY)];
    if (across > 0 && down > 0) expected += down * (lineLength(header, across) + 1);
  }
  const size = `${width} × ${height} pixels`;
  // No memory is allocated that the bytes cannot fill.
  if (expected > (packed.length + 1) * MOST_EXPANSION) {
    throw new Error(`the file is truncated: its ${fileLength} bytes cannot hold ${size}`);
  }
  let rows: Uint8Array;
  try {
    rows = await inflate(packed, 'deflate', expected);
  } catch (error) {
    if (error instanceof TooMuch) throw new Error(`it holds more than its ${size}`);
    throw new Error(`its pixels are truncated or corrupt (${(error as Error).message})`, { cause: error });
  }
  if (rows.length < expected) throw new Error(`it holds fewer than its ${size}`);
  return rows;
}

function lineLength({ colour, depth }: Header, pixels: number): number {
  return Math.ceil((pixels * COLOURS[colour]![0] * depth) / 8);
}

/** Distance in bytes to the same byte of the previous pixel. */
function bytesApart({ colour, depth }: Header): number {
  return Math.max(1, (COLOURS[colour]![0] * depth) >> 3);
}

/** Turns `down` rows of `line` bytes, a filter byte before each, into what was filtered (PNG, section 9). */
function undoFilters(rows: Uint8Array, from: number, line: number, down: number, apart: number): void {
  for (let row = 0; row < down; row++) {
    const at = from + row * (line + 1) + 1;
    const filter = rows[at - 1]!;
    if (filter > 4) throw new Error(`row ${row} has filter ${filter}; PNG has 0 to 4`);
    const above = row === 0 ? -1 : at - line - 1;
    for (let k = filter === 0 ? line : 0; k < line; k++) {
      const left = k >= apart ? rows[at + k - apart]! : 0;
      const up = above < 0 ? 0 : rows[above + k]!;
      const corner = above < 0 || k < apart ? 0 : rows[above + k - apart]!;
      const guess = filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : paeth(left, up, corner);
      rows[at + k] = rows[at + k]! + guess;
    }
  }
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function writePixels(
  rows: Uint8Array,
  at: number,
  count: number,
  { depth, colour }: Header,
  palette: Uint8Array | undefined,
  pixels: Uint8Array,
  to: number,
  step: number,
): void {
  const samples = COLOURS[colour]![0];
  const sample = sampleReader(rows, at, depth);
  if (colour === 3 && palette === undefined) throw new Error('its palette is missing');
  const scale = colour === 3 || depth >= 8 ? 1 : 255 / (2 ** depth - 1);
  for (let k = 0, out = to; k < count; k++, out += step) {
    if (colour === 3) {
      const entry = 3 * sample(k);
      if (entry + 2 >= palette!.length)
        throw new Error(`it uses colour ${entry / 3} of a palette of ${palette!.length / 3}`);
      pixels[out] = palette![entry]!;
      pixels[out + 1] = palette![entry + 1]!;
      pixels[out + 2] = palette![entry + 2]!;
    } else if (samples < 3) {
      pixels[out] = pixels[out + 1] = pixels[out + 2] = scale * sample(k * samples);
    } else {
      for (let c = 0; c < 3; c++) pixels[out + c] = sample(k * samples + c);
    }
  }
}

/** The k-th sample of the row at `at`; of 16 bits the nearest of 8. */
function sampleReader(rows: Uint8Array, at: number, depth: number): (k: number) => number {
  if (depth === 8) return (k) => rows[at + k]!;
  if (depth === 16) return (k) => Math.round(((rows[at + 2 * k]! << 8) | rows[at + 2 * k + 1]!) / 257);
  const mask = (1 << depth) - 1;
  return (k) => (rows[at + ((k * depth) >> 3)]! >> (8 - depth - ((k * depth) & 7))) & mask;
}

function truncated(bytes: Uint8Array): Error {
  return new Error(`the file is truncated: it ends after ${bytes.length} bytes without its end mark`);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
