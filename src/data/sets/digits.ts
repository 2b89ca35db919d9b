/**
 * The embedded data set: handwritten-looking digits, 28 × 28, that the package draws itself, so that the first
 * training run needs no download. Each image takes one of several glyphs of its digit and bends, slants, scales,
 * shifts and inks it at random, with specks and stray marks; positions and styles vary enough that a linear model
 * stays below 93 %, while a small convolutional network passes 97 %.
 *
 * Invariants: image `i` of a split is a pure function of (seed, split, i), the same bytes on every engine, whatever
 * the sizes asked for; every run of ten images from a multiple of ten holds each digit once.
 */
import { checkOptions, refuseSurplus, type Surplus } from '../../util/check-options.ts';
import type { Prng } from '../../util/prng.ts';
import type { TrainTest } from '../dataset.ts';
import { GLYPHS, type Stroke } from './digits-glyphs.ts';
import { Canvas, type Pen, PIXELS, SIDE } from './digits-raster.ts';
import { type DrawnSplit, drawnSplit } from './drawn-split.ts';

const CLASSES = 10;

/**
 * How far the drawing varies. Lengths are in pixels, angles as tangents; `spread`s are standard deviations. Tuned so
 * that, on 8000 images, logistic regression ends at 88–90 % and LeNet-5 (Adam, 1e-3, batch 64) reaches 97.7–99.3 %
 * in three epochs; `shiftRange` moves the first figure most (2: 95.5 %, 2.4: 91 %).
 */
const STYLE = {
  /** Height of an undistorted digit. */
  height: 20,
  rotationSpread: 0.12,
  slantSpread: 0.18,
  widthRange: [0.72, 1.08],
  heightRange: [0.85, 1.1],
  shiftRange: 2.6,
  /** Smooth bend of the whole digit, and jitter of each control point, in units of its height. */
  bendSpread: 0.16,
  jitterSpread: 0.02,
  radiusRange: [0.7, 1.75],
  softnessRange: [0.8, 1.8],
  inkRange: [0.65, 1],
  blurMaximum: 0.18,
  specksMaximum: 10,
  strayChance: 0.35,
} as const;

/** Sizes and seed of the embedded digits. */
export interface DigitsOptions {
  /** Training images; 8000 unless given. */
  readonly train?: number;
  /** Held-out images; 2000 unless given. */
  readonly test?: number;
  /** Whole number; another seed draws another data set. 0 unless given. */
  readonly seed?: number;
}

/**
 * Draws the embedded digits: x u8 [n, 28, 28, 1] with ink bright (255) on 0, y u8 class ids 0–9.
 * @throws DownhillError('argument') when a size is not a whole number of at least 1 or the seed is not a whole number.
 */
export function digits(options: DigitsOptions = {}, ...surplus: Surplus): TrainTest {
  refuseSurplus('digits', surplus);
  const { train = 8000, test = 2000, seed = 0 } = checkOptions('digits', options, ['train', 'test', 'seed']);
  const canvas = new Canvas();
  const common: Omit<DrawnSplit, 'split' | 'count' | 'stream'> = {
    set: 'digits',
    seed,
    xShape: [SIDE, SIDE, 1],
    classNames: Array.from({ length: CLASSES }, (_, digit) => String(digit)),
    draw(x, at, digit, random) {
      drawDigit(canvas, digit, random);
      canvas.write(x, at);
    },
  };
  return {
    train: drawnSplit({ ...common, split: 'train', count: train, stream: 0 }),
    test: drawnSplit({ ...common, split: 'test', count: test, stream: 1 }),
  };
}

/** Draws one image of `digit`, everything about it taken from `random`. */
function drawDigit(canvas: Canvas, digit: number, random: Prng): void {
  canvas.clear();
  const variants = GLYPHS[digit]!;
  const glyph = variants[random.int(variants.length)]!;
  const place = randomPlacement(random);
  const pen = randomPen(random);
  for (const stroke of glyph) canvas.stroke(place(stroke), pen.radius + pen.softness / 2);
  canvas.mark(pen);
  if (random.chance(STYLE.strayChance)) drawStray(canvas, random);
  canvas.blur(random.between(0, STYLE.blurMaximum));
  for (let specks = random.int(STYLE.specksMaximum + 1); specks > 0; specks--) {
    canvas.ink[random.int(PIXELS)]! += random.between(-0.5, 0.5);
  }
}

/** A map of control points from the glyph's box to pixels: jitter, then a quadratic bend, then an affine map. */
function randomPlacement(random: Prng): (stroke: Stroke) => Float64Array {
  const bend = Float64Array.from({ length: 6 }, () => STYLE.bendSpread * random.bell());
  // Rotation without sine and cosine: (1 - t²)/(1 + t²) and 2t/(1 + t²) with t the tangent of half the angle.
  const t = (STYLE.rotationSpread * random.bell()) / 2;
  const cosine = (1 - t * t) / (1 + t * t);
  const sine = (2 * t) / (1 + t * t);
  const slant = STYLE.slantSpread * random.bell();
  const wide = STYLE.height * random.between(...STYLE.widthRange);
  const high = STYLE.height * random.between(...STYLE.heightRange);
  const middle = (SIDE - 1) / 2;
  const shiftX = middle + random.between(-STYLE.shiftRange, STYLE.shiftRange);
  const shiftY = middle + random.between(-STYLE.shiftRange, STYLE.shiftRange);
  return (stroke) => {
    const placed = new Float64Array(stroke.length);
    for (let i = 0; i < stroke.length; i += 2) {
      const u = stroke[i]! + STYLE.jitterSpread * random.bell();
      const v = stroke[i + 1]! + STYLE.jitterSpread * random.bell();
      const x = wide * (u + bend[0]! * u * u + bend[1]! * u * v + bend[2]! * v * v);
      const y = high * (v + bend[3]! * u * u + bend[4]! * u * v + bend[5]! * v * v);
      const slanted = x - slant * y;
      placed[i] = shiftX + cosine * slanted - sine * y;
      placed[i + 1] = shiftY + sine * slanted + cosine * y;
    }
    return placed;
  };
}

function randomPen(random: Prng): Pen {
  return {
    radius: random.between(...STYLE.radiusRange),
    softness: random.between(...STYLE.softnessRange),
    ink: random.between(...STYLE.inkRange),
  };
}

/** A short, thin mark near the border, as from a neighbouring digit or a ruled line. */
function drawStray(canvas: Canvas, random: Prng): void {
  const edge = random.between(0, 3);
  const along = random.between(0, SIDE - 1);
  const [x, y] = strayStart(random.int(4), edge, along);
  const dx = random.between(-2, 2);
  const dy = random.between(-2, 2);
  const pen: Pen = { radius: random.between(0.3, 0.8), softness: 1, ink: random.between(0.3, 0.8) };
  canvas.stroke(Float64Array.of(x, y, x + dx, y + dy, x + 2 * dx, y + dy, x + 3 * dx, y + 3 * dy), 1.4);
  canvas.mark(pen);
}

function strayStart(side: number, edge: number, along: number): readonly [number, number] {
  const far = SIDE - 1 - edge;
  if (side === 0) return [edge, along];
  if (side === 1) return [far, along];
  return side === 2 ? [along, edge] : [along, far];
}
