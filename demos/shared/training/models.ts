/** The networks that the pages offer, compiled, for images of any size the data has. */

import {
  model as functional,
  input,
  type Layer,
  layers,
  lenet5,
  type Model,
  mlp,
  optimizers,
  Sequential,
  type SymbolicTensor,
} from '../../../src/index.ts';
import type { Augmentation, DataInfo, RunSpec } from './protocol.ts';

/** The compiled model of `spec` for images like those of `data`. @throws DownhillError for options that do not fit. */
export function buildModel(spec: RunSpec, { shape, classNames }: DataInfo): Model {
  const { seed } = spec;
  const common = { inputShape: shape, classes: classNames.length, seed };
  const made = augmented(networks[spec.model](common), common, spec.augmentation);
  return made.compile({
    optimizer: optimizerOf(spec),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
}

interface Common {
  readonly inputShape: readonly number[];
  readonly classes: number;
  readonly seed: number;
}

const networks = {
  lenet: (common: Common): Model => lenet5(common),
  mlp: (common: Common): Model => mlp(common),
  vgg: vggSmall,
  cnn: ({ inputShape, classes, seed }: Common): Model =>
    new Sequential(
      [
        ...convolution(16),
        layers.maxPooling2d({ poolSize: 2 }),
        ...convolution(32),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.flatten(),
        layers.dropout({ rate: 0.3 }),
        layers.dense({ units: classes, activation: 'softmax' }),
      ],
      { name: 'small_cnn', inputShape, seed },
    ),
  resnet: resNet8,
} as const;

/** Averages of about ten batches, not a hundred as by default: a demo's first epoch may be no longer than that. */
const normalization = (): Layer => layers.batchNormalization({ momentum: 0.9 });

const convolution = (filters: number): Layer[] => [
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false }),
  normalization(),
  layers.activation({ activation: 'relu' }),
];

/** Three blocks of two convolutions each, 16, 32 and 64 maps: VGG in a size that a laptop trains while you watch. */
function vggSmall({ inputShape, classes, seed }: Common): Model {
  return new Sequential(
    [
      ...[16, 32, 64].flatMap((filters) => [
        ...convolution(filters),
        ...convolution(filters),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.dropout({ rate: 0.2 }),
      ]),
      layers.flatten(),
      layers.dense({ units: classes, activation: 'softmax' }),
    ],
    { name: 'vgg_small', inputShape, seed },
  );
}

/**
 * The smallest of the CIFAR ResNets of the paper's form 6n + 2, n = 1: three stages of 16, 32 and 64 maps with one
 * block each. Source: He, Zhang, Ren, Sun, "Deep residual learning for image recognition" (2016), section 4.2.
 */
function resNet8({ inputShape, classes, seed }: Common): Model {
  const image = input({ shape: inputShape });
  const normalised = (filters: number, kernelSize: number, strides: number, x: SymbolicTensor): SymbolicTensor =>
    normalization()(layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false })(x));
  const relu = (x: SymbolicTensor): SymbolicTensor => layers.activation({ activation: 'relu' })(x);
  let x = relu(normalised(16, 3, 1, image));
  for (const [filters, strides] of [
    [16, 1],
    [32, 2],
    [64, 2],
  ]) {
    const branch = normalised(filters, 3, 1, relu(normalised(filters, 3, strides, x)));
    const shortcut = strides === 1 ? x : normalised(filters, 1, strides, x);
    x = relu(layers.add()([branch, shortcut]));
  }
  const answer = layers.dense({ units: classes, activation: 'softmax' })(layers.globalAveragePooling2d()(x));
  return functional({ inputs: image, outputs: answer, name: 'resnet8', seed });
}

/** The same network behind layers that change the images while it trains; they do nothing at inference. */
function augmented(network: Model, { inputShape, seed }: Common, augmentation: Augmentation | undefined): Model {
  const changes = augmentation === undefined ? [] : augmentationLayers(augmentation);
  if (changes.length === 0) return network;
  const image = input({ shape: inputShape });
  const changed = changes.reduce((x, layer) => layer(x), image as SymbolicTensor);
  return functional({ inputs: image, outputs: network(changed), name: network.name, seed });
}

/** The layers that `augmentation` asks for. */
export function augmentationLayers({ flip, shift, rotation, zoom }: Augmentation): Layer[] {
  return [
    ...(flip ? [layers.randomFlip({ mode: 'horizontal' })] : []),
    ...(shift > 0 ? [layers.randomTranslation({ heightFactor: shift, widthFactor: shift, fillMode: 'constant' })] : []),
    // The factor is a share of a full turn.
    ...(rotation > 0 ? [layers.randomRotation({ factor: rotation / 360, fillMode: 'constant' })] : []),
    ...(zoom > 0 ? [layers.randomZoom({ heightFactor: zoom, fillMode: 'constant' })] : []),
  ];
}

function optimizerOf({ optimizer, learningRate }: RunSpec) {
  if (optimizer === 'momentum') return optimizers.sgd({ learningRate, momentum: 0.9 });
  return optimizers[optimizer]({ learningRate });
}
