/** Colours of values: from −1 (warm) over the panel's ground to 1 (blue), in the theme as it is now. */

import { themeChannels, themeColor } from '../shared/shell.ts';

export interface Palette {
  /** Colours as little-endian RGBA words, for the bytes 1 to 255 of surfaces. */
  readonly words: Uint32Array;
  /** Stripes where the value is not a number. */
  readonly none: readonly [number, number];
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
  for (let byte = 1; byte < 256; byte++) {
    const value = (byte - 1) / 127 - 1;
    const end = value < 0 ? from : to;
    words[byte] = word(middle.map((one, k) => one + (end[k] - one) * Math.abs(value) * STRENGTH));
  }
  const none = [word(themeChannels('muted')), word(middle)] as const;
  return { words, none, low, high, ink, ground };
}

function word(color: readonly number[]): number {
  const [r, g, b] = color.map(Math.round);
  return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
}

/** Draws one surface of `size`² bytes into a canvas of that size. */
export function drawCells(canvas: HTMLCanvasElement, cells: Uint8Array, size: number, { words, none }: Palette): void {
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(size, size);
  const pixels = new Uint32Array(image.data.buffer);
  for (let k = 0; k < cells.length; k++) {
    const stripe = ((k % size) + Math.floor(k / size)) & 3;
    pixels[k] = cells[k] === 0 ? none[stripe === 0 ? 0 : 1] : words[cells[k]];
  }
  context.putImageData(image, 0, 0);
}
