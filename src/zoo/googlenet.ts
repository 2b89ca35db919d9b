/**
 * GoogLeNet (Inception v1): nine modules of four branches (1×1; 1×1 and 3×3; 1×1 and 5×5; pooling and 1×1) side by
 * side. 6,998,552 parameters on 224×224 images and 1000 classes; with the two auxiliary heads of the training
 * 13,378,280.
 *
 * Source: Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich, "Going deeper with convolutions",
 * CVPR 2015, table 1. Its local response normalisation, which has no parameters and is no longer used, is left out.
 */

import { trueOrFalse } from '../nn/check-options.ts';
import { inputSymbol } from '../nn/layers/core/input.ts';
import { layers } from '../nn/layers/index.ts';
import type { SymbolicTensor } from '../nn/symbol.ts';
import { type Functional, model } from '../train/model/functional.ts';
import { type ImageNetOptions, imageNet, type Scale } from './options.ts';

export interface GoogLeNetOptions extends ImageNetOptions {
  /**
   * True adds the heads behind modules 4a and 4d as outputs `auxiliary_1` and `auxiliary_2` (the paper weighs their
   * losses by 0.3); false when left out. They need images of at least 200×200.
   */
  readonly auxiliary?: boolean;
}

/** Maps of a module: 1×1, 3×3 behind its reduction, 5×5 behind its reduction, behind the pooling. */
type Maps = readonly [one: number, reduce3: number, three: number, reduce5: number, five: number, pooled: number];

const MODULES: Readonly<Record<string, Maps>> = {
  '3a': [64, 96, 128, 16, 32, 32],
  '3b': [128, 128, 192, 32, 96, 64],
  '4a': [192, 96, 208, 16, 48, 64],
  '4b': [160, 112, 224, 24, 64, 64],
  '4c': [128, 128, 256, 24, 64, 64],
  '4d': [112, 144, 288, 32, 64, 64],
  '4e': [256, 160, 320, 32, 128, 128],
  '5a': [256, 160, 320, 32, 128, 128],
  '5b': [384, 192, 384, 48, 128, 128],
};

function convolution(x: SymbolicTensor, filters: number, kernelSize: number, strides = 1): SymbolicTensor {
  return layers.conv2d({ filters, kernelSize, strides, padding: 'same', activation: 'relu' })(x);
}

function pool(x: SymbolicTensor, strides = 2): SymbolicTensor {
  return layers.maxPooling2d({ poolSize: 3, strides, padding: 'same' })(x);
}

function inception(x: SymbolicTensor, maps: Maps, scale: Scale): SymbolicTensor {
  const [one, reduce3, three, reduce5, five, pooled] = maps.map(scale);
  return layers.concatenate()([
    convolution(x, one, 1),
    convolution(convolution(x, reduce3, 1), three, 3),
    convolution(convolution(x, reduce5, 1), five, 5),
    convolution(pool(x, 1), pooled, 1),
  ]);
}

/**
 * GoogLeNet for images of at least 32×32 pixels. Not yet compiled.
 * @throws DownhillError `argument` for an unknown option.
 */
export function googLeNet(options: GoogLeNetOptions = {}): Functional {
  const { inputShape, classes, seed, head, scale } = imageNet('googlenet', options, [224, 224, 3], ['auxiliary']);
  const auxiliary = trueOrFalse('googlenet', 'auxiliary', options.auxiliary ?? false);
  const heads: SymbolicTensor[] = [];
  const addHead = (x: SymbolicTensor, name: string): void => {
    const reduced = convolution(layers.averagePooling2d({ poolSize: 5, strides: 3 })(x), scale(128), 1);
    const hidden = layers.dense({ units: scale(1024), activation: 'relu' })(layers.flatten()(reduced));
    heads.push(layers.dense({ units: classes, activation: head, name })(layers.dropout({ rate: 0.7 })(hidden)));
  };

  const x = inputSymbol({ shape: inputShape });
  let y = pool(convolution(x, scale(64), 7, 2));
  y = pool(convolution(convolution(y, scale(64), 1), scale(192), 3));
  for (const [module, maps] of Object.entries(MODULES)) {
    if (module === '4a' || module === '5a') y = pool(y);
    y = inception(y, maps, scale);
    if (auxiliary && module === '4a') addHead(y, 'auxiliary_1');
    if (auxiliary && module === '4d') addHead(y, 'auxiliary_2');
  }
  const features = layers.dropout({ rate: 0.4 })(layers.globalAveragePooling2d()(y));
  const answer = layers.dense({ units: classes, activation: head, name: 'classes' })(features);
  return model({ inputs: x, outputs: [answer, ...heads], name: 'googlenet', seed });
}
