/** The points of a set, split, and what the network is given of a point. Used in the worker. */

import { type ArrayDataset, arrayDataset, mapExamples, playground, skip, take } from '../../src/index.ts';
import { CELLS, EXTENT, type FeatureName, isRegression, POINTS, type Settings, trainCount } from './settings.ts';

const COMPUTE: Readonly<Record<FeatureName, (x: number, y: number) => number>> = {
  x: (x) => x,
  y: (_, y) => y,
  xx: (x) => x * x,
  yy: (_, y) => y * y,
  xy: (x, y) => x * y,
  sinX: (x) => Math.sin(x),
  sinY: (_, y) => Math.sin(y),
};

/** The moons lie in [−1, 2] × [−0.5, 1]; here they fill the plane. */
const MOONS = { scale: 3, x: 0.5, y: 0.25 };

/** The set's points, f32 [2] each, as they lie in the plane that is shown. */
export function drawPoints(settings: Settings): ArrayDataset {
  const { data, noise, seed } = settings;
  const set = playground[data]({ size: POINTS, noise: noise / 100, seed });
  if (data !== 'moons') return set;
  const { scale } = MOONS;
  return mapExamples(set, ([x, y]) => [(x - MOONS.x) * scale, (y - MOONS.y) * scale]);
}

/** Points as the network takes them: features f32 [F], targets f32 [1]. */
export function split(points: ArrayDataset, settings: Settings): { train: ArrayDataset; test: ArrayDataset } {
  const { size, y } = points;
  const all = arrayDataset({
    name: points.name,
    x: features(points.x, settings.features),
    xShape: [settings.features.length],
    y: Float32Array.from(y),
    yShape: [1],
  });
  const count = Math.min(size - 1, trainCount(settings));
  return { train: take(all, count), test: skip(all, count) };
}

/** Row-major features [N, F] of places [N, 2]. */
export function features(places: ArrayLike<number>, names: readonly FeatureName[]): Float32Array {
  const count = places.length / 2;
  const values = new Float32Array(count * names.length);
  for (let k = 0; k < count; k++) {
    names.forEach((name, f) => {
      values[k * names.length + f] = COMPUTE[name](places[2 * k], places[2 * k + 1]);
    });
  }
  return values;
}

/** Centres of the cells of a surface, row by row from the top left: [CELLS², 2]. */
export function cellCentres(): Float32Array {
  const places = new Float32Array(2 * CELLS * CELLS);
  const at = (k: number): number => EXTENT * ((2 * (k + 0.5)) / CELLS - 1);
  for (let row = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS; column++) places.set([at(column), -at(row)], 2 * (row * CELLS + column));
  }
  return places;
}

/**
 * Values as bytes: 1 for −1, 255 for 1, and 0 for what is not finite. With `scaled`, the largest of those that go
 * beyond ±1 is the end.
 */
export function toBytes(values: ArrayLike<number>, into: Uint8Array, scaled: boolean): void {
  let largest = 1;
  if (scaled) {
    for (let k = 0; k < into.length; k++) {
      if (Number.isFinite(values[k])) largest = Math.max(largest, Math.abs(values[k]));
    }
  }
  for (let k = 0; k < into.length; k++) {
    const value = Math.max(-1, Math.min(1, values[k] / largest));
    into[k] = Number.isFinite(values[k]) ? 1 + Math.round(127 * (value + 1)) : 0;
  }
}

/**
 * Mean loss and accuracy of `outputs` for `targets`: cross-entropy for classes, squares for values. With an
 * output that is not a number, both are none.
 */
export function judge(
  outputs: ArrayLike<number>,
  targets: ArrayLike<number>,
  from: number,
  to: number,
  settings: Settings,
): { loss: number; accuracy: number | undefined } {
  const regression = isRegression(settings);
  let loss = 0;
  let right = 0;
  for (let k = from; k < to; k++) {
    const [p, y] = [outputs[k], targets[k]];
    if (!Number.isFinite(p)) return { loss: Number.NaN, accuracy: regression ? undefined : Number.NaN };
    if (regression) loss += (p - y) ** 2;
    else loss -= Math.log(Math.max(1e-7, y === 1 ? p : 1 - p));
    if (p > 0.5 === (y === 1)) right++;
  }
  return { loss: loss / (to - from), accuracy: regression ? undefined : right / (to - from) };
}
