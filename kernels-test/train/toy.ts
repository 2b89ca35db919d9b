/** Test helper: a small classification problem and a model that can learn it. */

import { type ArrayDataset, arrayDataset } from '../../src/data/dataset.ts';
import { layers } from '../../src/nn/layers/index.ts';
import type { SequentialOptions } from '../../src/train/model/model-options.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { Prng } from '../../src/util/prng.ts';

/** `size` points in the plane, of three classes by their angle. */
export function toyData(size = 50, seed = 1): ArrayDataset {
  const random = new Prng(seed);
  const x = new Float32Array(2 * size);
  const y = new Int32Array(size);
  for (let k = 0; k < size; k++) {
    const angle = random.between(0, 2 * Math.PI);
    const radius = random.between(0.5, 1.5);
    x.set([radius * Math.cos(angle), radius * Math.sin(angle)], 2 * k);
    y[k] = Math.floor((3 * angle) / (2 * Math.PI)) % 3;
  }
  return arrayDataset({ name: 'toy', x, xShape: [2], y, classNames: ['a', 'b', 'c'] });
}

/** 2 → 8 → 3, with dropout in between when `rate` is given. */
export function toyModel(options: SequentialOptions & { readonly rate?: number } = {}): Sequential {
  const { rate, ...rest } = options;
  const dropout = rate === undefined ? [] : [layers.dropout({ rate })];
  return new Sequential(
    [layers.dense({ units: 8, activation: 'relu' }), ...dropout, layers.dense({ units: 3, activation: 'softmax' })],
    { inputShape: [2], ...rest },
  ).compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
}
