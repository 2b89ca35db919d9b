/**
 * Autoencoders: networks that reproduce their input through a bottleneck. Trained with the images as their own targets
 * (x = y, values from 0 to 1) and `binaryCrossentropy` or `meanSquaredError`.
 *
 * The dense ones compress an image to 32 units (after Hinton and Salakhutdinov 2006). The sparse one has more units
 * than it needs, with an L1 penalty on the code. The denoising one gets its input with noise (Vincent et al. 2008). The
 * convolutional one is that of keras.io/examples/vision/autoencoder (Valdarrama 2021), with 28,353 parameters.
 */

import { checkKnownOptions } from '../nn/check-options.ts';
import { layers } from '../nn/layers/index.ts';
import { l1, type Regularizer } from '../nn/regularizers.ts';
import type { Sequential } from '../train/model/sequential.ts';
import { sequential } from '../train/model/stack.ts';
import { DownhillError } from '../util/errors.ts';
import { formatShape, type Shape, sizeOf } from '../util/shape.ts';
import type { ZooOptions } from './options.ts';

const IMAGE: Shape = [28, 28, 1];

/**
 * Two convolutions of 32 maps with pooling, and two transposed ones back: 28,353 parameters on grey images, whose
 * height and width must be multiples of 4. Not yet compiled.
 */
export function convolutionalAutoencoder(options: ZooOptions = {}): Sequential {
  checkKnownOptions('convolutionalAutoencoder', options, ['inputShape', 'seed']);
  const { inputShape = IMAGE, seed = 0 } = options;
  const [height, width, channels] = inputShape;
  if (inputShape.length !== 3 || height % 4 !== 0 || width % 4 !== 0) {
    throw new DownhillError(
      'shape',
      'convolutionalAutoencoder: takes images [height, width, channels] with height and width that are multiples of ' +
        `4, found ${formatShape(inputShape)}`,
    );
  }
  const convolution = { kernelSize: 3, padding: 'same' } as const;
  const relus = { ...convolution, filters: 32, activation: 'relu' } as const;
  return sequential(
    [
      layers.conv2d(relus),
      layers.maxPooling2d({ poolSize: 2, padding: 'same' }),
      layers.conv2d(relus),
      layers.maxPooling2d({ poolSize: 2, padding: 'same' }),
      layers.conv2dTranspose({ ...relus, strides: 2 }),
      layers.conv2dTranspose({ ...relus, strides: 2 }),
      layers.conv2d({ ...convolution, filters: channels, activation: 'sigmoid' }),
    ],
    { name: 'convolutional_autoencoder', inputShape, seed },
  );
}

/** 784 → 128 → 64 → 32 and back: 222,384 parameters on 28×28 grey images. Not yet compiled. */
export function denseAutoencoder(options: ZooOptions = {}): Sequential {
  return dense('denseAutoencoder', 'dense_autoencoder', options, [128, 64, 32, 64, 128]);
}

/** One hidden layer of 128 units with an L1 penalty of 1e-4 on their outputs: 201,616 parameters. Not yet compiled. */
export function sparseAutoencoder(options: ZooOptions = {}): Sequential {
  return dense('sparseAutoencoder', 'sparse_autoencoder', options, [128], { code: l1({ l1: 1e-4 }) });
}

/** The dense autoencoder after Gaussian noise of standard deviation 0.3, in training only. Not yet compiled. */
export function denoisingAutoencoder(options: ZooOptions = {}): Sequential {
  return dense('denoisingAutoencoder', 'denoising_autoencoder', options, [128, 64, 32, 64, 128], { noise: 0.3 });
}

function dense(
  owner: string,
  name: string,
  options: ZooOptions,
  units: readonly number[],
  { noise, code }: { readonly noise?: number; readonly code?: Regularizer } = {},
): Sequential {
  checkKnownOptions(owner, options, ['inputShape', 'seed']);
  const { inputShape = IMAGE, seed = 0 } = options;
  const middle = (units.length - 1) / 2;
  return sequential(
    [
      ...(noise === undefined ? [] : [layers.gaussianNoise({ stddev: noise })]),
      layers.flatten(),
      ...units.map((count, k) =>
        layers.dense({ units: count, activation: 'relu', ...(k === middle && code && { activityRegularizer: code }) }),
      ),
      layers.dense({ units: sizeOf(inputShape), activation: 'sigmoid' }),
      layers.reshape({ targetShape: inputShape }),
    ],
    { name, inputShape, seed },
  );
}
