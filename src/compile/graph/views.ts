/**
 * Views cost nothing: a reshape or a contiguous slice is its root tensor read from an element offset. Passes and
 * kernels look through views with `resolve` and see only roots.
 */

import type { Tensor } from '../../core/tensor.ts';

export interface Resolved {
  /** The first tensor behind the views that is not itself a view. */
  readonly root: Tensor;
  /** Elements from the root's start to the view's. */
  readonly offset: number;
}

/** Looks through all views of `tensor`. */
export function resolve(tensor: Tensor): Resolved {
  let root = tensor;
  let offset = 0;
  while (root.op?.lower.kind === 'view') {
    offset += root.op.lower.offset(root.inputs, root.attrs);
    root = root.inputs[0];
  }
  return { root, offset };
}

/** The tensor behind the views of `tensor`. */
export function rootOf(tensor: Tensor): Tensor {
  return resolve(tensor).root;
}
