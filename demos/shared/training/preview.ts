/** What augmentation makes of an image: the layers themselves, as they run in training. */

import { type Layer, Sequential } from '../../../src/index.ts';

/** `count` versions of one image, values 0 … 1, one after the other. */
export async function preview(
  changes: readonly Layer[],
  pixels: Float32Array,
  shape: readonly number[],
  count: number,
): Promise<Float32Array> {
  const all = new Float32Array(count * pixels.length);
  for (let k = 0; k < count; k++) all.set(pixels, k * pixels.length);
  if (changes.length === 0) return all;
  using model = new Sequential(changes, { name: 'augmentation', inputShape: shape });
  const x = { data: all, shape: [count, ...shape] };
  return (await (await model.predict(x, { batchSize: count, training: true })).data()) as Float32Array;
}
