/**
 * A split of images that the package draws itself, class by class.
 *
 * Invariant: image `i` is a pure function of (seed, stream, i), whatever `count` is; every run of ten images from a
 * multiple of ten holds each of ten classes once.
 */

import { DownhillError } from '../../util/errors.ts';
import { Prng } from '../../util/prng.ts';
import { type ArrayDataset, arrayDataset } from '../dataset.ts';

export interface DrawnSplit {
  /** The data set, such as `digits`. */
  readonly set: string;
  /** `train` or `test`. */
  readonly split: string;
  readonly count: number;
  readonly seed: number;
  /** Keeps the splits of one seed apart. */
  readonly stream: number;
  /** [height, width, channels]. */
  readonly xShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  /** Draws an image of class `id` into `x` at `at`, everything about it taken from `random`. */
  readonly draw: (x: Uint8Array, at: number, id: number, random: Prng) => void;
}

/**
 * x u8 [count, height, width, channels], y u8 class ids; named `set/split`.
 * @throws DownhillError('argument') unless `count` is a whole number of at least 1.
 */
export function drawnSplit({ set, split, count, seed, stream, xShape, classNames, draw }: DrawnSplit): ArrayDataset {
  if (!Number.isSafeInteger(count) || count < 1) {
    const message = `${set}: ${split} expected a whole number of images, at least 1, found ${count}`;
    throw new DownhillError('argument', message);
  }
  const pixels = xShape[0] * xShape[1] * xShape[2];
  const x = new Uint8Array(count * pixels);
  const y = new Uint8Array(count);
  const order = new Uint8Array(classNames.length);
  for (let i = 0; i < count; i++) {
    const k = i % order.length;
    if (k === 0) {
      for (let id = 0; id < order.length; id++) order[id] = id;
      new Prng(seed, stream, i, 1).shuffle(order);
    }
    y[i] = order[k]!;
    draw(x, i * pixels, y[i]!, new Prng(seed, stream, i, 0));
  }
  return arrayDataset({ name: `${set}/${split}`, x, xShape, y, classNames });
}
