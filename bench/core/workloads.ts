/**
 * What is trained in the benches of steps: a model of the zoo with its initial weights, and batches of the embedded
 * digits. A workload is a pure function of its name and batch size, so that processes need not hand it to each other;
 * its digest shows that they had the same.
 */

import { digits } from '../../src/data/digits.ts';
import type { Sequential } from '../../src/train/sequential.ts';
import type { WeightValue } from '../../src/train/weight-store.ts';
import { lenet5 } from '../../src/zoo/lenet.ts';
import { mlp } from '../../src/zoo/mlp.ts';

export interface WorkloadSpec {
  readonly name: string;
  readonly title: string;
  readonly batch: number;
  model(): Sequential;
}

export const WORKLOADS = {
  lenet: { name: 'lenet', title: 'LeNet-5', batch: 64, model: () => lenet5({ seed: 1 }) },
  mlp: { name: 'mlp', title: 'MLP 784–512–128–10', batch: 128, model: () => mlp({ seed: 1 }) },
} as const satisfies Record<string, WorkloadSpec>;

export type WorkloadName = keyof typeof WORKLOADS;

/**
 * Adam as all engines run it, over the mean cross-entropy. Epsilon is far below the gradients: engines add it before or
 * after the bias correction (Keras, TensorFlow.js), and with the usual 1e-7 that alone moves the loss of the MLP's tenth
 * step by 2e-3.
 */
export const ADAM = { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-11 } as const;

export const CLASSES = 10;
export const SIDE = 28;

export interface Workload {
  readonly name: WorkloadName;
  readonly batch: number;
  readonly batches: number;
  /** f32 [batches · batch, 28, 28, 1] in 0…1. */
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
  const { train } = digits({ train: batch * batches, test: 1 });
  const x = Float32Array.from(train.x, (byte) => byte / 255);
  const y = Int32Array.from(train.y);
  using model = WORKLOADS[name].model();
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
