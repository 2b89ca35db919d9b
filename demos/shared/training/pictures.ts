/** Drawing of images and planes of values on 2D canvases. */

import { themeChannels } from '../shell.ts';
import type { Planes } from './protocol.ts';

/** Puts an image of values 0 … 1 (grey or RGB, channels last) on `canvas`, one pixel each. */
export function drawPixels(canvas: HTMLCanvasElement, pixels: ArrayLike<number>, shape: readonly number[]): void {
  const [height, width, channels] = shape;
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  for (let k = 0; k < width * height; k++) {
    for (let c = 0; c < 3; c++) image.data[4 * k + c] = 255 * pixels[k * channels + (channels === 3 ? c : 0)];
    image.data[4 * k + 3] = 255;
  }
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}

const MAX_PLANES = 32;
const GAP = 1;

/**
 * Draws planes side by side on one canvas. `signed` values go from one colour through the ground to another; others
 * from the ground up to one, each plane by its own largest value.
 */
export function drawPlanes(host: HTMLElement, { name, height, width, channels, data }: Planes, signed: boolean): void {
  const figure = figureOf(host, name);
  const canvas = figure.querySelector('canvas')!;
  const shown = Math.min(channels, MAX_PLANES);
  const scale = Math.max(1, Math.min(6, Math.floor(64 / width)));
  const perRow = Math.max(1, Math.min(shown, Math.floor(560 / (width * scale + 2))));
  const rows = Math.ceil(shown / perRow);
  canvas.width = perRow * (width + GAP) - GAP;
  canvas.height = rows * (height + GAP) - GAP;
  canvas.style.width = `${canvas.width * scale}px`;
  const [ground, up, down] = ['sunken', 'series-1', 'series-2'].map(themeChannels);
  const image = new ImageData(canvas.width, canvas.height);
  for (let plane = 0; plane < shown; plane++) {
    const values = data.subarray(plane * height * width, (plane + 1) * height * width);
    let largest = 1e-12;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    const left = (plane % perRow) * (width + GAP);
    const top = Math.floor(plane / perRow) * (height + GAP);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = values[y * width + x] / largest;
        const color = value < 0 ? (signed ? down : ground) : up;
        const share = Math.abs(value);
        const at = 4 * ((top + y) * canvas.width + left + x);
        for (let c = 0; c < 3; c++) image.data[at + c] = ground[c] + share * (color[c] - ground[c]);
        image.data[at + 3] = 255;
      }
    }
  }
  canvas.getContext('2d')!.putImageData(image, 0, 0);
  const more = channels > shown ? `, the first ${shown} of ${channels}` : `, ${channels}`;
  const caption = `${name}: ${height} × ${width}${more} maps`;
  figure.querySelector('figcaption')!.textContent = caption;
  canvas.setAttribute('aria-label', caption);
}

/** The figure for `name` in `host`: made once, so that a refresh moves nothing. */
function figureOf(host: HTMLElement, name: string): HTMLElement {
  const found = [...host.children].find((child) => (child as HTMLElement).dataset.name === name);
  if (found !== undefined) return found as HTMLElement;
  const figure = document.createElement('figure');
  figure.dataset.name = name;
  const canvas = document.createElement('canvas');
  canvas.setAttribute('role', 'img');
  figure.append(document.createElement('figcaption'), canvas);
  host.append(figure);
  return figure;
}
