/**
 * Images of bytes to another size and number of channels: bilinear with antialiasing. Each output pixel is a mean of
 * the input, weighted by a triangle of the output pixel's width. Where the image grows, that is ordinary bilinear
 * interpolation; where it shrinks, every input pixel counts. Pixel centres are at k + ½, and weights outside the image
 * are left out.
 *
 * Invariant: a constant image stays constant; an image of the same size stays as it is.
 * Source: P. Heckbert's filtered zoom, as tf.image.resize(antialias=True) and Pillow's BILINEAR do it.
 */

/** An image of interleaved bytes, height × width × channels. */
export interface ByteImage {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** `image` at height × width. */
export function resizeImage(image: ByteImage, height: number, width: number): ByteImage {
  if (image.height === height && image.width === width) return image;
  const { channels } = image;
  const across = taps(image.width, width);
  const down = taps(image.height, height);
  // Rows first, in floats; rounding happens once, at the end.
  const narrow = new Float32Array(image.height * width * channels);
  for (let row = 0; row < image.height; row++) {
    for (let column = 0; column < width; column++) {
      const { from, weights } = across[column]!;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) {
          sum += weights[k]! * image.data[(row * image.width + from + k) * channels + c]!;
        }
        narrow[(row * width + column) * channels + c] = sum;
      }
    }
  }
  const data = new Uint8Array(height * width * channels);
  const line = width * channels;
  for (let row = 0; row < height; row++) {
    const { from, weights } = down[row]!;
    for (let k = 0; k < line; k++) {
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++) sum += weights[tap]! * narrow[(from + tap) * line + k]!;
      data[row * line + k] = Math.min(255, Math.max(0, Math.round(sum)));
    }
  }
  return { height, width, channels, data };
}

/** RGB bytes with `channels` values a pixel: 1 is luma (ITU-R BT.601, as tf.image.rgb_to_grayscale). */
export function inChannels(image: ByteImage, channels: 1 | 3): ByteImage {
  if (channels === 3) return image;
  const { height, width, data } = image;
  const out = new Uint8Array(height * width);
  for (let pixel = 0; pixel < out.length; pixel++) {
    const [r, g, b] = [data[3 * pixel]!, data[3 * pixel + 1]!, data[3 * pixel + 2]!];
    out[pixel] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
  }
  return { height, width, channels, data: out };
}

interface Taps {
  readonly from: number;
  readonly weights: readonly number[];
}

/** For each of `to` outputs, the inputs it reads and their weights, which add up to 1. */
function taps(from: number, to: number): Taps[] {
  const scale = from / to;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, k) => {
    const centre = (k + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach));
    const last = Math.min(from - 1, Math.ceil(centre + reach) - 1);
    const weights = [];
    for (let at = first; at <= last; at++) weights.push(Math.max(0, 1 - Math.abs(at + 0.5 - centre) / reach));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { from: first, weights: weights.map((weight) => weight / sum) };
  });
}
