/**
 * Small random sets of points in the plane, to watch what a network does: those of the TensorFlow playground (two
 * spirals, circles, XOR, two Gaussians; a plane and a field of Gaussians for regression) with its ranges and its
 * meaning of noise, and scikit-learn's two moons.
 *
 * Invariants: a set is a pure function of (name, size, noise, seed); the two classes have the same size (up to one)
 * where they are drawn one by one; examples come shuffled.
 * Sources: D. Smilkov, S. Carter et al., "Direct-Manipulation Visualization of Deep Networks" (2016), playground
 * data sets; scikit-learn's make_moons.
 */
import { numberBetween, wholeNumber } from '../../nn/check-options.ts';
import { checkOptions } from '../../util/check-options.ts';
import { Prng } from '../../util/prng.ts';
import { type ArrayDataset, arrayDataset, select } from '../dataset.ts';

export interface PlaygroundOptions {
  /** Number of points; 500 unless given. */
  readonly size?: number;
  /** How noisy, from 0; the playground offers 0 to 0.5. For moons, the standard deviation. 0 unless given. */
  readonly noise?: number;
  /** Whole number; another seed draws other points. 0 unless given. */
  readonly seed?: number;
}

/** A point and its target: a class, 0 or 1, or a value. */
type Point = readonly [x: number, y: number, target: number];
type Draw = (random: Prng, k: number, size: number, noise: number) => Point;

/** Centres of the Gaussian field with the sign of each. */
const FIELD = [
  [-4, 2.5, 1],
  [0, 2.5, -1],
  [4, 2.5, 1],
  [-4, -2.5, -1],
  [0, -2.5, 1],
  [4, -2.5, -1],
] as const;

/** Class 1 for the first half of the points, 0 for the others. */
const half = (k: number, size: number): 0 | 1 => (2 * k < size ? 1 : 0);
const jitter = (random: Prng, range: number, noise: number): number => random.between(-range, range) * noise;

const spiral: Draw = (random, k, size, noise) => {
  const target = half(k, size);
  const count = target === 1 ? Math.ceil(size / 2) : Math.floor(size / 2);
  const place = (target === 1 ? k : k - Math.ceil(size / 2)) / count;
  const angle = 1.75 * place * 2 * Math.PI + (target === 1 ? 0 : Math.PI);
  const radius = 5 * place;
  const x = radius * Math.sin(angle) + jitter(random, 1, noise);
  return [x, radius * Math.cos(angle) + jitter(random, 1, noise), target];
};

/** A disc of radius 2.5 inside a ring from 3.5 to 5; noise moves the position that decides the class, not the point. */
const circles: Draw = (random, k, size, noise) => {
  const radius = half(k, size) === 1 ? random.between(0, 2.5) : random.between(3.5, 5);
  const angle = random.between(0, 2 * Math.PI);
  const x = radius * Math.sin(angle);
  const y = radius * Math.cos(angle);
  const inside = Math.hypot(x + jitter(random, 5, noise), y + jitter(random, 5, noise)) < 2.5;
  return [x, y, inside ? 1 : 0];
};

/** Four squares with a gap of 0.6 between them; noise as for circles. */
const xor: Draw = (random, _k, _size, noise) => {
  const away = (value: number): number => value + (value > 0 ? 0.3 : -0.3);
  const x = away(random.between(-5, 5));
  const y = away(random.between(-5, 5));
  return [x, y, (x + jitter(random, 5, noise)) * (y + jitter(random, 5, noise)) >= 0 ? 1 : 0];
};

/** Around (2, 2) and (−2, −2), of variance 0.5 without noise and 4 at noise 0.5. */
const gaussians: Draw = (random, k, size, noise) => {
  const target = half(k, size);
  const centre = target === 1 ? 2 : -2;
  const deviation = Math.sqrt(0.5 + 7 * noise);
  return [centre + deviation * random.bell(), centre + deviation * random.bell(), target];
};

const moons: Draw = (random, k, size, noise) => {
  const target = half(k, size);
  const count = target === 1 ? Math.ceil(size / 2) : Math.floor(size / 2);
  const angle = (Math.PI * (target === 1 ? k : k - Math.ceil(size / 2))) / Math.max(1, count - 1);
  const [x, y] = target === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)];
  return [x + noise * random.bell(), y + noise * random.bell(), target];
};

/** Noise moves the position that decides the value, by up to 6 × noise. */
const plane: Draw = (random, _k, _size, noise) => {
  const [x, y] = [random.between(-6, 6), random.between(-6, 6)];
  return [x, y, (x + jitter(random, 6, noise) + y + jitter(random, 6, noise)) / 10];
};

const gaussianField: Draw = (random, _k, _size, noise) => {
  const [x, y] = [random.between(-6, 6), random.between(-6, 6)];
  const [u, v] = [x + jitter(random, 6, noise), y + jitter(random, 6, noise)];
  let value = 0;
  for (const [centreX, centreY, sign] of FIELD) {
    const near = sign * Math.max(0, 1 - Math.hypot(u - centreX, v - centreY) / 2);
    if (Math.abs(near) > Math.abs(value)) value = near;
  }
  return [x, y, value];
};

/**
 * The sets by name: `playground.spiral({ size: 500, noise: 0.1, seed: 1 })`. x is f32 [2]; y is a class id i32 [] (0 or
 * 1), or for `plane` and `gaussianField` a value f32 [1]. Each throws DownhillError('argument') for an unknown option,
 * a size below 2, a noise that is negative or not a number, a seed that is not a whole number.
 */
export const playground = {
  spiral: drawn('spiral', spiral, true),
  circles: drawn('circles', circles, true),
  xor: drawn('xor', xor, true),
  gaussians: drawn('gaussians', gaussians, true),
  moons: drawn('moons', moons, true),
  plane: drawn('plane', plane, false),
  gaussianField: drawn('gaussianField', gaussianField, false),
} as const;

export type PlaygroundName = keyof typeof playground;

function drawn(name: string, draw: Draw, classes: boolean): (options?: PlaygroundOptions) => ArrayDataset {
  const owner = `playground.${name}`;
  return (given) => {
    const { size = 500, noise = 0, seed = 0 } = checkOptions(owner, given, ['size', 'noise', 'seed']);
    wholeNumber(owner, 'size', size, 2);
    numberBetween(owner, 'noise', noise, 0);
    const random = new Prng(seed);
    const x = new Float32Array(2 * size);
    const y = classes ? new Int32Array(size) : new Float32Array(size);
    for (let k = 0; k < size; k++) {
      const point = draw(random, k, size, noise);
      x.set([point[0], point[1]], 2 * k);
      y[k] = point[2];
    }
    const order = random.shuffle(Uint32Array.from({ length: size }, (_, k) => k));
    const set = { name, x, xShape: [2], y, ...(classes ? { classNames: ['0', '1'] } : { yShape: [1] }) };
    return select(arrayDataset(set), order);
  };
}
