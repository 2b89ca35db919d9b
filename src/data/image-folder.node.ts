/**
 * Image folders in Node: `folder/CLASS/file.png`. PNG and JPEG are decoded by `pngjs` and `jpeg-js`, both plain
 * JavaScript, which are loaded when the first image is (docs/adr/0011-image-decoders.md). The kind of a file is seen by
 * its first bytes, not its name.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DownhillError } from '../util/errors.ts';
import { readFileBytes, systemReason } from '../util/files.node.ts';
import type { ArrayDataset } from './dataset.ts';
import { IMAGE_NAME, type ImageOptions, type ImageSource, imageDataset } from './images.ts';
import type { ByteImage } from './resize.ts';

/**
 * The images of `folder`, which has a folder for each class: x u8 [height, width, channels], y i32 class ids by sorted
 * name. Files that are not named `.png`, `.jpg` or `.jpeg`, and names that begin with a dot, are passed over.
 * @throws DownhillError('file') for a folder or image that cannot be read, naming it; ('data') for a class folder without
 *   an image or no class folder at all; ('argument') for options that do not fit.
 */
export async function imageFolder(folder: string, options: ImageOptions): Promise<ArrayDataset> {
  const entries = await list(folder);
  const classes = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  if (classes.length === 0) {
    throw new DownhillError('data', `folder ${folder} has no folders in it; expected one for each class`);
  }
  const sources: ImageSource[] = [];
  for (const className of classes) {
    const files = await list(join(folder, className));
    const images = files.filter(({ name }) => IMAGE_NAME.test(name) && !name.startsWith('.'));
    if (images.length === 0) {
      throw new DownhillError('data', `class folder ${join(folder, className)} has no PNG or JPEG file in it`);
    }
    for (const { name } of images) {
      const path = join(folder, className, name);
      sources.push({ className, path, decode: async () => decodeImage(await readFileBytes(path, 'image')) });
    }
  }
  return imageDataset(sources, { name: folder, ...options });
}

/**
 * RGBA bytes of a PNG or JPEG file; 16-bit PNGs are brought to 8, JPEG's orientation tag is not followed.
 * @throws the decoder's error, or one that says what the first bytes are.
 */
export async function decodeImage(bytes: Uint8Array): Promise<Omit<ByteImage, 'channels'>> {
  if (bytes[0] === 0x89 && bytes[1] === 0x50) {
    requireEnd(bytes, PNG_END);
    const { PNG } = await import('pngjs');
    return PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
  if (bytes[0] === 0xff && bytes[1] === 0xd8) {
    requireEnd(bytes, JPEG_END);
    const { decode } = await import('jpeg-js');
    return decode(bytes, { useTArray: true, formatAsRGBA: true, tolerantDecoding: false });
  }
  if (bytes.length === 0) throw new Error('the file is empty');
  const first = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw new Error(`it begins with ${first}`);
}

/** `IEND`, and the marker EOI. */
const PNG_END = [0x49, 0x45, 0x4e, 0x44];
const JPEG_END = [0xff, 0xd9];

/** @throws when `end`, after which other bytes may follow, is missing: decoders say little then, or give grey pixels. */
function requireEnd(bytes: Uint8Array, end: readonly number[]): void {
  if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(Buffer.from(end))) return;
  throw new Error(`the file is truncated: it ends after ${bytes.length} bytes without its end mark`);
}

function list(folder: string) {
  return readdir(folder, { withFileTypes: true }).catch((cause) => {
    const message = `cannot read image folder ${folder}: ${systemReason(cause)}; expected a folder for each class`;
    throw new DownhillError('file', message, { cause });
  });
}
