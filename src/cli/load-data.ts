/**
 * The data sets of the command line: the embedded digits, and those of MNIST's layout from a folder or by download.
 */

import { type ArrayDataset, type TrainTest, take } from '../data/dataset.ts';
import { digits } from '../data/digits.ts';
import type { DownloadProgress } from '../data/download.ts';
import { loadMnist } from '../data/mnist.node.ts';
import { DownhillError } from '../util/errors.ts';
import { formatBytes } from '../util/text.ts';
import { choice, text } from './options.ts';
import type { Output } from './output.ts';

export const DATASETS = ['digits', 'mnist', 'fashion-mnist'] as const;

export type DatasetName = (typeof DATASETS)[number];

/** The options that commands with a data set share. */
export const DATASET_OPTIONS = {
  dataset: choice({
    names: DATASETS,
    fallback: 'digits' as const,
    doc: 'digits are drawn by downhill itself, the others are read or downloaded',
  }),
  data: text({ placeholder: 'DIR', doc: 'folder with the four files of the data set; downloaded unless given' }),
};

/** @throws DownhillError as `loadMnist`; `argument` for a folder that the data set does not need. */
export async function loadDataset(name: DatasetName, folder: string | undefined, output: Output): Promise<TrainTest> {
  if (name !== 'digits') {
    return loadMnist(name, folder === undefined ? { onProgress: downloadProgress(output) } : { folder });
  }
  if (folder !== undefined) {
    const others = DATASETS.filter((other) => other !== 'digits').join(' or ');
    throw new DownhillError('argument', `--data ${folder}: the digits are drawn, not read; --data goes with ${others}`);
  }
  return digits();
}

/** The first `limit` training examples, or all. */
export function limited(set: ArrayDataset, limit: number | undefined): ArrayDataset {
  return limit === undefined ? set : take(set, limit);
}

/** Says how far each file is: one line that is written again on a terminal, a line a file elsewhere. */
function downloadProgress(output: Output): (progress: DownloadProgress) => void {
  const { progress: writer } = output;
  return ({ key, received, total }) => {
    const done = received === total;
    if (!writer.isTTY && !done) return;
    const amount = total === undefined ? formatBytes(received) : `${formatBytes(received)} of ${formatBytes(total)}`;
    writer.write(`${writer.isTTY ? '\r\u001b[2K' : ''}${key}: ${amount}${done || !writer.isTTY ? '\n' : ''}`);
  };
}
