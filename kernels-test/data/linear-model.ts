/** Test helper: softmax regression on pixels by plain SGD, the yardstick for how hard a data set is. */
import type { ArrayDataset } from '../../src/data/dataset.ts';
import { Prng } from '../../src/util/prng.ts';

const CLASSES = 10;

/** Trains on u8 images (÷ 255) with one example a step and a falling rate; accuracies are after each epoch. */
export function linearAccuracy(train: ArrayDataset, test: ArrayDataset, epochs: number) {
  const features = train.xShape.reduce((a, b) => a * b, 1);
  const weights = new Float64Array((features + 1) * CLASSES);
  const order = Uint32Array.from({ length: train.size }, (_, i) => i);
  const random = new Prng(1);
  const testAccuracies: number[] = [];
  const p = new Float64Array(CLASSES);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = 0.02 / (1 + epoch / 5);
    for (const i of random.shuffle(order)) {
      scores(weights, train.x, i * features, features, p);
      const top = Math.max(...p);
      let sum = 0;
      for (let k = 0; k < CLASSES; k++) sum += p[k] = Math.exp(p[k]! - top);
      for (let k = 0; k < CLASSES; k++) p[k] = rate * (p[k]! / sum - (train.y[i] === k ? 1 : 0));
      for (let f = 0; f <= features; f++) {
        const x = f < features ? train.x[i * features + f]! / 255 : 1;
        if (x === 0) continue;
        for (let k = 0; k < CLASSES; k++) weights[f * CLASSES + k]! -= x * p[k]!;
      }
    }
    testAccuracies.push(accuracy(weights, test, features));
  }
  return { trainAccuracy: accuracy(weights, train, features), testAccuracies };
}

/** Writes the ten logits of the image at `offset` to `out`. */
function scores(
  weights: Float64Array,
  x: ArrayLike<number>,
  offset: number,
  features: number,
  out: Float64Array,
): void {
  for (let k = 0; k < CLASSES; k++) out[k] = weights[features * CLASSES + k]!;
  for (let f = 0; f < features; f++) {
    const value = x[offset + f]! / 255;
    if (value === 0) continue;
    for (let k = 0; k < CLASSES; k++) out[k]! += value * weights[f * CLASSES + k]!;
  }
}

function accuracy(weights: Float64Array, set: ArrayDataset, features: number): number {
  const out = new Float64Array(CLASSES);
  let right = 0;
  for (let i = 0; i < set.size; i++) {
    scores(weights, set.x, i * features, features, out);
    if (out.indexOf(Math.max(...out)) === set.y[i]) right++;
  }
  return right / set.size;
}
