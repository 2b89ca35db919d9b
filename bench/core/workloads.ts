/**
 * What is trained in the benches of steps: a model with its initial weights, and batches of the embedded digits, drawn
 * larger and in colour where a model takes such images. A workload is a pure function of its name and batch size, so
 * that processes need not exchange it; its digest shows that they had the same.
 */

import { digits } from '../../src/data/sets/digits.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import type { Optimizer } from '../../src/nn/optimizers/optimizer.ts';
import type { Model } from '../../src/train/model/model.ts';
import type { WeightValue } from '../../src/train/weights/weight-store.ts';
import { type Shape, sizeOf } from '../../src/util/shape.ts';
import { lenet5 } from '../../src/zoo/lenet.ts';
import { mlp } from '../../src/zoo/mlp.ts';
import { resNet8 } from '../../src/zoo/resnet.ts';
import { vggSmall } from './models.ts';

export interface WorkloadSpec {
  readonly name: string;
  readonly title: string;
  readonly batch: number;
  /** Of one image. */
  readonly inputShape: Shape;
  /** `adam` or `momentum`: ADAM or MOMENTUM below. */
  readonly optimizer: 'adam' | 'momentum';
  /** Whether the other engines have it too. */
  readonly peers: boolean;
  /** @param comparable leaves out what other engines cannot do with the same numbers. */
  model(comparable: boolean): Model;
}

export const WORKLOADS = {
  lenet: {
    ...{ name: 'lenet', title: 'LeNet-5', batch: 64, inputShape: [28, 28, 1], optimizer: 'adam', peers: true },
    model: () => lenet5({ seed: 1 }),
  },
  mlp: {
    ...{
      name: 'mlp',
      title: 'MLP 784–512–128–10',
      batch: 128,
      inputShape: [28, 28, 1],
      optimizer: 'adam',
      peers: true,
    },
    model: () => mlp({ seed: 1 }),
  },
  vgg: {
    ...{ name: 'vgg', title: 'VGG-small', batch: 32, inputShape: [32, 32, 3], optimizer: 'momentum', peers: true },
    model: (comparable: boolean) => vggSmall({ seed: 1, dropout: !comparable }),
  },
  resnet8: {
    ...{ name: 'resnet8', title: 'ResNet-8', batch: 32, inputShape: [32, 32, 3], optimizer: 'momentum', peers: false },
    model: () => resNet8({ seed: 1 }),
  },
} as const satisfies Record<string, WorkloadSpec>;

export type WorkloadName = keyof typeof WORKLOADS;

/**
 * Adam as all engines run it, over the mean cross-entropy. Epsilon is far below the gradients: engines add it before or
 * after the bias correction (Keras, TensorFlow.js), and with the usual 1e-7 that alone moves the loss of the MLP's
 * tenth step by 2e-3.
 */
export const ADAM = { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-11 } as const;

/**
 * Gradient descent with momentum: v ← momentum · v − rate · g, w ← w + v. At ten times this rate weights of VGG-small
 * that differ by 1e-5 give tenth losses that differ by 5e-3, and so would engines that round differently; at this one
 * by 2e-5.
 */
export const MOMENTUM = { learningRate: 0.001, momentum: 0.9 } as const;

export const CLASSES = 10;

/** The optimizer of a workload, as downhill's. */
export function optimizerOf(name: WorkloadName): Optimizer {
  return WORKLOADS[name].optimizer === 'adam' ? optimizers.adam(ADAM) : optimizers.sgd(MOMENTUM);
}

/**
 * Bytes of `count` images of `inputShape`: digits as they are, or in the middle of a larger square, each in its own
 * colour.
 */
export function images(inputShape: Shape, count: number): { x: Uint8Array; y: Uint8Array } {
  const { train } = digits({ train: count, test: 1 });
  const [x, y] = [train.x, train.y] as readonly Uint8Array[];
  const [height, width, channels] = inputShape;
  const side = 28;
  if (height === side && width === side && channels === 1) return { x, y };
  const larger = new Uint8Array(count * sizeOf(inputShape));
  const [top, left] = [(height - side) >> 1, (width - side) >> 1];
  for (let i = 0; i < x.length; i++) {
    const [image, row, column] = [Math.floor(i / (side * side)), Math.floor(i / side) % side, i % side];
    const at = ((image * height + row + top) * width + column + left) * channels;
    for (let c = 0; c < channels; c++) larger[at + c] = (x[i] * (1 + ((image + c) % channels))) / channels;
  }
  return { x: larger, y };
}

export interface Workload {
  readonly name: WorkloadName;
  readonly batch: number;
  readonly batches: number;
  /** f32 [batches · batch, …inputShape] in 0…1. */
  readonly x: Float32Array;
  /** Class numbers. */
  readonly y: Int32Array;
  /** In the order of the layers; convolution kernels HWIO, dense kernels [in, out] after a flattening of [H, W, C]. */
  readonly weights: readonly WeightValue[];
  readonly digest: string;
}

/** The workload `name` with `batches` batches. */
export async function makeWorkload(
  name: WorkloadName,
  batch: number = WORKLOADS[name].batch,
  batches = 10,
): Promise<Workload> {
  const { model: make, inputShape } = WORKLOADS[name];
  const bytes = images(inputShape, batch * batches);
  const x = Float32Array.from(bytes.x, (byte) => byte / 255);
  const y = Int32Array.from(bytes.y);
  using model = make(true);
  const weights = await model.getWeights();
  return { name, batch, batches, x, y, weights, digest: digestOf([x, y, ...weights.map(({ data }) => data)]) };
}

/** FNV-1a over the bytes: tells two different workloads apart. */
function digestOf(arrays: readonly ArrayBufferView[]): string {
  let hash = 0x811c9dc5;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}
