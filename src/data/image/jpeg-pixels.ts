/**
 * From the components of a JPEG to RGB: components stored at half size are enlarged by a triangle filter (each new
 * sample takes 3 parts of the nearest and 1 of the next), other sizes by repetition; then colours are converted.
 * Source: ITU-T T.871 (JFIF) for YCbCr; the filter and its rounding are those of libjpeg's "fancy upsampling".
 */
import type { ByteImage } from '../resize.ts';
import type { Component } from './jpeg-scan.ts';

/** What the components are; inverted CMYK is Adobe's, where 255 means no ink. */
export type ColourCode = 'grey' | 'rgb' | 'ycc' | 'cmyk' | 'invertedCmyk' | 'ycck';

/** Writes row `y` of the image, one sample per pixel, into `out`. */
type RowSource = (y: number, out: Uint8Array) => void;

/** RGB bytes of the image. */
export function pixelsOf(
  width: number,
  height: number,
  components: readonly Component[],
  code: ColourCode,
): ByteImage & { readonly channels: 3 } {
  const maxH = Math.max(...components.map(({ h }) => h));
  const maxV = Math.max(...components.map(({ v }) => v));
  const sources = components.map((component) => rowSource(component, width, maxH / component.h, maxV / component.v));
  // One sample more: the filter writes pairs.
  const rows = components.map(() => new Uint8Array(width + 1));
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    sources.forEach((source, k) => {
      source(y, rows[k]!);
    });
    writeRow(rows, code, width, data, 3 * y * width);
  }
  return { width, height, channels: 3, data };
}

function rowSource({ plane, stride, width, height }: Component, full: number, across: number, down: number): RowSource {
  const smooth = across === 2 && width > 2;
  if (across === 1 && down === 1) return (y, out) => out.set(plane.subarray(y * stride, y * stride + full));
  if (smooth && down === 1) return (y, out) => widen(plane, y * stride, width, out);
  if ((smooth || across === 1) && down === 2) {
    const sums = new Uint16Array(width);
    return (y, out) => {
      const near = y >> 1;
      const next = Math.min(height - 1, Math.max(0, near + (y % 2 === 0 ? -1 : 1)));
      for (let x = 0; x < width; x++) sums[x] = 3 * plane[near * stride + x]! + plane[next * stride + x]!;
      if (smooth) return widenSums(sums, out);
      const rounding = y % 2 === 0 ? 1 : 2;
      for (let x = 0; x < width; x++) out[x] = (sums[x]! + rounding) >> 2;
    };
  }
  return (y, out) => {
    const row = Math.floor(y / down) * stride;
    for (let x = 0; x < full; x++) out[x] = plane[row + Math.floor(x / across)]!;
  };
}

/** `width` samples from `at` to twice as many. */
function widen(plane: Uint8Array, at: number, width: number, out: Uint8Array): void {
  for (let x = 0; x < width; x++) {
    const sample = plane[at + x]!;
    const before = x === 0 ? sample : plane[at + x - 1]!;
    const after = x === width - 1 ? sample : plane[at + x + 1]!;
    // Writes beyond the array's end, after an odd last column, are dropped.
    out[2 * x] = (3 * sample + before + 1) >> 2;
    out[2 * x + 1] = (3 * sample + after + 2) >> 2;
  }
}

/** The same of samples that were summed over two rows. */
function widenSums(sums: Uint16Array, out: Uint8Array): void {
  const last = sums.length - 1;
  for (let x = 0; x <= last; x++) {
    const sum = sums[x]!;
    out[2 * x] = (3 * sum + (x === 0 ? sum : sums[x - 1]!) + 8) >> 4;
    out[2 * x + 1] = (3 * sum + (x === last ? sum : sums[x + 1]!) + 7) >> 4;
  }
}

function writeRow(rows: readonly Uint8Array[], code: ColourCode, width: number, data: Uint8Array, to: number): void {
  const [a, b, c, k] = rows as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  for (let x = 0, at = to; x < width; x++, at += 3) {
    switch (code) {
      case 'grey':
        data[at] = data[at + 1] = data[at + 2] = a[x]!;
        break;
      case 'rgb':
        data[at] = a[x]!;
        data[at + 1] = b[x]!;
        data[at + 2] = c[x]!;
        break;
      case 'ycc':
        fromYcc(a[x]!, b[x]! - 128, c[x]! - 128, data, at);
        break;
      case 'cmyk':
        data[at] = shade(255 - a[x]!, 255 - k[x]!);
        data[at + 1] = shade(255 - b[x]!, 255 - k[x]!);
        data[at + 2] = shade(255 - c[x]!, 255 - k[x]!);
        break;
      case 'invertedCmyk':
        data[at] = shade(a[x]!, k[x]!);
        data[at + 1] = shade(b[x]!, k[x]!);
        data[at + 2] = shade(c[x]!, k[x]!);
        break;
      case 'ycck':
        // The three are the inverse of what is printed: they come out as ink.
        fromYcc(a[x]!, b[x]! - 128, c[x]! - 128, data, at);
        data[at] = shade(255 - data[at]!, k[x]!);
        data[at + 1] = shade(255 - data[at + 1]!, k[x]!);
        data[at + 2] = shade(255 - data[at + 2]!, k[x]!);
    }
  }
}

function shade(light: number, black: number): number {
  return Math.round((light * black) / 255);
}

/** 16 binary places; the constants are those of BT.601. */
const [RED, BLUE, GREEN_BLUE, GREEN_RED] = [1.402, 1.772, 0.34414, 0.71414].map((value) => Math.round(value * 65536));
const HALF = 32768;

function fromYcc(y: number, cb: number, cr: number, data: Uint8Array, at: number): void {
  data[at] = clamp(y + ((RED! * cr + HALF) >> 16));
  data[at + 1] = clamp(y + ((HALF - GREEN_BLUE! * cb - GREEN_RED! * cr) >> 16));
  data[at + 2] = clamp(y + ((BLUE! * cb + HALF) >> 16));
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
