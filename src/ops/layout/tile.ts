/**
 * tile: a tensor repeated along its axes. A formula of broadcastTo and reshape, not an op.
 */

import { describe, type Tensor } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape } from '../../util/shape.ts';
import { broadcastTo } from '../reduction/sum.ts';
import { reshape } from './shape.ts';

/**
 * `x` repeated `repeats[axis]` times along each axis.
 * @throws DownhillError `shape` unless repeats has a whole number ≥ 1 for each axis.
 */
export function tile(x: Tensor, repeats: readonly number[]): Tensor {
  if (repeats.length !== x.rank || repeats.some((count) => !Number.isInteger(count) || count < 1)) {
    throw new DownhillError(
      'shape',
      `tile: ${describe(x)} needs ${x.rank} whole numbers ≥ 1, got ${formatShape(repeats)}`,
    );
  }
  const apart = x.shape.flatMap((size) => [1, size]);
  const repeated = x.shape.flatMap((size, axis) => [repeats[axis], size]);
  return reshape(
    broadcastTo(reshape(x, apart), repeated),
    x.shape.map((size, axis) => size * repeats[axis]),
  );
}
