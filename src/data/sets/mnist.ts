/**
 * MNIST and the sets that share its four-file layout (Fashion-MNIST): their files, the mirrors, and how the bytes
 * become a data set. Browser-safe: bytes come from a caller or by `fetch`.
 *
 * Invariant: images and labels of a split have the same count, images are u8 of rank 3, labels class ids 0–9.
 * Sources: Y. LeCun, C. Cortes, C. Burges, "The MNIST database"; H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST"
 * (2017).
 */
import { DownhillError } from '../../util/errors.ts';
import { type ArrayDataset, arrayDataset, type TrainTest } from '../dataset.ts';
import { type IdxArray, readIdx } from '../formats/idx.ts';
import { type DownloadOptions, downloadFile } from './download.ts';

/** The data sets of this layout. */
export type MnistName = 'mnist' | 'fashion-mnist';

/** The role of each of the four files. */
export type MnistPart = 'trainImages' | 'trainLabels' | 'testImages' | 'testLabels';

/** The bytes of the four IDX files, gzip-compressed or plain. */
export type MnistBytes = Readonly<Record<MnistPart, Uint8Array>>;

/** File names without `.gz`, as the official distributions have them. */
export const MNIST_FILES = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
} as const satisfies Record<MnistPart, string>;

/** The roles in a fixed order. */
export const MNIST_PARTS = Object.keys(MNIST_FILES) as MnistPart[];

interface MnistSource {
  readonly classNames: readonly string[];
  /** Folders that hold the four `.gz` files, tried in turn. */
  readonly mirrors: readonly string[];
  /** SHA-256 of each `.gz` file, then of its content (for servers that decompress on the way). */
  readonly sha256: Readonly<Record<MnistPart, readonly [gzip: string, plain: string]>>;
}

/** Where each data set comes from and how it is recognised. */
export const MNIST_SOURCES: Readonly<Record<MnistName, MnistSource>> = {
  mnist: {
    classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    mirrors: ['https://storage.googleapis.com/cvdf-datasets/mnist/', 'https://ossci-datasets.s3.amazonaws.com/mnist/'],
    sha256: {
      trainImages: [
        '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609',
        'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
      ],
      trainLabels: [
        '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c',
        '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
      ],
      testImages: [
        '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6',
        '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
      ],
      testLabels: [
        'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6',
        'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
      ],
    },
  },
  'fashion-mnist': {
    classNames: [
      'T-shirt/top',
      'Trouser',
      'Pullover',
      'Dress',
      'Coat',
      'Sandal',
      'Shirt',
      'Sneaker',
      'Bag',
      'Ankle boot',
    ],
    mirrors: [
      'https://storage.googleapis.com/tensorflow/tf-keras-datasets/',
      'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
    ],
    sha256: {
      trainImages: [
        '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84',
        'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
      ],
      trainLabels: [
        'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845',
        'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
      ],
      testImages: [
        '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073',
        '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
      ],
      testLabels: [
        '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5',
        '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
      ],
    },
  },
};

/**
 * Builds the data set from the bytes of its four files: x u8 [n, height, width, 1], y u8 class ids.
 * @param paths the names of the files in errors; the official names unless given.
 * @throws DownhillError('file') for a file that is not a valid IDX file; DownhillError('data') for images and labels of
 *   different counts, an empty file, labels outside 0–9, or train and test images of different sizes.
 */
export async function mnistFromBytes(
  bytes: MnistBytes,
  name: MnistName = 'mnist',
  paths: Readonly<Record<MnistPart, string>> = MNIST_FILES,
): Promise<TrainTest> {
  const train = await readSplit(bytes, paths, 'trainImages', 'trainLabels', `${name}/train`, name);
  const test = await readSplit(bytes, paths, 'testImages', 'testLabels', `${name}/test`, name);
  if (train.xShape.join() !== test.xShape.join()) {
    const found = `${paths.trainImages} has images of [${train.xShape}], ${paths.testImages} of [${test.xShape}]`;
    throw new DownhillError('data', `${name}: ${found}; expected one size`);
  }
  return { train, test };
}

/** How `mnistFromUrl` gets its files. */
export interface MnistDownloadOptions extends Omit<DownloadOptions, 'advice'> {
  /** Folders (URLs) with the four `.gz` files, tried in turn; the data set's own mirrors unless given. */
  readonly mirrors?: readonly string[];
  /** What a reader without network can do, added to the error. */
  readonly advice?: string;
}

/**
 * Downloads the four files (each checked against its SHA-256) and builds the data set.
 * @throws DownhillError('network') when no mirror delivers a file; it names each URL and its answer.
 */
export async function mnistFromUrl(name: MnistName = 'mnist', options: MnistDownloadOptions = {}): Promise<TrainTest> {
  const { classNames: _, mirrors: official, sha256 } = MNIST_SOURCES[name];
  const { mirrors = official, ...download } = options;
  const bytes: Partial<Record<MnistPart, Uint8Array>> = {};
  for (const part of MNIST_PARTS) {
    const file = `${MNIST_FILES[part]}.gz`;
    const urls = mirrors.map((mirror) => `${mirror.replace(/\/*$/, '/')}${file}`);
    bytes[part] = await downloadFile({ key: `${name}/${file}`, urls, sha256: sha256[part] }, download);
  }
  return mnistFromBytes(bytes as MnistBytes, name);
}

async function readSplit(
  bytes: MnistBytes,
  paths: Readonly<Record<MnistPart, string>>,
  imagesPart: MnistPart,
  labelsPart: MnistPart,
  splitName: string,
  name: MnistName,
): Promise<ArrayDataset> {
  const images = await readPart(bytes[imagesPart], paths[imagesPart], 3, 'images [n, height, width]');
  const labels = await readPart(bytes[labelsPart], paths[labelsPart], 1, 'labels [n]');
  const [count, height, width] = images.shape as [number, number, number];
  if (count !== labels.shape[0]) {
    const found = `${paths[imagesPart]} holds ${count} images, ${paths[labelsPart]} ${labels.shape[0]} labels`;
    throw new DownhillError('data', `${splitName}: ${found}; expected as many labels as images`);
  }
  const { classNames } = MNIST_SOURCES[name];
  const x = images.values as Uint8Array;
  const y = labels.values as Uint8Array;
  if (x.length === 0) throw new DownhillError('data', `${paths[imagesPart]}: no image in it, shape [${images.shape}]`);
  return arrayDataset({ name: splitName, x, xShape: [height, width, 1], y, classNames });
}

async function readPart(bytes: Uint8Array, path: string, rank: number, what: string): Promise<IdxArray> {
  const array = await readIdx(bytes, path);
  if (array.dtype !== 'u8' || array.shape.length !== rank) {
    throw new DownhillError('file', `${path}: found ${array.dtype} [${array.shape}]; expected ${what} of u8`);
  }
  return array;
}
