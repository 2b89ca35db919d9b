/**
 * Residual networks: blocks of convolutions around which the input goes unchanged, or through one 1×1 convolution where
 * the shape changes.
 *
 * ResNet-50/101/152 are Keras' (keras/src/applications/resnet.py): bottlenecks, convolutions with biases, the stride in
 * a block's first 1×1 convolution, epsilon 1.001e-5. ResNet-18/34 have basic blocks and no biases, as torchvision's,
 * and so has ResNet-20 for CIFAR, of 0.27 million parameters.
 * Source: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016.
 */

import { inputSymbol } from '../nn/layers/core/input.ts';
import { layers } from '../nn/layers/index.ts';
import type { SymbolicTensor } from '../nn/symbol.ts';
import { type Functional, model } from '../train/model/functional.ts';
import { type ClassifierOptions, classifier, type ImageNetOptions, imageNet, type Scale } from './options.ts';

/** A shape's worth of blocks. */
interface Stage {
  /** Maps of the block's inner convolutions. */
  readonly maps: number;
  readonly blocks: number;
}

/** The published stages, by count of layers. */
const BLOCKS = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
} as const;

/** A block's outputs are this many times its inner maps in a bottleneck. */
const EXPANSION = 4;

type Block = (x: SymbolicTensor, maps: number, stride: number, project: boolean) => SymbolicTensor;

const relu = (x: SymbolicTensor): SymbolicTensor => layers.activation({ activation: 'relu' })(x);

/** Convolution and normalisation. */
function convolution(
  x: SymbolicTensor,
  filters: number,
  kernelSize: number,
  strides: number,
  { useBias, epsilon }: { readonly useBias: boolean; readonly epsilon: number },
): SymbolicTensor {
  const options = { filters, kernelSize, strides, useBias, kernelInitializer: 'heNormal' } as const;
  // With a stride, `same` would pad the far side only; the published networks pad both.
  const side = Math.floor(kernelSize / 2);
  const both = strides > 1 && side > 0;
  const padded = both ? layers.zeroPadding2d({ padding: side })(x) : x;
  const y = layers.conv2d({ ...options, padding: both ? 'valid' : 'same' })(padded);
  return layers.batchNormalization({ epsilon })(y);
}

const KERAS = { useBias: true, epsilon: 1.001e-5 };
const TORCH = { useBias: false, epsilon: 1e-5 };

/** 3×3, 3×3. */
const basic: Block = (x, maps, stride, project) => {
  const shortcut = project ? convolution(x, maps, 1, stride, TORCH) : x;
  const y = convolution(relu(convolution(x, maps, 3, stride, TORCH)), maps, 3, 1, TORCH);
  return relu(layers.add()([shortcut, y]));
};

/** 1×1, 3×3, 1×1. */
const bottleneck: Block = (x, maps, stride, project) => {
  const shortcut = project ? convolution(x, EXPANSION * maps, 1, stride, KERAS) : x;
  const inner = relu(convolution(relu(convolution(x, maps, 1, stride, KERAS)), maps, 3, 1, KERAS));
  return relu(layers.add()([shortcut, convolution(inner, EXPANSION * maps, 1, 1, KERAS)]));
};

/** Stages one after another; each but the first halves height and width. */
function stages(x: SymbolicTensor, list: readonly Stage[], block: Block, projectFirst: boolean): SymbolicTensor {
  let y = x;
  list.forEach(({ maps, blocks }, stage) => {
    for (let k = 0; k < blocks; k++) {
      y = block(y, maps, stage > 0 && k === 0 ? 2 : 1, k === 0 && (stage > 0 || projectFirst));
    }
  });
  return y;
}

function resNet(depth: keyof typeof BLOCKS, options: ImageNetOptions): Functional {
  const name = `resnet${depth}`;
  const { inputShape, classes, seed, head, scale } = imageNet(name, options);
  const deep = depth >= 50;
  const x = inputSymbol({ shape: inputShape });
  const stem = relu(convolution(x, scale(64), 7, 2, deep ? KERAS : TORCH));
  const pooled = layers.maxPooling2d({ poolSize: 3, strides: 2 })(layers.zeroPadding2d({ padding: 1 })(stem));
  const list = BLOCKS[depth].map((blocks, k) => ({ maps: scaled(scale, k), blocks }));
  const y = stages(pooled, list, deep ? bottleneck : basic, deep);
  const answer = layers.dense({ units: classes, activation: head })(layers.globalAveragePooling2d()(y));
  return model({ inputs: x, outputs: answer, name, seed });
}

const scaled = (scale: Scale, stage: number): number => scale(64) * 2 ** stage;

/** 11,689,512 trainable parameters and 9,600 moving averages on ImageNet's 1000 classes. Not yet compiled. */
export const resNet18 = (options: ImageNetOptions = {}): Functional => resNet(18, options);
/** 21,797,672 trainable parameters and 17,024 moving averages. Not yet compiled. */
export const resNet34 = (options: ImageNetOptions = {}): Functional => resNet(34, options);
/** 25,636,712 parameters with the moving averages, as keras.applications.ResNet50. Not yet compiled. */
export const resNet50 = (options: ImageNetOptions = {}): Functional => resNet(50, options);
/** 44,707,176 parameters, as keras.applications.ResNet101. Not yet compiled. */
export const resNet101 = (options: ImageNetOptions = {}): Functional => resNet(101, options);
/** 60,419,944 parameters, as keras.applications.ResNet152. Not yet compiled. */
export const resNet152 = (options: ImageNetOptions = {}): Functional => resNet(152, options);

/** He et al., section 4.2: three stages of `blocks` basic blocks with 16, 32 and 64 maps, 6 · blocks + 2 layers. */
function cifarResNet(owner: string, blocks: number, options: ClassifierOptions): Functional {
  const { inputShape, classes, seed, head } = classifier(owner, options, { inputShape: [32, 32, 3] });
  const x = inputSymbol({ shape: inputShape });
  const stem = relu(convolution(x, 16, 3, 1, TORCH));
  const y = stages(
    stem,
    [16, 32, 64].map((maps) => ({ maps, blocks })),
    basic,
    false,
  );
  const answer = layers.dense({ units: classes, activation: head })(layers.globalAveragePooling2d()(y));
  return model({ inputs: x, outputs: answer, name: owner, seed });
}

/**
 * ResNet-20 for CIFAR: three stages of three basic blocks with 16, 32 and 64 maps on 32×32 images, 1×1 projections
 * where the shape changes (option B): 272,474 trainable parameters, 1,568 moving averages. Not yet compiled.
 */
export const resNet20 = (options: ClassifierOptions = {}): Functional => cifarResNet('resnet20', 3, options);

/** The smallest of the family, one block a stage: what the benches train. Not yet compiled. */
export const resNet8 = (options: ClassifierOptions = {}): Functional => cifarResNet('resnet8', 1, options);
