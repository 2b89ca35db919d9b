/**
 * The one decoder of image files, for Node and browsers alike (docs/adr/0021-one-image-decoder.md). The kind of a file
 * is seen by its first bytes, not its name; the decoder of a kind is loaded when the first such file is.
 */
import type { ByteImage } from '../resize.ts';
import { upright } from './exif.ts';
import { MAX_PIXELS } from './image-limits.ts';

export interface DecodeOptions {
  /** Most pixels of an image; 2²⁶ (67 million) unless given. */
  readonly maxPixels?: number;
  /**
   * `exif` turns photographs upright, as browsers show them; `stored` leaves rows and columns as they are. `exif`
   * unless given.
   */
  readonly orientation?: 'exif' | 'stored';
}

/** What files of other kinds begin with. */
const OTHERS: readonly (readonly [name: string, at: number, start: string])[] = [
  ['a GIF', 0, 'GIF8'],
  ['a WebP', 8, 'WEBP'],
  ['a BMP', 0, 'BM'],
  ['a TIFF', 0, 'II*\0'],
  ['a TIFF', 0, 'MM\0*'],
  ['an AVIF', 4, 'ftypavi'],
  ['a HEIC', 4, 'ftyphei'],
  ['a HEIC', 4, 'ftypmif1'],
  ['a JPEG XL', 0, '\xff\x0a'],
  ['an SVG', 0, '<svg'],
  ['a PDF', 0, '%PDF'],
];

/**
 * RGB bytes of a PNG or JPEG, alpha left out.
 * @throws Error that says what is wrong with the bytes, or what they are instead.
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions = {}): Promise<ByteImage> {
  const { maxPixels = MAX_PIXELS, orientation = 'exif' } = options;
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  if (bytes.length === 0) throw new Error('the file is empty');
  let image: Awaited<ReturnType<typeof import('./png.ts').decodePng>>;
  if (start.startsWith('\x89PNG\r\n\x1a\n')) image = await (await import('./png.ts')).decodePng(bytes, maxPixels);
  else if (start.startsWith('\xff\xd8')) image = (await import('./jpeg.ts')).decodeJpeg(bytes, maxPixels);
  else {
    const other = OTHERS.find(([, at, text]) => start.startsWith(text, at))?.[0];
    const first = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new Error(other === undefined ? `it begins with ${first}` : `it is ${other}`);
  }
  return orientation === 'exif' ? upright(image, image.orientation) : image;
}
