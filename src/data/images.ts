/**
 * Labelled image files as a data set, in a browser; image-folder.node.ts does the same in Node. The image reader is
 * loaded on the first call: a page that never calls it does not load it.
 */
import type { ArrayDataset } from './dataset.ts';
import type { ImageOptions } from './image/image-dataset.ts';

export type { ImageOptions } from './image/image-dataset.ts';

/**
 * The images among `files`, such as those of `<input type="file" webkitdirectory>`: x u8 [height, width, channels], y
 * i32 class ids. The class is the name of the file's folder. One warning lists files that are not images; names that
 * begin with a dot are skipped.
 * @throws DownhillError('file') for an unreadable image, naming its path; ('data') for no image at all, an image
 *   outside any folder, class folders without a common parent, and images of kinds that are not read, unless
 *   `others: 'skip'`; ('argument') for options that do not fit.
 */
export async function imagesFromFiles(files: Iterable<File>, options: ImageOptions): Promise<ArrayDataset> {
  // The list of an input element empties when the element is cleared, so the files are copied at once.
  const given = [...files];
  return (await import('./image/image-dataset.ts')).datasetOfFiles(given, options);
}
