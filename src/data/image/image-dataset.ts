/**
 * Labelled image files as a data set: one class per folder, classes and files in sorted order, all images with one size
 * and number of channels. ../images.ts (a browser's files) and ../image-folder.node.ts share it.
 *
 * Invariants: example k is the k-th file in sorted order; x is u8; the same files give the same bytes in Node and in
 * every browser; no file is skipped silently.
 */
import { oneOf, wholeNumber } from '../../nn/check-options.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { type ArrayDataset, arrayDataset } from '../dataset.ts';
import { inChannels, resizeImage } from '../resize.ts';
import { type DecodeOptions, decodeImage } from './decode.ts';

export interface ImageOptions extends DecodeOptions {
  /** Height and width of every example in pixels; bilinear with antialiasing, the aspect ratio is not kept. */
  readonly size: readonly [height: number, width: number];
  /** `rgb` (3 channels; alpha is left out) or `grey` (1, luma); `rgb` unless given. */
  readonly colour?: 'rgb' | 'grey';
  /** Named in errors; `images` unless given. */
  readonly name?: string;
  /**
   * What to do about images of kinds that are not decoded (GIF, WebP, BMP …): `error`, or `skip` with a warning;
   * `error` unless given.
   */
  readonly others?: 'error' | 'skip';
}

/** An image to read: its class, its name in errors, and its bytes. */
export interface ImageSource {
  readonly className: string;
  readonly path: string;
  /** @throws DownhillError, or an error that says why the bytes cannot be read. */
  read(): Promise<Uint8Array>;
}

const KNOWN = ['size', 'colour', 'name', 'others', 'maxPixels', 'orientation'] as const;

/** What a file is, by its name: one to decode, an image of another kind, or no image. */
export type FileKind = 'image' | 'other image' | 'stray';

export function fileKind(name: string): FileKind {
  if (/\.(png|jpe?g|jpe|jfif)$/i.test(name)) return 'image';
  return /\.(gif|webp|bmp|dib|tiff?|avif|hei[cf]|jxl|jp2|svg|ico|apng|ppm|pgm)$/i.test(name) ? 'other image' : 'stray';
}

/**
 * A data set of the images: x u8 [height, width, channels], y i32 class ids, classes sorted by name.
 * @throws DownhillError('file') for an unreadable image, naming its path; ('data') for no image at all; ('argument')
 *   for a size that is not two whole numbers, or an unknown option.
 */
export async function imageDataset(sources: readonly ImageSource[], options: ImageOptions): Promise<ArrayDataset> {
  const { size, colour = 'rgb', name = 'images', ...decoding } = checkImageOptions(options);
  const [height, width] = size;
  const channels = colour === 'rgb' ? 3 : 1;
  const classNames = [...new Set(sources.map(({ className }) => className))].sort();
  const ids = new Map(classNames.map((className, id) => [className, id]));
  const sorted = [...sources].sort((a, b) => order(a.className, b.className) || order(a.path, b.path));
  const values = height * width * channels;
  const x = new Uint8Array(sorted.length * values);
  for (const [k, source] of sorted.entries()) {
    try {
      const image = await decodeImage(await source.read(), decoding);
      x.set(resizeImage(inChannels(image, channels), height, width).data, k * values);
    } catch (cause) {
      if (cause instanceof DownhillError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DownhillError('file', `cannot read image ${source.path}: ${reason}; expected PNG or JPEG`, { cause });
    }
  }
  if (sorted.length === 0) {
    throw new DownhillError(
      'data',
      `data set "${name}": no image; expected a folder for each class with PNG or JPEG files`,
    );
  }
  const y = Int32Array.from(sorted, ({ className }) => ids.get(className)!);
  return arrayDataset({ name, x, xShape: [height, width, channels], y, classNames });
}

/** @throws DownhillError('argument') for options that do not fit; before any file is touched. */
export function checkImageOptions(options: ImageOptions): ImageOptions {
  const checked = checkOptions('images', options, KNOWN, ['size']);
  const { size, colour = 'rgb', others = 'error', maxPixels, orientation = 'exif' } = checked;
  const [high, wide]: readonly unknown[] = Array.isArray(size) && size.length === 2 ? size : [size, undefined];
  wholeNumber('images', 'height of size', high);
  wholeNumber('images', 'width of size', wide);
  oneOf('images', 'colour', colour, ['rgb', 'grey']);
  oneOf('images', 'others', others, ['error', 'skip']);
  oneOf('images', 'orientation', orientation, ['exif', 'stored']);
  if (maxPixels !== undefined) wholeNumber('images', 'maxPixels', maxPixels);
  return checked;
}

/**
 * Refuses images of other kinds, or warns about them and about files that are not images: one warning for all.
 * @param others paths of images that are not decoded; `strays` of files that are not images.
 * @throws DownhillError('data') for `others` unless they are to be skipped.
 */
export function accountFor(others: readonly string[], strays: readonly string[], options: ImageOptions): void {
  const { name = 'images' } = options;
  if (others.length > 0 && options.others !== 'skip') {
    throw new DownhillError(
      'data',
      `data set "${name}": ${count(others, 'image')} of kinds that are not read: ${some(others)}; expected PNG or ` +
        'JPEG: convert them, or leave them out with others: "skip"',
    );
  }
  const parts = [
    ...(others.length > 0 ? [`${count(others, 'image')} of kinds that are not read (${some(others)})`] : []),
    ...(strays.length > 0 ? [`${count(strays, 'file')} without an image's name (${some(strays)})`] : []),
  ];
  if (parts.length > 0) console.warn(`downhill: data set "${name}": left out ${parts.join(', and ')}`);
}

/** The images among a browser's files; see `imagesFromFiles`. */
export async function datasetOfFiles(files: Iterable<File>, options: ImageOptions): Promise<ArrayDataset> {
  checkImageOptions(options);
  const found: Record<FileKind, string[]> = { image: [], 'other image': [], stray: [] };
  const sources: ImageSource[] = [];
  let home: string | undefined;
  for (const file of files) {
    const path = file.webkitRelativePath || file.name;
    const folders = path.split('/').slice(0, -1);
    if (path.split('/').some((part) => part.startsWith('.'))) continue;
    const kind = fileKind(file.name);
    found[kind].push(path);
    if (kind !== 'image') continue;
    const className = folders.at(-1);
    if (className === undefined) {
      throw new DownhillError('data', `image ${path} is not in a folder; expected one for each class`);
    }
    const parent = folders.slice(0, -1).join('/');
    home ??= parent;
    if (parent !== home) {
      const where = (folder: string) => (folder === '' ? 'no folder' : `"${folder}"`);
      const message = `image ${path} is in a class folder of ${where(parent)}, others are in one of ${where(home)}`;
      throw new DownhillError('data', `${message}; expected class folders side by side`);
    }
    sources.push({ className, path, read: async () => new Uint8Array(await file.arrayBuffer()) });
  }
  accountFor(found['other image'], found.stray, options);
  return imageDataset(sources, options);
}

function count(files: readonly string[], what: string): string {
  return `${files.length} ${what}${files.length === 1 ? '' : 's'}`;
}

function some(files: readonly string[]): string {
  return `${files.slice(0, 3).join(', ')}${files.length > 3 ? ' …' : ''}`;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
