/**
 * AlexNet: five convolutions, three of them pooled, and three dense layers, on 227×227 images in colour.
 * Source: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks", NeurIPS
 * 2012.
 *
 * This is the one-tower network with the 2012 paper's layers (96–256–384–384–256 maps, 4096–4096 units): 62,378,344
 * parameters; every map sees every other, where the paper split three convolutions over two cards (`groups: 2` does it
 * too: 60,965,224, the paper's "60 million"). Krizhevsky's own one-tower network of 2014, which torchvision has, is
 * narrower (64–192–384–256–256 maps, 61,100,840 parameters). The paper's response normalisation, which has no
 * parameters and which later work found of no use (Simonyan and Zisserman 2014), is left out.
 */

import { oneOf } from '../nn/check-options.ts';
import { layers } from '../nn/layers/index.ts';
import { sequential } from '../train/data/stack.ts';
import type { Sequential } from '../train/model/sequential.ts';
import { type ImageNetOptions, imageNet } from './options.ts';

export interface AlexNetOptions extends ImageNetOptions {
  /** 1 when left out: one tower; 2 splits the second, fourth and fifth convolution as the paper's two cards did. */
  readonly groups?: 1 | 2;
}

/** AlexNet for images of at least 67×67 pixels; [227, 227, 3] and 1000 classes when left out. Not yet compiled. */
export function alexNet(options: AlexNetOptions = {}): Sequential {
  const { inputShape, classes, seed, head, scale } = imageNet('alexNet', options, [227, 227, 3], ['groups']);
  const groups = Number(oneOf('alexNet', 'groups', String(options.groups ?? 1), ['1', '2']));
  const pool = () => layers.maxPooling2d({ poolSize: 3, strides: 2 });
  // Whole groups: an even count of maps.
  const maps = (count: number) => 2 * scale(count / 2);
  const hidden = () => [layers.dense({ units: scale(4096), activation: 'relu' }), layers.dropout({ rate: 0.5 })];
  return sequential(
    [
      layers.conv2d({ filters: maps(96), kernelSize: 11, strides: 4, activation: 'relu' }),
      pool(),
      layers.conv2d({ filters: maps(256), kernelSize: 5, padding: 'same', activation: 'relu', groups }),
      pool(),
      layers.conv2d({ filters: maps(384), kernelSize: 3, padding: 'same', activation: 'relu' }),
      layers.conv2d({ filters: maps(384), kernelSize: 3, padding: 'same', activation: 'relu', groups }),
      layers.conv2d({ filters: maps(256), kernelSize: 3, padding: 'same', activation: 'relu', groups }),
      pool(),
      layers.flatten(),
      ...hidden(),
      ...hidden(),
      layers.dense({ units: classes, activation: head }),
    ],
    { name: 'alexnet', inputShape, seed },
  );
}
