/**
 * Labelled image files as a data set: a class for each folder, classes and files in sorted order, every image brought to
 * one size and number of channels. Here is what Node and browsers share, and the browser's way from `File`s; Node's way
 * from a folder is in image-folder.node.ts.
 *
 * Invariant: example k is the k-th file in sorted order; x is u8, so it means value / 255 on the device.
 */
import { oneOf, wholeNumber } from '../nn/check-options.ts';
import { checkOptions } from '../util/check-options.ts';
import { DownhillError } from '../util/errors.ts';
import { type ArrayDataset, arrayDataset } from './dataset.ts';
import { type ByteImage, fromRgba, resizeImage } from './resize.ts';

export interface ImageOptions {
  /** Height and width of every example in pixels; bilinear with antialiasing, the aspect ratio is not kept. */
  readonly size: readonly [height: number, width: number];
  /** `rgb` (3 channels; alpha is left out) or `grey` (1, luma); `rgb` unless given. */
  readonly colour?: 'rgb' | 'grey';
  /** Named in errors; `images` unless given. */
  readonly name?: string;
}

/** One image to come: which class, what errors call it, and how its pixels are had. */
export interface ImageSource {
  readonly className: string;
  readonly path: string;
  /** RGBA bytes. Whatever it throws means that the image is unreadable. */
  decode(): Promise<Omit<ByteImage, 'channels'>>;
}

/** The file names that count as images. */
export const IMAGE_NAME = /\.(png|jpe?g)$/i;

/**
 * A data set of the images: x u8 [height, width, channels], y i32 class ids, classes sorted by name.
 * @throws DownhillError('file') for an unreadable image, naming its path; ('data') for no image at all; ('argument') for
 *   a size that is no two whole numbers, or an unknown option.
 */
export async function imageDataset(sources: readonly ImageSource[], options: ImageOptions): Promise<ArrayDataset> {
  const {
    size,
    colour = 'rgb',
    name = 'images',
  } = checkOptions('images', options, ['size', 'colour', 'name'], ['size']);
  const [high, wide]: readonly unknown[] = Array.isArray(size) && size.length === 2 ? size : [size, undefined];
  const height = wholeNumber('images', 'height of size', high);
  const width = wholeNumber('images', 'width of size', wide);
  oneOf('images', 'colour', colour, ['rgb', 'grey']);
  const channels = colour === 'rgb' ? 3 : 1;
  const classNames = [...new Set(sources.map(({ className }) => className))].sort();
  const sorted = [...sources].sort((a, b) => order(a.className, b.className) || order(a.path, b.path));
  const values = height * width * channels;
  const x = new Uint8Array(sorted.length * values);
  for (const [k, source] of sorted.entries()) {
    const image = await source.decode().catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DownhillError('file', `cannot read image ${source.path}: ${reason}; expected PNG or JPEG`, { cause });
    });
    x.set(resizeImage(fromRgba(image, channels), height, width).data, k * values);
  }
  if (sorted.length === 0) {
    throw new DownhillError(
      'data',
      `data set "${name}": no image; expected a folder for each class with PNG or JPEG files`,
    );
  }
  const y = Int32Array.from(sorted, ({ className }) => classNames.indexOf(className));
  return arrayDataset({ name, x, xShape: [height, width, channels], y, classNames });
}

/**
 * In a browser: the images among `files`, such as those of `<input type="file" webkitdirectory>`. The class is the name
 * of the folder in which a file lies; other files are passed over. Throws as `imageDataset`, and DownhillError('data')
 * for an image that lies in no folder.
 */
export function imagesFromFiles(files: Iterable<File>, options: ImageOptions): Promise<ArrayDataset> {
  const sources = [...files]
    .filter((file) => IMAGE_NAME.test(file.name))
    .map((file): ImageSource => {
      const path = file.webkitRelativePath || file.name;
      const className = path.split('/').at(-2);
      if (className === undefined) {
        throw new DownhillError('data', `image ${path} lies in no folder; expected one for each class`);
      }
      return { className, path, decode: () => decodeFile(file) };
    });
  return imageDataset(sources, options);
}

/** At its own size and without colour conversion: resizing is ours, the same everywhere. */
async function decodeFile(file: File): Promise<Omit<ByteImage, 'channels'>> {
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
