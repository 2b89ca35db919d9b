/**
 * From the shape of a fold's output back to that of its input: what the gradients of folds have in common.
 */

import type { Aval, Tensor } from '../../core/tensor.ts';
import { reduceShape } from '../../util/shape.ts';
import { broadcastTo } from '../layout/broadcast-to.ts';
import { reshape } from '../layout/shape.ts';

/** A value of the fold's output (or its gradient), back at the shape of the input: each fold sees its own. */
export function spread(folded: Tensor, x: Aval, axes: readonly number[]): Tensor {
  return broadcastTo(reshape(folded, reduceShape(x.shape, axes, true)), x.shape);
}

/** As `spread`, left with size 1 along the folded axes: for ops that broadcast by themselves. */
export function alignFold(folded: Tensor, x: Aval, axes: readonly number[]): Tensor {
  return reshape(folded, reduceShape(x.shape, axes, true));
}
