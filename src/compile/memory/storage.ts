/**
 * Which buffer a value in memory will lie in, before there are buffers: what bindings are counted by. Scalars share one
 * block, parts lie in their place, the new value of an update in place lies in its target.
 */

import type { Graph } from '../../core/graph.ts';
import type { Tensor } from '../../core/tensor.ts';
import { rootOf } from '../fuse/cluster.ts';

/** Equal for two roots that one binding serves. */
export type StorageKey = Tensor | 'scalars';

/** @param inPlace the targets of updates, by the root of the new value. */
export function storageKeys(graph: Graph, inPlace: ReadonlyMap<Tensor, Tensor>): (root: Tensor) => StorageKey {
  const scalars = new Set(graph.inputs.flatMap(({ kind, tensor }) => (kind === 'scalar' ? [tensor] : [])));
  const placeOf = new Map<Tensor, Tensor>();
  for (const node of graph.nodes) {
    if (node.op?.lower.kind === 'place') for (const part of node.inputs) placeOf.set(rootOf(part), node);
  }
  const keyOf = (root: Tensor): StorageKey => {
    if (scalars.has(root)) return 'scalars';
    const place = placeOf.get(root);
    return inPlace.get(root) ?? (place === undefined ? root : keyOf(place));
  };
  return keyOf;
}
