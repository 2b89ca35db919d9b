/** The large picture: a surface over the plane, with the points on it. */

import { drawCells, type Palette } from './colors.ts';
import { CELLS, EXTENT } from './settings.ts';

export interface SurfaceOptions {
  /** Two colours only. */
  readonly discrete: boolean;
  readonly showTest: boolean;
}

export class SurfaceView {
  private readonly cells = document.createElement('canvas');
  /** Points change rarely; their picture is kept. */
  private readonly dots = document.createElement('canvas');
  private points: Float32Array = new Float32Array();
  private trained = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private colors: Palette,
    private options: SurfaceOptions,
  ) {}

  set palette(colors: Palette) {
    this.colors = colors;
    this.drawDots();
  }

  set view(options: SurfaceOptions) {
    this.options = options;
    this.drawDots();
  }

  /** @param points x, y and target of each; the first `trained` are trained on. */
  setPoints(points: Float32Array, trained: number): void {
    this.points = points;
    this.trained = trained;
    this.drawDots();
  }

  draw(bytes: Uint8Array): void {
    const { canvas, cells, options, colors } = this;
    const size = Math.round(canvas.clientWidth * devicePixelRatio);
    if (size === 0) return;
    if (canvas.width !== size) {
      canvas.width = canvas.height = size;
      this.drawDots();
    }
    const twoColours = (byte: number): number => (byte === 0 ? 0 : byte < 128 ? 1 : 255);
    drawCells(cells, options.discrete ? bytes.map(twoColours) : bytes, CELLS, colors);
    const context = canvas.getContext('2d')!;
    context.imageSmoothingEnabled = !options.discrete;
    context.imageSmoothingQuality = 'high';
    context.drawImage(cells, 0, 0, size, size);
    context.drawImage(this.dots, 0, 0);
  }

  private drawDots(): void {
    const { canvas, dots, points, trained, colors, options } = this;
    dots.width = dots.height = canvas.width;
    const context = dots.getContext('2d')!;
    const radius = Math.max(2, canvas.width / 130);
    const place = (value: number): number => ((value / EXTENT + 1) / 2) * canvas.width;
    context.lineWidth = Math.max(1, radius / 3);
    const count = options.showTest ? points.length / 3 : trained;
    for (let k = 0; k < count; k++) {
      const [x, y, target] = points.subarray(3 * k, 3 * k + 3);
      // Values of regression are in [−1, 1], classes are 0 and 1.
      const color = target > 0 ? colors.high : colors.low;
      context.beginPath();
      context.arc(place(x), place(-y), radius, 0, 2 * Math.PI);
      context.fillStyle = k < trained ? color : colors.ground;
      context.strokeStyle = k < trained ? colors.ground : color;
      context.fill();
      context.stroke();
    }
  }
}
