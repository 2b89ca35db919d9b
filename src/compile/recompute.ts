/**
 * Which nodes need no memory because recomputing them is free: constants, index ramps, small scalar formulas such as
 * a bias correction, and pure data movement of those (the cotangent of a mean is a broadcast constant).
 */

import type { Graph } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import { rootOf } from './cluster.ts';

/** Most nodes one recomputed value may stand for, shared ones counted at each use. */
const WEIGHT = 4;
/** The same for a formula of one element, such as Adam's bias correction: its own kernel would cost more. */
const SCALAR_WEIGHT = 24;

/** Nodes that every reader computes for itself. `pinned` nodes need memory and are never among them. */
export function recomputable(graph: Graph, pinned: ReadonlySet<Tensor>): Set<Tensor> {
  const weights = new Map<Tensor, number>();
  const scalarLeaves = new Set(graph.inputs.filter((input) => input.kind === 'scalar').map((input) => input.tensor));
  for (const node of graph.nodes) {
    const lower = node.op?.lower;
    const inline = lower?.kind === 'map' || (lower?.kind === 'index' && lower.cost === 'cheap');
    if (!inline || pinned.has(node)) continue;
    let weight = 1;
    for (const input of node.inputs) {
      const root = rootOf(input);
      const smallScalar = scalarLeaves.has(root) && node.size === 1;
      weight += weights.get(root) ?? (smallScalar ? 0 : Number.POSITIVE_INFINITY);
    }
    if (weight <= (node.size === 1 ? SCALAR_WEIGHT : WEIGHT)) weights.set(node, weight);
  }
  return new Set(weights.keys());
}
