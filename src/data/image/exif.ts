/**
 * The orientation tag of Exif: how a camera was held. 1 is upright; 2 to 8 are turned or mirrored.
 * Source: CIPA DC-008 (Exif 2.32), tag 0x0112; TIFF 6.0 for the directory around it.
 */
import type { ByteImage } from '../resize.ts';

export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** The orientation in a block of Exif data, which begins with `II` or `MM`; 1 where there is none or it is broken. */
export function exifOrientation(block: Uint8Array): Orientation {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  if (block.length < 8) return 1;
  const order = view.getUint16(0);
  const little = order === 0x4949;
  if ((!little && order !== 0x4d4d) || view.getUint16(2, little) !== 42) return 1;
  const directory = view.getUint32(4, little);
  if (directory + 2 > block.length) return 1;
  const count = view.getUint16(directory, little);
  for (let k = 0; k < count; k++) {
    const entry = directory + 2 + 12 * k;
    if (entry + 12 > block.length) return 1;
    if (view.getUint16(entry, little) !== 0x0112 || view.getUint16(entry + 2, little) !== 3) continue;
    const value = view.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? (value as Orientation) : 1;
  }
  return 1;
}

/** `image` upright. */
export function upright(image: ByteImage, orientation: Orientation): ByteImage {
  if (orientation === 1) return image;
  const { width, height, channels, data } = image;
  const turned = orientation >= 5;
  const [wide, high] = turned ? [height, width] : [width, height];
  // Whether the stored column runs against its upright axis, and the same for the stored row.
  const columnBack = [2, 3, 7, 8].includes(orientation);
  const rowBack = [3, 4, 6, 7].includes(orientation);
  const out = new Uint8Array(data.length);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const [across, down] = turned ? [y, x] : [x, y];
      const from =
        ((rowBack ? height - 1 - down : down) * width + (columnBack ? width - 1 - across : across)) * channels;
      const to = (y * wide + x) * channels;
      for (let c = 0; c < channels; c++) out[to + c] = data[from + c]!;
    }
  }
  return { width: wide, height: high, channels, data: out };
}
