/**
 * Labelled image files as a data set, in a browser; image-folder.node.ts is Node's way. What reads images is loaded when
 * it is called: a page that does not call it does not load it.
 */
import type { ArrayDataset } from './dataset.ts';
import type { ImageOptions } from './image/image-dataset.ts';

export type { ImageOptions } from './image/image-dataset.ts';

/**
 * The images among `files`, such as those of `<input type="file" webkitdirectory>`: x u8 [height, width, channels], y i32
 * class ids. The class is the name of the folder in which a file lies. Of files that are no images one warning tells;
 * names that begin with a dot are passed over.
 * @throws DownhillError('file') for an unreadable image, naming its path; ('data') for no image at all, an image that lies
 *   in no folder, class folders that do not lie side by side, and images of kinds that are not read, unless
 *   `others: 'skip'`; ('argument') for options that do not fit.
 */
export async function imagesFromFiles(files: Iterable<File>, options: ImageOptions): Promise<ArrayDataset> {
  // A list of an input element empties itself when the element is cleared: the files are taken at once.
  const given = [...files];
  return (await import('./image/image-dataset.ts')).datasetOfFiles(given, options);
}
