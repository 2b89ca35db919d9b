/** What the decoders share: their result, and how large an image may be. */
import type { ByteImage } from '../resize.ts';
import type { Orientation } from './exif.ts';

/** RGB bytes as they are stored, and the image's Exif orientation. */
export interface DecodedImage extends ByteImage {
  readonly channels: 3;
  readonly orientation: Orientation;
}

/** Pixels of an image unless `maxPixels` says otherwise: 2²⁶, 8192 × 8192. */
export const MAX_PIXELS = 2 ** 26;

/** @throws Error for an image without pixels, or of more than `maxPixels`. */
export function checkPixels(width: number, height: number, maxPixels: number): void {
  if (width === 0 || height === 0) throw new Error(`it has ${width} × ${height} pixels`);
  if (width * height <= maxPixels) return;
  throw new Error(`it has ${width} × ${height} pixels, more than maxPixels = ${maxPixels}; give a larger maxPixels`);
}
