/**
 * From a source to training and held-out images. Whatever was dropped is recognised by its content and its names; what
 * cannot be is refused with the name of the file and what would have fitted.
 */

import {
  cifar10FromBytes,
  DownhillError,
  digits,
  downloadFile,
  type MnistName,
  mnistFromBytes,
  mnistFromUrl,
  select,
  shapes,
  type TrainTest,
} from '../../../src/index.ts';
import type { DataSource, NamedBytes } from './protocol.ts';

/** Hears how far reading or downloading is. */
export type OnProgress = (text: string, done?: number, total?: number) => void;

/** Larger files cannot be IDX or CIFAR files of ours: a wrong address must not fill the page's memory. */
const MAX_BYTES = 256 * 2 ** 20;
const PARTS = {
  trainImages: /train.*images|images.*train/i,
  trainLabels: /train.*labels|labels.*train/i,
  testImages: /(t10k|test).*images|images.*(t10k|test)/i,
  testLabels: /(t10k|test).*labels|labels.*(t10k|test)/i,
} as const;

export async function loadData(source: DataSource, onProgress: OnProgress): Promise<TrainTest> {
  if (source.kind === 'digits') {
    onProgress(`drawing ${source.train + source.test} digits`);
    return digits({ train: source.train, test: source.test });
  }
  if (source.kind === 'shapes') {
    onProgress(`drawing ${source.train + source.test} shapes`);
    return shapes({ train: source.train, test: source.test });
  }
  if (source.kind === 'files') return fromFiles(source.files);
  const onDownload = ({ key, received, total }: { key: string; received: number; total?: number }) =>
    onProgress(`downloading ${key}`, received, total);
  if (source.folder === undefined) {
    const advice = 'Download the four files by hand and drop them here, or give the address of a folder that has them.';
    return mnistFromUrl(source.name, { onProgress: onDownload, advice });
  }
  return fromFolder(source.name, source.folder, onDownload);
}

async function fromFolder(
  name: MnistName,
  folder: string,
  onProgress: (progress: { key: string; received: number; total?: number }) => void,
): Promise<TrainTest> {
  const base = folder.replace(/\/*$/, '/');
  const files = [
    'train-images-idx3-ubyte',
    'train-labels-idx1-ubyte',
    't10k-images-idx3-ubyte',
    't10k-labels-idx1-ubyte',
  ];
  const downloads = await Promise.allSettled(
    files.map((file) =>
      downloadFile(
        { key: file, urls: [`${base}${file}.gz`, `${base}${file}`], sha256: 'any' },
        { onProgress, maxBytes: MAX_BYTES, advice: 'The server must allow other pages to read the files (CORS).' },
      ),
    ),
  );
  // Where several fail, always the same one is named: the first of the four.
  const [trainImages, trainLabels, testImages, testLabels] = downloads.map((download) => {
    if (download.status === 'rejected') throw download.reason;
    return download.value;
  });
  return mnistFromBytes({ trainImages, trainLabels, testImages, testLabels }, name);
}

async function fromFiles(files: readonly NamedBytes[]): Promise<TrainTest> {
  if (files.length === 0) throw new DownhillError('argument', 'no file was dropped');
  const batches = files.filter(({ name }) => /\.bin(\.gz)?$/i.test(name));
  if (batches.length > 0) return fromCifar(batches);
  const bytes: Partial<Record<keyof typeof PARTS, Uint8Array>> = {};
  const paths: Partial<Record<keyof typeof PARTS, string>> = {};
  for (const { name, bytes: content } of files) {
    const part = (Object.keys(PARTS) as (keyof typeof PARTS)[]).find((key) => PARTS[key].test(name));
    if (part === undefined) {
      const expected =
        'MNIST’s four IDX files (train-images…, train-labels…, t10k-images…, t10k-labels…) or CIFAR-10’s .bin batches';
      throw new DownhillError('file', `${name}: not recognised by its name; expected ${expected}`);
    }
    bytes[part] = content;
    paths[part] = name;
  }
  const missing = (Object.keys(PARTS) as (keyof typeof PARTS)[]).filter((part) => bytes[part] === undefined);
  if (missing.length > 0) {
    const names = files.map(({ name }) => name).join(', ');
    throw new DownhillError('file', `${names}: drop all four files together; missing are ${missing.join(', ')}`);
  }
  const name = files.some((file) => /fashion/i.test(file.name)) ? 'fashion-mnist' : 'mnist';
  return mnistFromBytes(
    bytes as Record<keyof typeof PARTS, Uint8Array>,
    name,
    paths as Record<keyof typeof PARTS, string>,
  );
}

/** The batch with `test` in its name is held out; without one, a tenth is. */
async function fromCifar(files: readonly NamedBytes[]): Promise<TrainTest> {
  const held = files.filter(({ name }) => /test/i.test(name));
  const rest = files.filter((file) => !held.includes(file));
  if (rest.length > 0 && held.length > 0) {
    return { train: await cifar10FromBytes(rest, 'cifar10/train'), test: await cifar10FromBytes(held, 'cifar10/test') };
  }
  const all = await cifar10FromBytes(files, 'cifar10');
  const cut = Math.floor(0.9 * all.size);
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, k) => from + k);
  return {
    train: select(all, range(0, cut), 'cifar10/train'),
    test: select(all, range(cut, all.size), 'cifar10/test'),
  };
}
