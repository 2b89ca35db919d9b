/**
 * Autoencoders: networks that give their input back through a narrow place. Trained with the images as their own
 * targets (x = y, values from 0 to 1) and `binaryCrossentropy` or `meanSquaredError`.
 *
 * The convolutional one is that of keras.io/examples/vision/autoencoder (Valdarrama 2021), 28,353 parameters.
 */

import { checkKnownOptions } from '../nn/check-options.ts';
import { layers } from '../nn/layers/index.ts';
import { Sequential } from '../train/sequential.ts';
import { DownhillError } from '../util/errors.ts';
import { formatShape, type Shape } from '../util/shape.ts';
import type { ZooOptions } from './options.ts';

const IMAGE: Shape = [28, 28, 1];

/**
 * Two convolutions of 32 maps with pooling, and two transposed ones back: 28,353 parameters on grey images, whose height
 * and width must be multiples of 4. Not yet compiled.
 */
export function convolutionalAutoencoder(options: ZooOptions = {}): Sequential {
  checkKnownOptions('convolutionalAutoencoder', options, ['inputShape', 'seed']);
  const { inputShape = IMAGE, seed = 0 } = options;
  const [height, width, channels] = inputShape;
  if (inputShape.length !== 3 || height % 4 !== 0 || width % 4 !== 0) {
    throw new DownhillError(
      'shape',
      `convolutionalAutoencoder: takes images [height, width, channels] with height and width that are multiples of 4, found ${formatShape(inputShape)}`,
    );
  }
  const convolution = { kernelSize: 3, padding: 'same' } as const;
  const relus = { ...convolution, filters: 32, activation: 'relu' } as const;
  return new Sequential(
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
