/**
 * VGG: blocks of 3×3 convolutions, halved by pooling, and three dense layers.
 * Source: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015,
 * configurations D and E; counts are also those of Keras' applications.
 */

import { layers } from '../nn/layers/index.ts';
import type { Sequential } from '../train/model/sequential.ts';
import { sequential } from '../train/model/stack.ts';
import { type ImageNetOptions, imageNet } from './options.ts';

/** Maps of the five blocks. */
const MAPS = [64, 128, 256, 512, 512];

/** Sixteen layers with weights: 138,357,544 parameters on [224, 224, 3] and 1000 classes. Not yet compiled. */
export const vgg16 = (options: ImageNetOptions = {}): Sequential => vgg('vgg16', [2, 2, 3, 3, 3], options);

/** Nineteen layers with weights: 143,667,240 parameters on [224, 224, 3] and 1000 classes. Not yet compiled. */
export const vgg19 = (options: ImageNetOptions = {}): Sequential => vgg('vgg19', [2, 2, 4, 4, 4], options);

/** Names of layers are Keras': `block1_conv1`, `fc1`, `predictions`. */
function vgg(name: string, depths: readonly number[], options: ImageNetOptions): Sequential {
  const { inputShape, classes, seed, head, scale } = imageNet(name, options);
  const blocks = depths.flatMap((depth, block) => [
    ...Array.from({ length: depth }, (_, k) =>
      layers.conv2d({
        filters: scale(MAPS[block]),
        kernelSize: 3,
        padding: 'same',
        activation: 'relu',
        name: `block${block + 1}_conv${k + 1}`,
      }),
    ),
    layers.maxPooling2d({ poolSize: 2, name: `block${block + 1}_pool` }),
  ]);
  return sequential(
    [
      ...blocks,
      layers.flatten(),
      layers.dense({ units: scale(4096), activation: 'relu', name: 'fc1' }),
      layers.dense({ units: scale(4096), activation: 'relu', name: 'fc2' }),
      layers.dense({ units: classes, activation: head, name: 'predictions' }),
    ],
    { name, inputShape, seed },
  );
}
