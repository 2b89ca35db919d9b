/**
 * Draws pen strokes into a small grey image: curves become short segments, segments become a distance field, and
 * the pen's radius and softness turn distance into ink, which gives antialiasing for free.
 *
 * Invariant: only + - × ÷ and √ are used, which IEEE 754 rounds exactly, so all engines draw the same bytes.
 */

/** Rows and columns of an image. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;

/** Segments that approximate one cubic Bézier curve. */
const SEGMENTS = 7;

/** How the pen marks the paper; lengths in pixels. */
export interface Pen {
  /** Half of the line's width. */
  readonly radius: number;
  /** Width of the edge over which ink fades from full to none. */
  readonly softness: number;
  /** Ink at the middle of a line, 0 to 1. */
  readonly ink: number;
}

/** One image being drawn. Reuse a canvas for many images: `clear` it, `stroke` it, `mark` the ink. */
export class Canvas {
  /** Ink per pixel, row by row, 0 (paper) to 1. */
  readonly ink = new Float64Array(PIXELS);
  /** Squared distance of each pixel's centre from the nearest stroke since the last `mark`. */
  private readonly distance2 = new Float64Array(PIXELS);
  private readonly scratch = new Float64Array(PIXELS);

  /** Back to blank paper. */
  clear(): void {
    this.ink.fill(0);
    this.distance2.fill(Number.MAX_VALUE);
  }

  /**
   * Adds a chain of cubic Bézier curves, control points in pixels (x, y in turn; see Stroke in digits-glyphs.ts).
   * `reach` is the farthest distance at which the pen still leaves ink.
   */
  stroke(points: Float64Array, reach: number): void {
    for (let i = 0; i + 8 <= points.length; i += 6) this.curve(points, i, reach);
  }

  /** Inks all strokes since the last call with `pen`; where ink was already, the darker one stays. */
  mark(pen: Pen): void {
    const { ink, distance2 } = this;
    const outer = pen.radius + pen.softness / 2;
    for (let i = 0; i < PIXELS; i++) {
      if (distance2[i]! >= outer * outer) continue;
      const coverage = (outer - Math.sqrt(distance2[i]!)) / pen.softness;
      ink[i] = Math.max(ink[i]!, pen.ink * Math.min(1, coverage));
    }
    distance2.fill(Number.MAX_VALUE);
  }

  /** Blurs by the kernel [w, 1 - 2w, w] in both directions, paper beyond the border; w is 0 (none) to 0.25. */
  blur(w: number): void {
    const { ink, scratch } = this;
    for (let i = 0; i < PIXELS; i++) {
      const left = i % SIDE === 0 ? 0 : ink[i - 1]!;
      const right = i % SIDE === SIDE - 1 ? 0 : ink[i + 1]!;
      scratch[i] = (1 - 2 * w) * ink[i]! + w * (left + right);
    }
    for (let i = 0; i < PIXELS; i++) {
      const above = i < SIDE ? 0 : scratch[i - SIDE]!;
      const below = i >= PIXELS - SIDE ? 0 : scratch[i + SIDE]!;
      ink[i] = (1 - 2 * w) * scratch[i]! + w * (above + below);
    }
  }

  /** Writes the image as bytes, 0 (paper) to 255, at `offset` of `out`. */
  write(out: Uint8Array, offset: number): void {
    for (let i = 0; i < PIXELS; i++) {
      out[offset + i] = Math.floor(Math.min(1, Math.max(0, this.ink[i]!)) * 255 + 0.5);
    }
  }

  /** One cubic, by de Casteljau's polynomial at equal steps. */
  private curve(p: Float64Array, at: number, reach: number): void {
    let x0 = p[at]!;
    let y0 = p[at + 1]!;
    for (let step = 1; step <= SEGMENTS; step++) {
      const t = step / SEGMENTS;
      const s = 1 - t;
      const b0 = s * s * s;
      const b1 = 3 * s * s * t;
      const b2 = 3 * s * t * t;
      const b3 = t * t * t;
      const x1 = b0 * p[at]! + b1 * p[at + 2]! + b2 * p[at + 4]! + b3 * p[at + 6]!;
      const y1 = b0 * p[at + 1]! + b1 * p[at + 3]! + b2 * p[at + 5]! + b3 * p[at + 7]!;
      this.segment(x0, y0, x1, y1, reach);
      x0 = x1;
      y0 = y1;
    }
  }

  /** Lowers the distance field around the segment from (x0, y0) to (x1, y1); pixel (c, r) has its centre there. */
  private segment(x0: number, y0: number, x1: number, y1: number, reach: number): void {
    const { distance2 } = this;
    const left = Math.max(0, Math.ceil(Math.min(x0, x1) - reach));
    const right = Math.min(SIDE - 1, Math.floor(Math.max(x0, x1) + reach));
    const top = Math.max(0, Math.ceil(Math.min(y0, y1) - reach));
    const bottom = Math.min(SIDE - 1, Math.floor(Math.max(y0, y1) + reach));
    const dx = x1 - x0;
    const dy = y1 - y0;
    const length2 = dx * dx + dy * dy;
    const inverse = length2 > 0 ? 1 / length2 : 0;
    for (let row = top; row <= bottom; row++) {
      const ry = row - y0;
      for (let column = left; column <= right; column++) {
        const rx = column - x0;
        const along = Math.min(1, Math.max(0, (rx * dx + ry * dy) * inverse));
        const ex = rx - along * dx;
        const ey = ry - along * dy;
        const d2 = ex * ex + ey * ey;
        const i = row * SIDE + column;
        if (d2 < distance2[i]!) distance2[i] = d2;
      }
    }
  }
}
