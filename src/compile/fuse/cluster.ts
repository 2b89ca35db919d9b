/**
 * Cluster: the nodes that one kernel computes.
 *
 *   map       one invocation per element of an index space of `points` elements
 *   reduce    `points` reductions of `space.reduction` elements each; several may follow one another over the same rows
 *   contract  one contraction with `points` output elements
 *   hand      one node that a hand-written shader computes, alone in its cluster
 *
 * Every node of a cluster has a role, which says at which index it is evaluated. A cluster never changes: fusion makes
 * new ones.
 */

import type { Contraction } from '../../core/lowering.ts';
import type { Op } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { type MapAxis, type ReductionAxes, reductionAxes, reductionMap } from '../graph/index-map.ts';

export type Role =
  /** At the output index: elementwise nodes of a map, epilogues of reductions and contractions. */
  | 'point'
  /** At the index of the element that a reduction takes in. */
  | 'inner'
  /** The reduction, contraction or hand-written kernel itself; its value is at the output index. */
  | 'reduction'
  /** At whatever index a consumer asks: written as a function, recomputed at each call. */
  | 'function'
  /** The column sums of operand B that a contraction delivers beside its product; indexed by n. */
  | 'sum';

export type Roles = ReadonlyMap<Tensor, Role>;

export interface ReductionSpace extends ReductionAxes {
  /** The reduction as a map from input index to output index. */
  readonly toOuter: readonly MapAxis[];
}

interface ClusterBase {
  readonly points: number;
  /** In topological order. */
  readonly roles: Roles;
}

export interface MapKind extends ClusterBase {
  readonly kind: 'map';
  readonly space: null;
  readonly contraction: null;
}

export interface ReduceKind extends ClusterBase {
  readonly kind: 'reduce';
  readonly space: ReductionSpace;
  readonly contraction: null;
}

export interface ContractKind extends ClusterBase {
  readonly kind: 'contract';
  readonly space: null;
  readonly contraction: Contraction;
}

export interface HandKind extends ClusterBase {
  readonly kind: 'hand';
  readonly space: null;
  readonly contraction: null;
}

/** A cluster but for its number: what a rule of fusion makes of two. */
export type ClusterShape = MapKind | ReduceKind | ContractKind | HandKind;

/** `id` is that of the first node: clusters are numbered in topological order. */
export type Cluster = ClusterShape & { readonly id: number };

/** The cluster of a single node, before any fusion. */
export function singleCluster(id: number, node: Tensor): Cluster {
  const { lower } = node.op as Op;
  switch (lower.kind) {
    case 'reduce': {
      const axes = lower.axes(node.inputs[0], node.attrs);
      const map = reductionAxes(node.inputs[0].shape, axes);
      const space = { ...map, toOuter: reductionMap(node.inputs[0].shape, axes) };
      return { id, kind: 'reduce', points: map.outer, space, contraction: null, roles: new Map([[node, 'reduction']]) };
    }
    case 'contract': {
      const contraction = lower.contraction(node.inputs, node, node.attrs);
      return {
        id,
        kind: 'contract',
        points: node.size,
        space: null,
        contraction,
        roles: new Map([[node, 'reduction']]),
      };
    }
    case 'composite':
      return {
        ...{ id, kind: 'hand', points: node.size, space: null, contraction: null },
        roles: new Map([[node, 'reduction']]),
      };
    default:
      return { id, kind: 'map', points: node.size, space: null, contraction: null, roles: new Map([[node, 'point']]) };
  }
}

/** True for an index function that is too expensive to recompute in a reader. */
export function isExpensive(node: Tensor): boolean {
  return node.op?.lower.kind === 'index' && node.op.lower.cost === 'materialize';
}

/** `matmul+add+relu`. */
export function clusterName(cluster: Cluster): string {
  const names = [...cluster.roles.keys()].map((node) => (node.op as Op).name);
  return names.length > 6 ? `${names.slice(0, 5).join('+')}+${names.length - 5} more` : names.join('+');
}

/** `matmul+add+relu [64x10x84] dense "fc1"`. */
export function clusterLabel(cluster: Cluster): string {
  const nodes = [...cluster.roles];
  const anchor = nodes.find(([, role]) => role === 'reduction')?.[0] ?? nodes[nodes.length - 1][0];
  const size = cluster.kind === 'contract' ? contractionSize(cluster.contraction) : '';
  return `${clusterName(cluster)}${size}${anchor.label === undefined ? '' : ` ${anchor.label}`}`;
}

function contractionSize({ batch, m, n, segments, inner }: Contraction): string {
  return ` [${batch === 1 ? '' : `${batch}x`}${m}x${n}x${segments * inner}]`;
}

/** Floating-point operations of all nodes. */
export function clusterFlops(cluster: Cluster): number {
  let flops = 0;
  for (const node of cluster.roles.keys()) flops += (node.op as Op).bench.flops(node.inputs, node, node.attrs);
  return flops;
}
