/**
 * CIFAR-10 in Node, from a folder: the official layout (`data_batch_1.bin` … `data_batch_5.bin`, `test_batch.bin`), or
 * any `train*.bin` and `test*.bin`, each plain or `.gz`; class names from `batches.meta.txt` where it is there.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DownhillError } from '../../util/errors.ts';
import { readFileBytes, systemReason } from '../../util/files.node.ts';
import type { TrainTest } from '../dataset.ts';
import { CIFAR10_CLASSES, type CifarFile, cifar10FromBytes, parseClassNames } from './cifar.ts';

const EXPECTED =
  'data_batch_1.bin … data_batch_5.bin and test_batch.bin, or train*.bin and test*.bin, each plain or .gz';
const TRAIN = /^(data_batch_\d+|train.*)\.bin(\.gz)?$/;
const TEST = /^test.*\.bin(\.gz)?$/;

/**
 * Loads CIFAR-10, or a part of it in the same records: x u8 [n, 32, 32, 3], y u8 class ids.
 * @throws DownhillError('file') for a folder that cannot be read or lacks the files, and what `cifar10FromBytes`
 *   throws.
 */
export async function loadCifar10(folder: string, name = 'cifar10'): Promise<TrainTest> {
  const present = await readdir(folder).catch((cause) => {
    const message = `${name}: cannot read folder ${folder}: ${systemReason(cause)}; expected a folder with ${EXPECTED}`;
    throw new DownhillError('file', message, { cause });
  });
  const trainFiles = chosen(present, TRAIN);
  const testFiles = chosen(present, TEST);
  if (trainFiles.length === 0 || testFiles.length === 0) {
    const lacking = [...(trainFiles.length === 0 ? ['training'] : []), ...(testFiles.length === 0 ? ['test'] : [])];
    throw new DownhillError(
      'file',
      `${name}: folder ${folder} lacks ${lacking.join(' and ')} files; expected ${EXPECTED}`,
    );
  }
  let classNames = CIFAR10_CLASSES;
  if (present.includes('batches.meta.txt')) {
    const path = join(folder, 'batches.meta.txt');
    classNames = parseClassNames(new TextDecoder().decode(await readFileBytes(path, 'class names')), path);
  }
  const read = (files: readonly string[]): Promise<CifarFile[]> =>
    Promise.all(
      files.map(async (file) => ({
        name: join(folder, file),
        bytes: await readFileBytes(join(folder, file), 'data file'),
      })),
    );
  return {
    train: await cifar10FromBytes(await read(trainFiles), `${name}/train`, classNames),
    test: await cifar10FromBytes(await read(testFiles), `${name}/test`, classNames),
  };
}

/** The files of a kind in order; one that is there plain and as `.gz` counts once. */
function chosen(present: readonly string[], kind: RegExp): string[] {
  const files = present.filter((file) => kind.test(file)).sort();
  return files.filter((file) => !(file.endsWith('.gz') && files.includes(file.slice(0, -3))));
}
