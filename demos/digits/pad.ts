/**
 * The drawing area: strokes in image coordinates, and the image a network gets of them. As in MNIST, the drawing is
 * scaled so that its longer side takes 20 of 28 pixels and moved so that its centre of mass is in the middle.
 * Source: LeCun, Cortes, Burges, "The MNIST database", on how its images were normalised.
 */

const SIDE = 28;
const BOX = 20;

export class Pad {
  private current: Float32Array | undefined;
  /** True when `current` is not that of the drawing: it is made when it is asked for, not at each movement. */
  private stale = false;
  private readonly context: CanvasRenderingContext2D;
  private drawing = false;

  /** Counts the changes: `data-version` of the canvas too, so that others can tell for which drawing an answer is. */
  version = 0;

  /** @param onChange called after each stroke's movement. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly onChange: () => void,
  ) {
    this.context = canvas.getContext('2d', { willReadFrequently: true })!;
    this.context.lineCap = 'round';
    this.context.lineJoin = 'round';
    this.context.strokeStyle = '#fff';
    this.context.lineWidth = canvas.width / 14;
    this.empty();
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.drawing = true;
      if (this.shown) this.empty();
      this.context.beginPath();
      this.context.moveTo(...this.at(event));
      this.line(event);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (this.drawing) this.line(event);
    });
    for (const type of ['pointerup', 'pointercancel'] as const) {
      canvas.addEventListener(type, () => {
        this.drawing = false;
      });
    }
    canvas.addEventListener('keydown', ({ key }) => {
      if (key === 'Delete' || key === 'Backspace') this.clear();
    });
  }

  /**
   * Values 0 … 1 of the image as the network sees it; undefined while nothing is drawn. The same array while it is the
   * same.
   */
  get image(): Float32Array | undefined {
    if (this.stale) this.current = this.normalised();
    this.stale = false;
    return this.current;
  }

  /** True while the area shows an image that was put there, which a first stroke clears. */
  private shown = false;

  clear(): void {
    this.empty();
    this.changed();
  }

  private changed(): void {
    this.canvas.dataset.version = String(++this.version);
    this.onChange();
  }

  private empty(): void {
    this.context.fillStyle = '#000';
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.current = undefined;
    this.stale = false;
    this.shown = false;
  }

  /** Shows an image of 28 × 28 values 0 … 1 instead of a drawing. */
  show(pixels: Float32Array): void {
    const small = new OffscreenCanvas(SIDE, SIDE);
    const data = new ImageData(SIDE, SIDE);
    pixels.forEach((value, k) => {
      data.data.set([255 * value, 255 * value, 255 * value, 255], 4 * k);
    });
    small.getContext('2d')!.putImageData(data, 0, 0);
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(small, 0, 0, this.canvas.width, this.canvas.height);
    this.shown = true;
    this.current = pixels;
    this.stale = false;
    this.changed();
  }

  private at({ offsetX, offsetY }: PointerEvent): [number, number] {
    const scale = this.canvas.width / this.canvas.clientWidth;
    return [offsetX * scale, offsetY * scale];
  }

  private line(event: PointerEvent): void {
    this.context.lineTo(...this.at(event));
    this.context.stroke();
    this.stale = true;
    this.changed();
  }

  private normalised(): Float32Array | undefined {
    const { width, height } = this.canvas;
    const { data } = this.context.getImageData(0, 0, width, height);
    let [left, top, right, bottom] = [width, height, -1, -1];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (data[4 * (y * width + x)] < 32) continue;
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
    }
    if (right < 0) return undefined;
    const scale = BOX / Math.max(right - left + 1, bottom - top + 1, width / 8);
    const draw = (x: number, y: number): Float32Array => {
      const small = new OffscreenCanvas(SIDE, SIDE).getContext('2d', { willReadFrequently: true })!;
      small.imageSmoothingQuality = 'high';
      small.setTransform(scale, 0, 0, scale, x - scale * left, y - scale * top);
      small.drawImage(this.canvas, 0, 0);
      const { data: values } = small.getImageData(0, 0, SIDE, SIDE);
      return Float32Array.from({ length: SIDE * SIDE }, (_, k) => (values[4 * k] * values[4 * k + 3]) / 255 ** 2);
    };
    const first = draw(4, 4);
    let [mass, sumX, sumY] = [0, 0, 0];
    first.forEach((value, k) => {
      mass += value;
      sumX += value * (k % SIDE);
      sumY += value * Math.floor(k / SIDE);
    });
    const middle = (SIDE - 1) / 2;
    return draw(4 + middle - sumX / mass, 4 + middle - sumY / mass);
  }
}
