/**
 * The map: heights as shades with contour lines, the paths of the racers, where they are and where they start. Three
 * layers, so that a step draws only its own piece of each path: relief, trails, and what moves.
 */

import type { Palette } from './colors.ts';
import { GRID, type Relief } from './protocol.ts';
import { NAMES, type OptimizerName, type Place, type Surface } from './surfaces.ts';

/** A path as the page keeps it. */
export interface Trail {
  readonly name: OptimizerName;
  readonly shown: boolean;
  readonly diverged: boolean;
  /** x and y of each place, the start first. */
  readonly places: readonly number[];
}

export class Plot {
  private readonly reliefLayer = document.createElement('canvas');
  private readonly trailLayer = document.createElement('canvas');
  /** Places of each racer that are on the trail layer. */
  private readonly drawn = new Map<OptimizerName, number>();
  private relief: Relief | undefined;
  private trails: readonly Trail[] = [];

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private surface: Surface,
    private start: Place,
    private colors: Palette,
  ) {
    new ResizeObserver(() => this.redraw()).observe(canvas);
  }

  set palette(colors: Palette) {
    this.colors = colors;
    this.redraw();
  }

  /** Another surface, or another start. */
  show(surface: Surface, start: Place, relief: Relief | undefined): void {
    this.surface = surface;
    this.start = start;
    this.relief = relief;
    this.redraw();
  }

  /** The paths as they are now; of those that only grew, the new piece is drawn. */
  follow(trails: readonly Trail[]): void {
    const grew = trails.every((one, k) => {
      const before = this.trails[k];
      return before?.shown === one.shown && one.places.length >= 2 * (this.drawn.get(one.name) ?? 0);
    });
    this.trails = trails;
    if (grew) this.compose();
    else this.redraw();
  }

  /** The place under a point of the page. */
  placeAt(clientX: number, clientY: number): Place {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const { x, y } = this.surface;
    return [x[0] + ((x[1] - x[0]) * (clientX - left)) / width, y[1] - ((y[1] - y[0]) * (clientY - top)) / height];
  }

  private redraw(): void {
    const { canvas, reliefLayer, trailLayer } = this;
    const size = Math.round(canvas.clientWidth * devicePixelRatio);
    if (size === 0) return;
    for (const layer of [canvas, reliefLayer, trailLayer]) layer.width = layer.height = size;
    this.drawn.clear();
    this.drawRelief();
    this.compose();
  }

  private compose(): void {
    this.extendTrails();
    const context = this.canvas.getContext('2d')!;
    const { width } = this.canvas;
    context.clearRect(0, 0, width, width);
    context.drawImage(this.reliefLayer, 0, 0);
    context.drawImage(this.trailLayer, 0, 0);
    this.drawMinima(context);
    this.drawStart(context);
    this.drawHeads(context);
  }

  private drawRelief(): void {
    const { relief, surface, colors, reliefLayer } = this;
    const context = reliefLayer.getContext('2d')!;
    const { width } = reliefLayer;
    context.fillStyle = colors.ground;
    context.fillRect(0, 0, width, width);
    if (relief === undefined) return;
    const top = Math.log1p(relief.heights.reduce((a, b) => Math.max(a, b), surface.lowest) - surface.lowest);
    const shades = document.createElement('canvas');
    shades.width = shades.height = GRID;
    const image = new ImageData(GRID, GRID);
    const pixels = new Uint32Array(image.data.buffer);
    relief.heights.forEach((height, k) => {
      pixels[k] = colors.ramp[Math.round((255 * Math.log1p(Math.max(0, height - surface.lowest))) / top)];
    });
    shades.getContext('2d')!.putImageData(image, 0, 0);
    context.imageSmoothingQuality = 'high';
    context.drawImage(shades, 0, 0, width, width);
    context.strokeStyle = colors.contour;
    context.lineWidth = devicePixelRatio;
    context.beginPath();
    for (let k = 0; k < relief.contours.length; k += 4) {
      context.moveTo(...this.pixel(relief.contours[k], relief.contours[k + 1]));
      context.lineTo(...this.pixel(relief.contours[k + 2], relief.contours[k + 3]));
    }
    context.stroke();
  }

  private extendTrails(): void {
    const context = this.trailLayer.getContext('2d')!;
    context.lineWidth = 1.75 * devicePixelRatio;
    context.lineJoin = 'round';
    for (const { name, shown, places } of this.trails) {
      const from = this.drawn.get(name) ?? 0;
      const count = places.length / 2;
      if (!shown || count - from < 1) continue;
      context.strokeStyle = this.colors.racers[name];
      context.beginPath();
      for (let k = Math.max(0, from - 1); k < count; k++) {
        context.lineTo(...this.pixel(places[2 * k], places[2 * k + 1]));
      }
      context.stroke();
      this.drawn.set(name, count);
    }
  }

  private drawMinima(context: CanvasRenderingContext2D): void {
    context.strokeStyle = this.colors.ink;
    context.lineWidth = 1.5 * devicePixelRatio;
    const arm = 5 * devicePixelRatio;
    context.beginPath();
    for (const place of this.surface.minima) {
      const [x, y] = this.pixel(...place);
      context.moveTo(x - arm, y);
      context.lineTo(x + arm, y);
      context.moveTo(x, y - arm);
      context.lineTo(x, y + arm);
    }
    context.stroke();
  }

  private drawStart(context: CanvasRenderingContext2D): void {
    const [x, y] = this.pixel(...this.start);
    context.beginPath();
    context.arc(x, y, 7 * devicePixelRatio, 0, 2 * Math.PI);
    context.strokeStyle = this.colors.ink;
    context.lineWidth = 2 * devicePixelRatio;
    context.stroke();
  }

  private drawHeads(context: CanvasRenderingContext2D): void {
    context.lineWidth = 1.5 * devicePixelRatio;
    context.strokeStyle = this.colors.ground;
    for (const { name, shown, diverged, places } of this.trails) {
      if (!shown || diverged) continue;
      const [x, y] = this.pixel(places[places.length - 2], places[places.length - 1]);
      context.beginPath();
      context.arc(x, y, 5 * devicePixelRatio, 0, 2 * Math.PI);
      context.fillStyle = this.colors.racers[name];
      context.fill();
      context.stroke();
    }
  }

  private pixel(x: number, y: number): [number, number] {
    const { width } = this.canvas;
    const { surface } = this;
    return [
      ((x - surface.x[0]) / (surface.x[1] - surface.x[0])) * width,
      ((surface.y[1] - y) / (surface.y[1] - surface.y[0])) * width,
    ];
  }
}

/** Racers in the order of NAMES, with their starts alone. */
export function freshTrails(start: Place, off: ReadonlySet<OptimizerName>): Trail[] {
  return NAMES.map((name) => ({ name, shown: !off.has(name), diverged: false, places: [...start] }));
}
