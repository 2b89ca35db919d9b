/**
 * An embedded data set in colour: ten plain shapes, 32 × 32, of any colour on any other, rotated, stretched and moved,
 * on a shaded and speckled background. A first run of an image network needs no download. Colour says nothing about the
 * class, so the outline must be learned.
 *
 * Invariants: image `i` of a split is a pure function of (seed, split, i), the same bytes on every engine (+ - × ÷ and
 * √ alone, which IEEE 754 rounds exactly), whatever the sizes asked for; every run of ten images from a multiple of ten
 * holds each shape once.
 */
import { checkOptions, refuseSurplus, type Surplus } from '../util/check-options.ts';
import type { Prng } from '../util/prng.ts';
import type { TrainTest } from './dataset.ts';
import { type DrawnSplit, drawnSplit } from './sets/drawn-split.ts';

/** Rows and columns of an image. */
const SIDE = 32;
/** Samples of a pixel in each direction: edges are smooth. */
const SAMPLES = 3;

/** Whether a point of the shape's own square, from -1 to 1 in x and y (down), belongs to it. */
type Inside = (x: number, y: number) => boolean;

const SHAPES: Readonly<Record<string, Inside>> = {
  circle: (x, y) => x * x + y * y < 0.81,
  ring: (x, y) => x * x + y * y < 0.81 && x * x + y * y > 0.26,
  square: (x, y) => Math.abs(x) < 0.78 && Math.abs(y) < 0.78,
  bar: (x, y) => Math.abs(x) < 0.95 && Math.abs(y) < 0.3,
  triangle: polygon([0, -0.95], [0.9, 0.75], [-0.9, 0.75]),
  cross: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.9 && Math.min(Math.abs(x), Math.abs(y)) < 0.28,
  star: polygon(
    ...([
      [0, -1],
      [0.24, -0.33],
      [0.95, -0.31],
      [0.38, 0.13],
      [0.59, 0.81],
    ] as const),
    ...([
      [0, 0.4],
      [-0.59, 0.81],
      [-0.38, 0.13],
      [-0.95, -0.31],
      [-0.24, -0.33],
    ] as const),
  ),
  arrow: polygon([1, 0], [0.15, -0.75], [0.15, -0.25], [-0.95, -0.25], [-0.95, 0.25], [0.15, 0.25], [0.15, 0.75]),
  crescent: (x, y) => x * x + y * y < 0.85 && (x - 0.42) * (x - 0.42) + y * y > 0.5,
  heart: (x, y) => {
    const top = (Math.abs(x) - 0.42) * (Math.abs(x) - 0.42) + (y + 0.3) * (y + 0.3) < 0.22;
    return top || (y > -0.3 && y < 0.9 && Math.abs(x) < 0.87 * (1 - (y + 0.3) / 1.2));
  },
};

export const SHAPE_NAMES: readonly string[] = Object.keys(SHAPES);

/** Sizes and seed of the embedded shapes. */
export interface ShapesOptions {
  /** Training images; 4000 unless given. */
  readonly train?: number;
  /** Held-out images; 1000 unless given. */
  readonly test?: number;
  /** Whole number; another seed draws another data set. 0 unless given. */
  readonly seed?: number;
}

/**
 * Draws the embedded shapes: x u8 [n, 32, 32, 3] (height, width, RGB), y u8 class ids 0–9 of `SHAPE_NAMES`.
 * @throws DownhillError('argument') when a size is not a whole number of at least 1 or the seed is not a whole number.
 */
export function shapes(options: ShapesOptions = {}, ...surplus: Surplus): TrainTest {
  refuseSurplus('shapes', surplus);
  const { train = 4000, test = 1000, seed = 0 } = checkOptions('shapes', options, ['train', 'test', 'seed']);
  const common: Omit<DrawnSplit, 'split' | 'count' | 'stream'> = {
    set: 'shapes',
    seed,
    xShape: [SIDE, SIDE, 3],
    classNames: SHAPE_NAMES,
    draw: (x, at, id, random) => drawShape(x, at, SHAPES[SHAPE_NAMES[id]!]!, random),
  };
  return {
    train: drawnSplit({ ...common, split: 'train', count: train, stream: 0 }),
    test: drawnSplit({ ...common, split: 'test', count: test, stream: 1 }),
  };
}

/** Draws one image at `at` of `bytes`, everything about it taken from `random`. */
function drawShape(bytes: Uint8Array, at: number, inside: Inside, random: Prng): void {
  const { ground, ink } = colours(random);
  // Shading of the ground, per pixel and colour; noise over everything.
  const [shadeX, shadeY] = [0.6 * random.bell(), 0.6 * random.bell()];
  const noise = random.between(1, 8);
  const place = placement(random);
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      let hits = 0;
      for (let k = 0; k < SAMPLES * SAMPLES; k++) {
        const x = column + ((k % SAMPLES) + 0.5) / SAMPLES;
        const y = row + (Math.floor(k / SAMPLES) + 0.5) / SAMPLES;
        const [u, v] = place(x, y);
        if (inside(u, v)) hits++;
      }
      const cover = hits / (SAMPLES * SAMPLES);
      const shade = shadeX * (column - SIDE / 2) + shadeY * (row - SIDE / 2);
      for (let c = 0; c < 3; c++) {
        const value = (1 - cover) * (ground[c]! + shade) + cover * ink[c]! + noise * random.bell();
        bytes[at + (row * SIDE + column) * 3 + c] = Math.max(0, Math.min(255, Math.floor(value + 0.5)));
      }
    }
  }
}

/** Two colours that differ enough to be seen. */
function colours(random: Prng): { readonly ground: readonly number[]; readonly ink: readonly number[] } {
  for (;;) {
    const [ground, ink] = [0, 1].map(() => [0, 1, 2].map(() => random.between(10, 245)));
    const difference = ground!.reduce((sum, value, c) => sum + Math.abs(value - ink![c]!), 0);
    if (difference > 260) return { ground: ground!, ink: ink! };
  }
}

/** From a pixel's position to the shape's own square: moved, rotated, stretched and slanted. */
function placement(random: Prng): (x: number, y: number) => readonly [number, number] {
  // Rotation without sine and cosine: (1 - t²)/(1 + t²) and 2t/(1 + t²) with t the tangent of half the angle.
  const t = random.between(-0.12, 0.12);
  const cosine = (1 - t * t) / (1 + t * t);
  const sine = (2 * t) / (1 + t * t);
  const size = random.between(9.5, 14);
  const [wide, high] = [size * random.between(0.85, 1.15), size * random.between(0.85, 1.15)];
  const slant = 0.12 * random.bell();
  const flipped = random.chance(0.5) ? -1 : 1;
  const free = SIDE / 2 - size;
  const middleX = SIDE / 2 + random.between(-free, free);
  const middleY = SIDE / 2 + random.between(-free, free);
  return (x, y) => {
    const dx = x - middleX;
    const dy = y - middleY;
    const turned = cosine * dx + sine * dy;
    const v = (cosine * dy - sine * dx) / high;
    return [(flipped * (turned - slant * dy)) / wide, v];
  };
}

/** Inside by the even–odd rule. */
function polygon(...corners: readonly (readonly [number, number])[]): Inside {
  return (x, y) => {
    let inside = false;
    for (let k = 0, before = corners.length - 1; k < corners.length; before = k++) {
      const [ax, ay] = corners[k]!;
      const [bx, by] = corners[before]!;
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
    return inside;
  };
}
