/**
 * Weights that lie side by side in one flat tensor, one at a time: for what needs a weight's shape (norms, projections,
 * matrix products), where the rest of an update is elementwise over the whole group.
 */

import type { Tensor } from '../../core/tensor.ts';
import { pack } from '../../ops/layout/concat.ts';
import { reshape } from '../../ops/layout/shape.ts';
import { slice } from '../../ops/layout/slice.ts';
import { type Shape, sizeOf } from '../../util/shape.ts';

/** `change` of each weight (of `shapes`, in order) in the flat tensor, side by side again. */
export function eachWeight(flat: Tensor, shapes: readonly Shape[], change: (weight: Tensor) => Tensor): Tensor {
  let offset = 0;
  const parts = shapes.map((shape) => {
    const size = sizeOf(shape);
    const part = reshape(slice(flat, [offset], [size]), shape);
    offset += size;
    return change(part);
  });
  return pack(parts);
}
