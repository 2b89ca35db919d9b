/**
 * Which nodes need no memory because recomputing them is free: constants, index ramps, small scalar formulas such as
 * a bias correction, pure data movement of those (the cotangent of a mean is a broadcast constant), and masks: reading
 * the compared value again costs no more than reading the stored comparison.
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
      const free = scalarLeaves.has(root);
      weight += weights.get(root) ?? (free ? 0 : Number.POSITIVE_INFINITY);
    }
    if (isMask(node, weights)) {
      weights.set(node, 1);
      continue;
    }
    if (weight <= (node.size === 1 ? SCALAR_WEIGHT : WEIGHT)) weights.set(node, weight);
  }
  return new Set(weights.keys());
}

/** A comparison of one value in memory with constants. */
function isMask(node: Tensor, weights: ReadonlyMap<Tensor, number>): boolean {
  if (node.dtype !== 'bool' || node.op?.lower.kind !== 'map') return false;
  const values = node.inputs.filter((input) => !weights.has(rootOf(input)));
  return values.length === 1 && values[0].size === node.size;
}
