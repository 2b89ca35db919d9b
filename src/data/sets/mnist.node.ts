/**
 * MNIST and Fashion-MNIST in Node: from a folder of the four IDX files, or downloaded once into the cache folder.
 * The files of a folder are not checked against checksums, so other sets of the same layout (KMNIST …) load too.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DownhillError, unknownName } from '../../util/errors.ts';
import { readFileBytes, systemReason } from '../../util/files.node.ts';
import type { TrainTest } from '../dataset.ts';
import { folderCache } from './cache.node.ts';
import {
  MNIST_FILES,
  MNIST_PARTS,
  MNIST_SOURCES,
  type MnistBytes,
  type MnistDownloadOptions,
  type MnistName,
  type MnistPart,
  mnistFromBytes,
  mnistFromUrl,
} from './mnist.ts';

/** Where `loadMnist` takes the files from. */
export interface LoadMnistOptions extends MnistDownloadOptions {
  /** A folder with the four files, `.gz` or plain; downloads unless given. */
  readonly folder?: string;
}

/**
 * Loads the data set: from `options.folder`, or by download through the cache folder (see cacheFolder).
 * Returns x u8 [n, 28, 28, 1] and y u8 class ids.
 * @throws DownhillError('file') for a missing folder or file, naming what was expected there; ('network') when the
 *   download failed; ('argument') for an unknown name; and what `mnistFromBytes` throws.
 */
export async function loadMnist(name: MnistName = 'mnist', options: LoadMnistOptions = {}): Promise<TrainTest> {
  if (!Object.hasOwn(MNIST_SOURCES, name)) throw unknownName('data set', name, Object.keys(MNIST_SOURCES));
  const { folder, ...download } = options;
  if (folder !== undefined) return mnistFromFolder(folder, name);
  const advice = `Without network, give a folder that holds the four files: --data DIR (${expectedFiles()})`;
  return mnistFromUrl(name, { cache: folderCache(), advice, ...download });
}

/** Loads the data set from the four IDX files in `folder`; throws as `loadMnist`. */
export async function mnistFromFolder(folder: string, name: MnistName = 'mnist'): Promise<TrainTest> {
  const present = await readdir(folder).catch((cause) => {
    const message = `${name}: cannot read folder ${folder}: ${systemReason(cause)}; expected a folder with`;
    throw new DownhillError('file', `${message} ${expectedFiles()}`, { cause });
  });
  const paths: Partial<Record<MnistPart, string>> = {};
  const missing: string[] = [];
  for (const part of MNIST_PARTS) {
    const file = namesOf(part).find((candidate) => present.includes(candidate));
    if (file) paths[part] = join(folder, file);
    else missing.push(MNIST_FILES[part]);
  }
  if (missing.length > 0) {
    const message = `${name}: folder ${folder} lacks ${missing.join(', ')}; expected ${expectedFiles()}`;
    throw new DownhillError('file', message);
  }
  const found = paths as Record<MnistPart, string>;
  const bytes: Partial<Record<MnistPart, Uint8Array>> = {};
  for (const part of MNIST_PARTS) bytes[part] = await readFileBytes(found[part], 'data file');
  return mnistFromBytes(bytes as MnistBytes, name, found);
}

/** The names a file may have: the official one, and that with a dot which some archives use; plain or `.gz`. */
function namesOf(part: MnistPart): string[] {
  const dotted = MNIST_FILES[part].replace('-idx', '.idx');
  return [MNIST_FILES[part], dotted].flatMap((file) => [`${file}.gz`, file]);
}

function expectedFiles(): string {
  return `${Object.values(MNIST_FILES).join(', ')}, each plain or .gz`;
}
