/**
 * FusedGraph: which nodes share a kernel, and the one place that says which values a kernel reads and writes in memory.
 */

import type { Graph } from '../../core/graph.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { GraphFacts } from '../graph/facts.ts';
import { rootOf } from '../graph/views.ts';
import type { Cluster } from './cluster.ts';

export interface FusedGraph {
  readonly graph: Graph;
  readonly facts: GraphFacts;
  readonly clusters: readonly Cluster[];
  readonly clusterOf: ReadonlyMap<Tensor, Cluster>;
  /** Nodes without memory or kernel: every reader computes them anew. */
  readonly recomputed: ReadonlySet<Tensor>;
  /** Nodes that must be written to memory: read by another cluster, an output, an update or a part. */
  readonly materialized: ReadonlySet<Tensor>;
  /** Why neighbours were not joined, for `DEBUG=3`. */
  readonly reasons: () => readonly string[];
}

/** Roots outside of `nodes` that these read from memory, recomputed nodes looked through. */
export function rootsRead(nodes: ReadonlyMap<Tensor, unknown>, recomputed: ReadonlySet<Tensor>): Set<Tensor> {
  const roots = new Set<Tensor>();
  const visit = (node: Tensor) => {
    for (const input of node.inputs) {
      const root = rootOf(input);
      if (nodes.has(root)) continue;
      if (recomputed.has(root)) visit(root);
      else roots.add(root);
    }
  };
  for (const node of nodes.keys()) visit(node);
  return roots;
}

/** Roots in memory that the kernel of `cluster` loads from. */
export function readBy(cluster: Cluster, { recomputed }: FusedGraph): Set<Tensor> {
  return rootsRead(cluster.roles, recomputed);
}

/** What the kernel of `cluster` must leave in memory: its materialised nodes, in order. */
export function writtenBy(cluster: Cluster, { materialized }: FusedGraph): Tensor[] {
  return [...cluster.roles.keys()].filter((node) => materialized.has(node));
}
