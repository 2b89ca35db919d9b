/**
 * Cluster: the nodes that one kernel computes.
 *
 *   map       one invocation per element of an index space of `points` elements
 *   reduce    `points` folds over `fold` elements each; several folds may follow one another over the same rows
 *   contract  one contraction with `points` output elements
 *   hand      one node that a hand-written shader computes, alone in its cluster
 *
 * Every node of a cluster has a role, which says at which index it is evaluated.
 */

import type { Contraction } from '../../core/lowering.ts';
import type { Op } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { type FoldMap, foldMap, type MapAxis, reductionMap } from '../graph/index-map.ts';
import { resolve } from '../graph/views.ts';

export type Role =
  /** At the output index: elementwise nodes of a map, epilogues of folds and contractions. */
  | 'point'
  /** At the index of the element that a fold takes in. */
  | 'inner'
  /** The fold, contraction or hand-written kernel itself; its value stands at the output index. */
  | 'fold'
  /** At whatever index a consumer asks: written as a function, recomputed at each call. */
  | 'function'
  /** The column sums of operand B that a contraction delivers beside its product; indexed by n. */
  | 'sum';

export interface FoldSpace extends FoldMap {
  /** The reduction as a map from input index to output index. */
  readonly toOuter: readonly MapAxis[];
}

export interface Cluster {
  readonly id: number;
  kind: 'map' | 'reduce' | 'contract' | 'hand';
  points: number;
  /** reduce only. */
  space: FoldSpace | null;
  /** contract only. */
  contraction: Contraction | null;
  /** In topological order. */
  readonly roles: Map<Tensor, Role>;
}

/** The cluster of a single node, before any fusion. */
export function singleCluster(id: number, node: Tensor): Cluster {
  const op = node.op as Op;
  const { lower } = op;
  switch (lower.kind) {
    case 'reduce': {
      const axes = lower.axes(node.inputs[0], node.attrs);
      const map = foldMap(node.inputs[0].shape, axes);
      const space = { ...map, toOuter: reductionMap(node.inputs[0].shape, axes) };
      return { id, kind: 'reduce', points: map.outer, space, contraction: null, roles: new Map([[node, 'fold']]) };
    }
    case 'contract': {
      const contraction = lower.contraction(node.inputs, node, node.attrs);
      return { id, kind: 'contract', points: node.size, space: null, contraction, roles: new Map([[node, 'fold']]) };
    }
    case 'composite':
      return {
        ...{ id, kind: 'hand', points: node.size, space: null, contraction: null },
        roles: new Map([[node, 'fold']]),
      };
    default:
      return { id, kind: 'map', points: node.size, space: null, contraction: null, roles: new Map([[node, 'point']]) };
  }
}

export function isHeavy(node: Tensor): boolean {
  return node.op?.lower.kind === 'index' && node.op.lower.cost === 'heavy';
}

/** Whole-tensor or shifted access of a map node to one of its inputs, through views. */
export function rootOf(tensor: Tensor): Tensor {
  return resolve(tensor).root;
}
