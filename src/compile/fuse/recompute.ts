/**
 * Which nodes need no memory because recomputing them is free: constants, index ramps, small scalar formulas such as a
 * bias correction, pure data movement of those (the cotangent of a mean is a broadcast constant), and masks: reading
 * the compared value again costs no more than reading the stored comparison. And which are expensive but read no
 * memory, and would have a kernel for a few values that a few others ask for: the rows of a shuffled batch.
 */

import type { Tensor } from '../../core/tensor.ts';
import { type GraphFacts, readersOf } from '../graph/facts.ts';
import { rootOf } from '../graph/views.ts';
import { isExpensive } from './cluster.ts';

/** Most nodes one recomputed value may stand for, shared ones counted at each use. */
const WEIGHT = 4;
/** The same for a formula of one element, such as Adam's bias correction: its own kernel would cost more. */
const SCALAR_WEIGHT = 24;

/**
 * Most evaluations that a dispatch less is worth: what a GPU does while it starts one, and on a CPU, where a function
 * remembers what it was asked last, a sixteenth of it.
 */
const EVALUATIONS = 1 << 17;

/** Nodes that every reader computes for itself. Pinned nodes need memory and are never among them. */
export function recomputable(facts: GraphFacts): Set<Tensor> {
  const { graph, pinned, scalars } = facts;
  const weights = new Map<Tensor, number>();
  for (const node of graph.nodes) {
    const lower = node.op?.lower;
    const inline = lower?.kind === 'map' || (lower?.kind === 'index' && lower.cost === 'inline');
    if (!inline || pinned.has(node)) continue;
    let weight = 1;
    for (const input of node.inputs) {
      const root = rootOf(input);
      const free = scalars.has(root);
      weight += weights.get(root) ?? (free ? 0 : Number.POSITIVE_INFINITY);
    }
    if (isMask(node, weights)) {
      weights.set(node, 1);
      continue;
    }
    if (weight <= (node.size === 1 ? SCALAR_WEIGHT : WEIGHT)) weights.set(node, weight);
  }
  const result = new Set(weights.keys());
  for (const node of graph.nodes) {
    if (!pinned.has(node) && isRare(node, facts, (root) => scalars.has(root) || weights.has(root))) {
      result.add(node);
    }
  }
  return result;
}

/**
 * An expensive function of scalars alone that others read at indices of their own, so that it would be a kernel by
 * itself, and that they ask so seldom that the kernel is not worth it.
 */
function isRare(node: Tensor, facts: GraphFacts, isFree: (root: Tensor) => boolean): boolean {
  if (!isExpensive(node) || !node.inputs.every((input) => isFree(rootOf(input)))) return false;
  const own = [...readersOf(facts, node)];
  if (own.length === 0 || own.some((reader) => reader.op?.lower.kind !== 'index' || isExpensive(reader))) return false;
  // An index function that is read in one place only is a function of its reader.
  const evaluations = (reader: Tensor): number => {
    const next = [...readersOf(facts, reader)];
    const [only] = next;
    const inlined =
      !facts.pinned.has(reader) &&
      next.length === 1 &&
      only.op?.lower.kind === 'index' &&
      only.op.lower.cost === 'inline';
    return inlined ? Math.max(reader.size, evaluations(only)) : reader.size;
  };
  return own.reduce((sum, reader) => sum + evaluations(reader), 0) <= EVALUATIONS;
}

/** A comparison of one value in memory with constants. */
function isMask(node: Tensor, weights: ReadonlyMap<Tensor, number>): boolean {
  if (node.dtype !== 'bool' || node.op?.lower.kind !== 'map') return false;
  const values = node.inputs.filter((input) => !weights.has(rootOf(input)));
  return values.length === 1 && values[0].size === node.size;
}
