/** Colours of values: from −1 (warm) over the panel's ground to 1 (blue), in the theme as it is now. */

import { themeChannels, themeColor } from '../shared/shell.ts';

export interface Palette {
  /** 256 colours as little-endian RGBA words, for bytes of surfaces. */
  readonly words: Uint32Array;
  readonly low: string;
  readonly high: string;
  readonly ink: string;
  readonly ground: string;
}

/** How far surfaces go towards the full colour, so that points stand out. */
const STRENGTH = 0.72;

export function palette(): Palette {
  const [low, high, ink, ground] = ['series-2', 'series-3', 'ink', 'panel'].map(themeColor);
  const [from, to, middle] = ['series-2', 'series-3', 'panel'].map(themeChannels);
  const words = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const value = byte / 127.5 - 1;
    const end = value < 0 ? from : to;
    const [r, g, b] = middle.map((one, k) => Math.round(one + (end[k] - one) * Math.abs(value) * STRENGTH));
    words[byte] = 0xff000000 | (b << 16) | (g << 8) | r;
  }
  return { words, low, high, ink, ground };
}

/** Draws one surface of `size`² bytes into a canvas of that size. */
export function drawCells(canvas: HTMLCanvasElement, cells: Uint8Array, size: number, { words }: Palette): void {
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(size, size);
  const pixels = new Uint32Array(image.data.buffer);
  for (let k = 0; k < cells.length; k++) pixels[k] = words[cells[k]];
  context.putImageData(image, 0, 0);
}
