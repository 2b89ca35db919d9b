/**
 * JPEG: baseline, extended and progressive, 8 bits, Huffman coded, of 1, 3 or 4 components at any sampling. Here are
 * the markers; scans are in jpeg-scan.ts, the inverse transform in jpeg-idct.ts, upsampling and colour in
 * jpeg-pixels.ts.
 *
 * Invariant: the same bytes wherever this runs, those of libjpeg (accurate integer transform, smooth upsampling); a
 * file that ends before its end mark, or within a scan, is refused.
 * Source: ITU-T T.81 (annexes B, F, G); T.872 for the JFIF and Adobe markers.
 */
import { exifOrientation, type Orientation } from './exif.ts';
import { checkPixels, type DecodedImage } from './image-limits.ts';
import { type ColourCode, pixelsOf } from './jpeg-pixels.ts';
import {
  type Component,
  decodeScan,
  finishComponent,
  type HuffmanTable,
  huffmanTable,
  type Scan,
} from './jpeg-scan.ts';
import { ZIGZAG } from './zigzag.ts';

/** The frame of a file: sizes and components. */
interface Frame {
  readonly width: number;
  readonly height: number;
  readonly progressive: boolean;
  readonly components: readonly Component[];
}

/** Progressive files have some ten scans; each costs a walk over the image however few bytes it has. */
const MOST_SCANS = 200;

/** Frames that exist and are not read. */
const OTHER_FRAMES: Readonly<Record<number, string>> = {
  195: 'a lossless JPEG',
  197: 'a hierarchical JPEG',
  198: 'a hierarchical JPEG',
  199: 'a hierarchical JPEG',
  201: 'an arithmetic-coded JPEG',
  202: 'an arithmetic-coded JPEG',
  203: 'a lossless arithmetic-coded JPEG',
};

/**
 * RGB bytes of a JPEG, and its Exif orientation (1 where it says none).
 * @throws Error that says what is wrong with the bytes.
 */
export function decodeJpeg(bytes: Uint8Array, maxPixels: number): DecodedImage {
  const quantization: (Uint16Array | undefined)[] = [];
  const dc: (HuffmanTable | undefined)[] = [];
  const ac: (HuffmanTable | undefined)[] = [];
  let frame: Frame | undefined;
  let restartInterval = 0;
  let jfif = false;
  let adobe: number | undefined;
  let orientation: Orientation = 1;
  let scans = 0;
  let at = 2;
  for (;;) {
    const marker = nextMarker(bytes, at);
    at = marker.end;
    if (marker.code === 0xd9) break;
    // Restart markers and TEM have no length.
    if ((marker.code >= 0xd0 && marker.code <= 0xd7) || marker.code === 1) continue;
    if (marker.code === 0xd8) throw new Error('it has a second start mark');
    const length = at + 2 <= bytes.length ? (bytes[at]! << 8) | bytes[at + 1]! : 0;
    if (at + length > bytes.length || length < 2) throw truncated(bytes, at);
    const body = bytes.subarray(at + 2, at + length);
    at += length;
    switch (marker.code) {
      case 0xc0:
      case 0xc1:
      case 0xc2:
        if (frame !== undefined) throw new Error('it has two frames');
        frame = readFrame(body, marker.code === 0xc2, maxPixels, bytes.length);
        break;
      case 0xc4:
        readHuffman(body, dc, ac);
        break;
      case 0xdb:
        readQuantization(body, quantization);
        break;
      case 0xdd:
        if (body.length < 2) throw new Error('its restart interval is cut off');
        restartInterval = (body[0]! << 8) | body[1]!;
        break;
      case 0xda: {
        if (frame === undefined) throw new Error('a scan comes before the frame');
        if (++scans > MOST_SCANS) throw new Error(`it has more than ${MOST_SCANS} scans`);
        const scan = readScan(body, frame, { quantization, dc, ac }, restartInterval);
        at = decodeScan(bytes, at, scan);
        break;
      }
      case 0xe0:
        if (text(body, 5) === 'JFIF\0') jfif = true;
        break;
      case 0xe1:
        if (text(body, 6) === 'Exif\0\0') orientation = exifOrientation(body.subarray(6));
        break;
      case 0xee:
        if (text(body, 5) === 'Adobe' && body.length >= 12) adobe = body[11]!;
        break;
      default:
        if (OTHER_FRAMES[marker.code] !== undefined || (marker.code > 0xc0 && marker.code <= 0xcf)) {
          throw new Error(`it is ${OTHER_FRAMES[marker.code] ?? 'a JPEG of an unknown kind'}, which is not read`);
        }
    }
  }
  if (frame === undefined) throw new Error('it holds no image');
  for (const component of frame.components) finishComponent(component);
  const code = colourCode(frame.components, jfif, adobe);
  return { ...pixelsOf(frame.width, frame.height, frame.components, code), orientation };
}

/** The next marker at or after `at`; bytes before it are skipped, as fill bytes are. */
function nextMarker(bytes: Uint8Array, at: number): { readonly code: number; readonly end: number } {
  for (let k = at; k + 1 < bytes.length; k++) {
    if (bytes[k] === 0xff && bytes[k + 1] !== 0xff && bytes[k + 1] !== 0) return { code: bytes[k + 1]!, end: k + 2 };
  }
  throw truncated(bytes, bytes.length);
}

function truncated(bytes: Uint8Array, at: number): Error {
  const where = at < bytes.length ? ` (a part at byte ${at} is longer than the file)` : '';
  return new Error(`the file is truncated: it ends after ${bytes.length} bytes without its end mark${where}`);
}

function readFrame(body: Uint8Array, progressive: boolean, maxPixels: number, fileLength: number): Frame {
  if (body.length < 6 || body.length < 6 + 3 * body[5]!) throw new Error('its frame header is cut off');
  const [precision, height, width, count] = [
    body[0]!,
    (body[1]! << 8) | body[2]!,
    (body[3]! << 8) | body[4]!,
    body[5]!,
  ];
  if (precision !== 8) throw new Error(`it has ${precision} bits a sample; 8 are read`);
  if (count !== 1 && count !== 3 && count !== 4) throw new Error(`it has ${count} components; 1, 3 and 4 are read`);
  checkPixels(width, height, maxPixels);
  const raw = Array.from({ length: count }, (_, k) => {
    const [id, sampling, table] = body.subarray(6 + 3 * k, 9 + 3 * k) as unknown as [number, number, number];
    return { id, h: sampling >> 4, v: sampling & 15, table };
  });
  for (const { h, v } of raw) {
    if (h < 1 || h > 4 || v < 1 || v > 4) throw new Error(`it has sampling factors ${h}×${v}; 1 to 4 are allowed`);
  }
  const [maxH, maxV] = [Math.max(...raw.map(({ h }) => h)), Math.max(...raw.map(({ v }) => v))];
  const [across, down] = [Math.ceil(width / (8 * maxH)), Math.ceil(height / (8 * maxV))];
  const blocks = across * down * raw.reduce((sum, { h, v }) => sum + h * v, 0);
  // A block takes a bit or two at least; memory is not asked for before the bytes can fill it.
  if (blocks * (progressive ? 1 : 2) > 8 * fileLength) {
    throw new Error(`the file is truncated: ${fileLength} bytes cannot hold ${width} × ${height} pixels`);
  }
  const components = raw.map(({ id, h, v, table }): Component => {
    const blocksAcross = across * h;
    const stride = 8 * blocksAcross;
    return {
      id,
      h,
      v,
      table,
      blocksAcross,
      width: Math.ceil((width * h) / maxH),
      height: Math.ceil((height * v) / maxV),
      stride,
      plane: new Uint8Array(stride * down * v * 8),
      coefficients: progressive ? new Int16Array(blocksAcross * down * v * 64) : undefined,
      quantization: undefined,
      predictor: 0,
    };
  });
  return { width, height, progressive, components };
}

function readQuantization(body: Uint8Array, tables: (Uint16Array | undefined)[]): void {
  for (let at = 0; at < body.length; ) {
    const [wide, slot] = [body[at]! >> 4, body[at]! & 15];
    const bytes = wide === 0 ? 64 : 128;
    if (wide > 1 || slot > 3) throw new Error('its quantization table is of an unknown kind');
    if (at + 1 + bytes > body.length) throw new Error('its quantization table is cut off');
    const table = new Uint16Array(64);
    for (let k = 0; k < 64; k++) {
      table[ZIGZAG[k]!] = wide ? (body[at + 1 + 2 * k]! << 8) | body[at + 2 + 2 * k]! : body[at + 1 + k]!;
    }
    tables[slot] = table;
    at += 1 + bytes;
  }
}

function readHuffman(body: Uint8Array, dc: (HuffmanTable | undefined)[], ac: (HuffmanTable | undefined)[]): void {
  for (let at = 0; at < body.length; ) {
    const [kind, slot] = [body[at]! >> 4, body[at]! & 15];
    if (kind > 1 || slot > 3) throw new Error('its Huffman table is of an unknown kind');
    const counts = body.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (counts.length < 16 || at + 17 + total > body.length) throw new Error('its Huffman table is cut off');
    (kind === 0 ? dc : ac)[slot] = huffmanTable(counts, body.subarray(at + 17, at + 17 + total));
    at += 17 + total;
  }
}

interface Tables {
  readonly quantization: readonly (Uint16Array | undefined)[];
  readonly dc: readonly (HuffmanTable | undefined)[];
  readonly ac: readonly (HuffmanTable | undefined)[];
}

function readScan(body: Uint8Array, frame: Frame, tables: Tables, restartInterval: number): Scan {
  const count = body[0] ?? 0;
  if (count < 1 || count > 4 || body.length < 4 + 2 * count) throw new Error('its scan header is cut off');
  const [start, end, high, low] = [
    body[1 + 2 * count]!,
    body[2 + 2 * count]!,
    body[3 + 2 * count]! >> 4,
    body[3 + 2 * count]! & 15,
  ];
  const { progressive } = frame;
  const fits = start <= end && end < 64 && low < 14 && high < 14 && (start > 0 ? count === 1 : end === 0);
  if (progressive && !fits) throw new Error('a scan covers coefficients that do not go together');
  const parts = Array.from({ length: count }, (_, k) => {
    const [id, slots] = [body[1 + 2 * k]!, body[2 + 2 * k]!];
    const component = frame.components.find((one) => one.id === id);
    if (component === undefined) throw new Error(`a scan names component ${id}, which the frame does not have`);
    component.quantization ??= tables.quantization[component.table];
    if (component.quantization === undefined) throw new Error('a quantization table is missing');
    const [dcTable, acTable] = [tables.dc[slots >> 4], tables.ac[slots & 15]];
    const [needsDc, needsAc] = progressive ? [start === 0 && high === 0, start > 0] : [true, true];
    if ((needsDc && dcTable === undefined) || (needsAc && acTable === undefined))
      throw new Error('a Huffman table is missing');
    return { component, dc: dcTable!, ac: acTable! };
  });
  if (new Set(parts.map(({ component }) => component)).size < count) throw new Error('a scan names a component twice');
  const [maxH, maxV] = [
    Math.max(...frame.components.map(({ h }) => h)),
    Math.max(...frame.components.map(({ v }) => v)),
  ];
  const across = Math.ceil(frame.width / (8 * maxH));
  const down = Math.ceil(frame.height / (8 * maxV));
  return { parts, progressive, start, end, high, low, restartInterval, across, down };
}

/** What the components mean, as libjpeg decides it. */
function colourCode(components: readonly Component[], jfif: boolean, adobe: number | undefined): ColourCode {
  if (components.length === 1) return 'grey';
  if (components.length === 4) return adobe === 2 ? 'ycck' : adobe === undefined ? 'cmyk' : 'invertedCmyk';
  if (jfif) return 'ycc';
  if (adobe !== undefined) return adobe === 0 ? 'rgb' : 'ycc';
  return components.map(({ id }) => String.fromCharCode(id)).join('') === 'RGB' ? 'rgb' : 'ycc';
}

function text(body: Uint8Array, length: number): string {
  return String.fromCharCode(...body.subarray(0, length));
}
