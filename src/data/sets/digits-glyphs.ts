/**
 * The handwriting of the embedded digits: each digit in several ways people write it, as SVG path data in a box of
 * 100 × 100 with y downward (paste a path into any SVG viewer to see it). Only absolute M, L and C are understood.
 *
 * Invariant: a parsed stroke is a chain of cubic Bézier curves, its control points laid out as
 * p0 c c p1 c c p2 … (1 + 3·curves points); a straight line is a cubic with its control points at the thirds, so
 * that moving control points bends lines as well as curves.
 */
import { invariant } from '../../util/errors.ts';

/** A pen stroke: x, y of its control points in turn, in units of the box, centred on 0 (so within ±0.5). */
export type Stroke = Float64Array;

/** One way to write a digit. */
export type Glyph = readonly Stroke[];

/** Ways to write each digit 0–9, every one about as frequent as the others of its digit. */
const PATHS: readonly (readonly string[])[] = [
  [
    'M 50 6 C 24 6 17 38 17 52 C 17 78 30 95 50 95 C 72 95 83 74 83 50 C 83 26 72 6 50 6',
    'M 64 12 C 42 0 22 26 20 54 C 18 84 36 96 52 94 C 74 92 84 64 80 38 C 77 20 66 8 48 11',
    'M 52 6 C 36 8 28 36 28 54 C 28 80 38 95 50 95 C 64 95 73 72 73 48 C 73 24 66 6 52 6',
    'M 30 22 C 10 50 18 92 48 94 C 78 96 92 60 80 30 C 70 4 42 2 28 26',
  ],
  [
    'M 50 6 L 50 95',
    'M 32 28 L 54 6 L 54 95',
    'M 34 26 C 42 22 48 14 52 6 L 52 94 M 32 94 L 72 94',
    'M 57 6 C 52 40 48 60 45 95',
  ],
  [
    'M 22 28 C 24 2 76 -2 76 28 C 76 52 42 68 20 93 L 82 93',
    'M 24 24 C 30 2 74 2 72 32 C 70 58 44 84 28 90 C 14 94 18 74 32 80 C 48 88 62 98 84 86',
    'M 24 18 C 40 2 74 2 73 26 C 72 46 36 70 20 92 C 40 86 60 88 82 94',
    'M 20 34 C 22 -4 72 -2 74 26 C 75 48 46 76 24 88 C 40 78 58 100 80 82',
  ],
  [
    'M 24 16 C 40 -2 76 2 74 26 C 72 44 54 47 40 47 C 60 47 80 56 78 74 C 75 100 36 100 20 82',
    'M 24 8 L 74 8 L 44 42 C 70 38 82 56 78 74 C 73 98 38 98 20 84',
    'M 26 14 C 48 -2 78 10 70 30 C 66 42 52 47 42 48 C 34 48 38 42 46 45 C 70 50 84 62 76 80 C 69 97 40 98 22 88',
    'M 22 20 C 34 0 72 2 70 26 C 69 40 56 46 44 48 L 46 49 C 68 50 82 62 74 80 C 66 98 34 98 24 80',
  ],
  [
    'M 34 8 L 20 58 L 82 56 M 64 28 L 62 95',
    'M 64 95 L 66 6 L 18 64 L 86 64',
    'M 28 10 C 24 30 18 48 24 54 C 36 60 58 56 74 48 M 76 6 C 72 40 68 70 64 95',
    'M 30 8 C 28 28 22 44 22 54 C 38 50 58 50 80 50 M 66 10 C 62 40 60 64 58 95',
  ],
  [
    'M 76 8 L 32 8 L 28 44 C 50 32 79 42 79 66 C 79 96 40 100 20 84',
    'M 34 10 L 30 44 C 54 34 76 44 76 66 C 76 94 42 100 20 88 M 34 10 L 80 8',
    'M 76 10 C 50 6 38 8 34 20 C 26 46 38 42 54 47 C 82 56 78 86 56 92 C 42 97 28 94 18 84',
    'M 78 14 C 60 8 46 12 36 12 C 34 24 30 34 28 44 C 40 38 66 36 72 56 C 78 80 56 94 24 94',
  ],
  [
    'M 66 6 C 40 16 21 46 21 70 C 21 90 36 96 50 96 C 66 96 79 88 79 70 C 79 48 36 44 24 72',
    'M 60 5 L 30 50 C 16 76 28 96 50 96 C 74 96 82 72 70 60 C 58 48 36 54 26 70',
    'M 74 14 C 56 0 24 24 21 62 C 19 100 72 104 75 74 C 77 50 38 46 25 76',
    'M 46 5 C 28 30 20 60 26 80 C 34 102 74 98 74 74 C 74 52 44 52 28 78',
  ],
  [
    'M 20 10 L 80 10 L 44 95',
    'M 20 10 L 80 10 L 46 95 M 34 50 L 78 48',
    'M 22 24 L 22 10 C 40 14 60 12 80 8 C 64 34 50 64 48 95',
    'M 18 16 C 40 8 60 16 80 8 C 76 36 54 60 42 95 M 36 54 L 70 46',
  ],
  [
    'M 72 18 C 56 -2 24 4 27 28 C 30 50 77 48 77 74 C 77 100 23 100 23 74 C 23 50 68 46 72 18',
    'M 50 6 C 20 8 22 46 50 46 C 80 46 80 6 50 6 M 50 46 C 12 48 12 95 50 95 C 88 95 88 48 50 46',
    'M 68 12 C 40 -2 20 24 40 42 C 58 56 80 70 66 88 C 52 102 18 92 29 68 C 38 50 82 36 68 12',
    'M 30 34 C 16 0 84 -4 74 32 C 68 50 24 56 26 80 C 29 102 78 98 74 72 C 71 54 38 52 30 34',
  ],
  [
    'M 76 22 C 64 -2 22 2 22 30 C 22 58 66 58 77 26 L 72 95',
    'M 75 30 C 70 0 25 0 25 30 C 25 56 66 58 75 30 C 80 60 68 92 34 95',
    'M 73 12 C 48 -2 22 14 25 36 C 28 56 62 54 73 14 C 73 40 66 70 58 95',
    'M 72 16 C 40 -4 18 28 32 44 C 46 56 70 40 72 18 C 78 50 84 96 52 95 C 40 94 34 90 30 84',
  ],
];

/** The glyphs of each digit, parsed: `GLYPHS[digit][variant]`. */
export const GLYPHS: readonly (readonly Glyph[])[] = PATHS.map((variants) => variants.map(parsePath));

/** Parses path data of absolute M, L and C commands, each letter followed by one command's numbers. */
function parsePath(path: string): Glyph {
  const strokes: number[][] = [];
  for (const [, command, text] of path.matchAll(/([A-Z])([^A-Z]*)/g)) {
    const numbers = text!
      .trim()
      .split(/\s+/)
      .map((word) => Number(word) / 100 - 0.5);
    if (command === 'M') {
      invariant(numbers.length === 2, `glyph path "${path}": M takes 2 numbers`);
      strokes.push(numbers);
      continue;
    }
    const stroke = strokes.at(-1);
    invariant(stroke, `glyph path "${path}": begins without M`);
    if (command === 'L') {
      invariant(numbers.length === 2, `glyph path "${path}": L takes 2 numbers`);
      const [x0, y0] = stroke.slice(-2) as [number, number];
      const [x1, y1] = numbers as [number, number];
      const dx = (x1 - x0) / 3;
      const dy = (y1 - y0) / 3;
      stroke.push(x0 + dx, y0 + dy, x1 - dx, y1 - dy, x1, y1);
    } else {
      invariant(command === 'C' && numbers.length === 6, `glyph path "${path}": C takes 6 numbers`);
      stroke.push(...numbers);
    }
  }
  return strokes.map((stroke) => Float64Array.from(stroke));
}
