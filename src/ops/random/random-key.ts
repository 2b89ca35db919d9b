/**
 * What all random ops ask of their key, stream and shape. A key is a tensor of two words (a seed and a step, say), so
 * one program draws new numbers at every run; a stream is a number in the program, which keeps its draws apart.
 */

import type { CpuTensor, Reject, SampleInput } from '../../core/op.ts';
import { type Aval, describe, Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { checkShape, type Shape } from '../../util/shape.ts';
import { show } from '../../util/show.ts';

export interface StreamAttrs {
  readonly shape: Shape;
  /** Whole number below 2³²: draws of different streams under one key are unrelated. */
  readonly stream: number;
}

/** A key for samples. */
export const KEY_SAMPLE: SampleInput = { shape: [2], dtype: 'u32', values: [123, 456] };

/** Keys that every random op refuses; `message` goes on after the name of the op. */
export const KEY_REJECTS: readonly Omit<Reject, 'attrs'>[] = [
  {
    title: 'a key of three words',
    inputs: [{ shape: [3], dtype: 'u32' }],
    message: /key must be u32\[2\], got u32\[3\]/,
  },
  {
    title: 'an i32 key',
    inputs: [{ shape: [2], dtype: 'i32' }],
    message: /key must be u32\[2\], got i32\[2\]; .*cast/,
  },
];

/** @throws DownhillError `dtype` or `shape` unless `key` is u32[2]. */
export function requireKey(op: string, key: Aval): void {
  if (key.dtype !== 'u32') {
    throw new DownhillError(
      'dtype',
      `${op}: key must be u32[2], got ${describe(key)}; make one with tensor([seed, step], 'u32') or cast(key, 'u32')`,
    );
  }
  if (key.shape.length !== 1 || key.shape[0] !== 2) {
    throw new DownhillError('shape', `${op}: key must be u32[2], got ${describe(key)}`);
  }
}

/** @throws DownhillError when the key, the stream or the shape is none. */
export function requireStream(op: string, key: Aval, { shape, stream }: StreamAttrs): void {
  requireKey(op, key);
  if (!Array.isArray(shape)) throw new DownhillError('argument', `${op}: option shape is missing`);
  checkShape(op, shape);
  if (!Number.isInteger(stream) || stream < 0 || stream >= 2 ** 32) {
    throw new DownhillError('argument', `${op}: stream must be a whole number from 0 to 2³² - 1, got ${stream}`);
  }
}

/** @throws DownhillError `argument` unless an f32 can hold `value`. */
export function requireFinite(op: string, option: string, value: number): void {
  if (!Number.isFinite(Math.fround(value))) {
    throw new DownhillError('argument', `${op}: ${option} must be a finite f32, got ${value}`);
  }
}

/** The two words of a key. */
export function keyWords({ data }: CpuTensor): readonly [number, number] {
  return [data[0], data[1]];
}

/**
 * The options of a random op; what is not a key is refused before them: that is the usual mistake.
 * @throws DownhillError `argument` unless `key` is a tensor and the options are known ones with a shape and a stream.
 */
export function checkStreamOptions<T extends StreamAttrs>(
  op: string,
  key: unknown,
  options: T,
  known: readonly (keyof T & string)[],
): T {
  if (!(key instanceof Tensor)) {
    const usage = `${op}(key, { ${known.join(', ')} })`;
    throw new DownhillError('argument', `${op}: the key must be a u32[2] tensor, found ${show(key)}; call ${usage}`);
  }
  const checked = checkOptions<T>(op, options, known, ['shape', 'stream']);
  if (Array.isArray(checked.shape)) return checked;
  throw new DownhillError('argument', `${op}: shape must list sizes, as in [2, 3], found ${show(checked.shape)}`);
}
