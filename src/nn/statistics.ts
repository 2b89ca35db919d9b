/**
 * Mean and variance of data on the host, along all axes but some: what Normalization takes from the training set.
 *
 * Two passes in f64 (the mean, then squared distances from it), so large offsets lose nothing. Source: Keras 3,
 * Normalization.adapt, which takes the population variance.
 */

import { Tensor } from '../core/tensor.ts';
import { type TensorValues, tensor } from '../runtime/tensor.ts';
import { BYTE_RANGE, bytesAreImages, isBytes } from '../util/bytes.ts';
import { DownhillError } from '../util/errors.ts';
import { formatShape, normalizeAxes, type Shape, sizeOf, stridesOf } from '../util/shape.ts';
import { show } from './check-options.ts';

/** Numbers in arrays of arrays of one shape. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** Values on the host, the example as the first axis; what bytes mean is said in util/bytes.ts. */
export interface HostExamples {
  readonly data: ArrayLike<number>;
  readonly shape: Shape;
  readonly scaleBytes?: boolean;
}

/** The x side of a data set. */
export interface HostDataset {
  readonly x: ArrayLike<number>;
  readonly xShape: Shape;
  readonly size: number;
  readonly scaleBytes?: { readonly x?: boolean };
}

export interface Statistics {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  /** Shape of both: the kept axes. */
  readonly shape: Shape;
}

/**
 * `data` as values and shape: nested arrays, `{ data, shape }` or a data set.
 * @throws DownhillError `argument` for a tensor or what is not data, `shape` for ragged arrays, `data` for none at all.
 */
export function hostExamples(owner: string, data: unknown): HostExamples {
  if (data instanceof Tensor) {
    throw new DownhillError(
      'argument',
      `${owner}: found ${data}; give values of the host, { data: await x.data(), shape: x.shape }`,
    );
  }
  const found = unpack(owner, data);
  if (found.shape.length === 0 || sizeOf(found.shape) === 0) {
    throw new DownhillError('data', `${owner}: data of shape ${formatShape(found.shape)} has no examples`);
  }
  if (found.data.length !== sizeOf(found.shape)) {
    const needed = `shape ${formatShape(found.shape)} takes ${sizeOf(found.shape)}`;
    throw new DownhillError('shape', `${owner}: found ${found.data.length} values; ${needed}`);
  }
  return found;
}

/** Mean and population variance over all axes of `examples` but `kept` (not negative, sorted). */
export function statisticsOf(
  owner: string,
  { data, shape, scaleBytes }: HostExamples,
  kept: readonly number[],
): Statistics {
  const keptShape = kept.map((axis) => shape[axis]);
  const strides = stridesOf(shape);
  const cells = Uint32Array.from({ length: sizeOf(shape) }, (_, i) =>
    kept.reduce((cell, axis) => cell * shape[axis] + (Math.floor(i / strides[axis]) % shape[axis]), 0),
  );
  const scale = isBytes(data) && bytesAreImages(owner, data, shape.slice(1), scaleBytes) ? 1 / BYTE_RANGE : 1;
  const [mean, variance] = [new Float64Array(sizeOf(keptShape)), new Float64Array(sizeOf(keptShape))];
  const count = data.length / mean.length;
  for (let i = 0; i < cells.length; i++) {
    if (!Number.isFinite(data[i])) {
      throw new DownhillError('data', `${owner}: value ${i} of the data is ${data[i]}; statistics need finite numbers`);
    }
    mean[cells[i]] += (data[i] * scale) / count;
  }
  for (let i = 0; i < cells.length; i++) variance[cells[i]] += (data[i] * scale - mean[cells[i]]) ** 2 / count;
  return { mean, variance, shape: keptShape };
}

/** `values` in arrays of arrays of `shape`; a number for `[]`. */
export function nest(values: Float64Array, shape: Shape): NestedNumbers {
  if (shape.length === 0) return values[0];
  const [outer, ...inner] = shape;
  const width = sizeOf(inner);
  return Array.from({ length: outer }, (_, k) => nest(values.subarray(k * width, (k + 1) * width), inner));
}

/** `axes` of examples [B, …] that statistics are kept along. @throws DownhillError `argument` for the batch axis. */
export function keptAxes(owner: string, axes: number | readonly number[], shape: Shape): number[] {
  const kept = normalizeAxes(owner, axes, shape);
  if (!kept.includes(0)) return kept;
  throw new DownhillError('argument', `${owner}: axis 0 holds the examples; statistics cannot be kept along it`);
}

function unpack(owner: string, data: unknown): HostExamples {
  if (typeof data === 'object' && data !== null) {
    if ('x' in data && 'xShape' in data && 'size' in data) {
      const { x, xShape, size, scaleBytes } = data as HostDataset;
      return {
        ...{ data: x, shape: [size, ...xShape] },
        ...(scaleBytes?.x !== undefined && { scaleBytes: scaleBytes.x }),
      };
    }
    if ('data' in data && 'shape' in data && Array.isArray(data.shape)) return data as HostExamples;
    if (Array.isArray(data)) {
      const values = tensor(data as TensorValues);
      if (values.leaf?.kind === 'host') return { data: values.leaf.data, shape: values.shape };
    }
  }
  throw new DownhillError('argument', `${owner}: expected arrays, { data, shape } or a data set, found ${show(data)}`);
}
