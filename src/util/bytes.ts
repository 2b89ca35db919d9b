/**
 * What bytes mean, written once for training, prediction, statistics and the command line.
 *
 * The rule: a `Uint8Array` or `Uint8ClampedArray` is an image where one example has the shape [height, width, channels]
 * with 1 to 4 channels, and its bytes mean value / 255. In any other shape bytes are plain numbers. `scaleBytes`,
 * where it is given, decides instead of the shape.
 */

import { DownhillError } from './errors.ts';
import type { Shape } from './shape.ts';

/** What a byte of an image is divided by. */
export const BYTE_RANGE = 255;

/** More are planes of a board or bands of a spectrum, which need not be images. */
const MOST_CHANNELS = 4;

/** True for arrays of bytes. */
export function isBytes(data: unknown): data is Uint8Array | Uint8ClampedArray {
  return data instanceof Uint8Array || data instanceof Uint8ClampedArray;
}

/**
 * True when the bytes of examples of `shape` mean value / 255.
 * @param name their name in errors. @param scaleBytes what the caller said.
 * @throws DownhillError `data` for bytes of 0 and 1 alone in the shape of an image, when the caller did not say what
 *   they mean: masks and boards are numbers, and 1 / 255 would train nothing.
 */
export function bytesAreImages(
  name: string,
  data: ArrayLike<number>,
  shape: Shape,
  scaleBytes: boolean | undefined,
): boolean {
  if (scaleBytes !== undefined) return scaleBytes;
  if (shape.length !== 3 || shape[2] > MOST_CHANNELS) return false;
  if (holdsOnlyBits(data)) {
    throw new DownhillError(
      'data',
      `${name}: bytes of 0 and 1 alone in the shape of images [${shape}], where a byte means value / 255; give a ` +
        'Float32Array, or say scaleBytes: false for plain numbers (a mask, a board), true for an image; a data ' +
        'set says it by side, scaleBytes: { y: false }',
    );
  }
  return true;
}

/** A black image has no 1; one with anything above is an image. */
function holdsOnlyBits(data: ArrayLike<number>): boolean {
  let ones = false;
  for (let k = 0; k < data.length; k++) {
    if (data[k] > 1) return false;
    ones ||= data[k] === 1;
  }
  return ones;
}
