/**
 * Image folders in Node: `folder/CLASS/file.png`, decoded as in browsers (docs/adr/0021-one-image-decoder.md). Links
 * are followed.
 */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DownhillError } from '../util/errors.ts';
import { readFileBytes, systemReason } from '../util/files.node.ts';
import type { ArrayDataset } from './dataset.ts';
import {
  accountFor,
  checkImageOptions,
  type FileKind,
  fileKind,
  type ImageOptions,
  type ImageSource,
  imageDataset,
} from './image/image-dataset.ts';

/**
 * The images of `folder`, which has a folder for each class: x u8 [height, width, channels], y i32 class ids by sorted
 * name. Names that begin with a dot are skipped; one warning lists other files that are not images.
 * @throws DownhillError('file') for a folder or image that cannot be read, naming it; ('data') for a class folder
 *   without an image or with a folder in it, no class folder at all, images next to the class folders, or images of
 *   kinds that are not read, unless `others: 'skip'`; ('argument') for options that do not fit.
 */
export async function imageFolder(folder: string, options: ImageOptions): Promise<ArrayDataset> {
  const named = { name: folder, ...checkImageOptions(options) };
  const found: Record<FileKind, string[]> = { image: [], 'other image': [], stray: [] };
  const classes: string[] = [];
  for (const { name, path, isFolder } of await list(folder)) {
    if (isFolder) classes.push(name);
    else found[fileKind(name)].push(path);
  }
  if (classes.length === 0) {
    throw new DownhillError('data', `folder ${folder} has no folders in it; expected one for each class`);
  }
  if (found.image.length > 0) {
    throw new DownhillError('data', `image ${found.image[0]} is not in a class folder; expected one for each class`);
  }
  const sources: ImageSource[] = [];
  for (const className of classes) {
    const before = sources.length;
    for (const { name, path, isFolder } of await list(join(folder, className))) {
      if (isFolder) {
        const message = `class folder ${join(folder, className)} has a folder "${name}" in it; expected images alone`;
        throw new DownhillError('data', message);
      }
      found[fileKind(name)].push(path);
      if (fileKind(name) === 'image') sources.push({ className, path, read: () => readFileBytes(path, 'image') });
    }
    if (sources.length > before) continue;
    accountFor(found['other image'], [], named);
    throw new DownhillError('data', `class folder ${join(folder, className)} has no PNG or JPEG file in it`);
  }
  accountFor(found['other image'], found.stray, named);
  return imageDataset(sources, named);
}

interface Listed {
  readonly name: string;
  readonly path: string;
  readonly isFolder: boolean;
}

/** What is in `folder`, links followed, names that begin with a dot left out. */
async function list(folder: string): Promise<Listed[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    const message = `cannot read image folder ${folder}: ${systemReason(cause)}; expected a folder for each class`;
    throw new DownhillError('file', message, { cause });
  }
  const listed: Listed[] = [];
  for (const entry of entries) {
    const { name } = entry;
    if (name.startsWith('.')) continue;
    const path = join(folder, name);
    listed.push({ name, path, isFolder: entry.isSymbolicLink() ? await leadsToFolder(path) : entry.isDirectory() });
  }
  return listed;
}

async function leadsToFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw new DownhillError('file', `cannot follow link ${path}: ${systemReason(cause)}`, { cause });
  }
}
