/**
 * ClusterGraph: the clusters while fusion joins them, and what depends on what among them.
 *
 * Invariant: what is remembered of clusters as they are now is forgotten when one comes or goes.
 */

import type { Tensor } from '../../core/tensor.ts';
import { type GraphFacts, readersOf, type StorageKey } from '../graph/facts.ts';
import { rootOf } from '../graph/views.ts';
import type { Cluster, ClusterShape, Roles } from './cluster.ts';
import { rootsRead } from './fused-graph.ts';

export class ClusterGraph {
  readonly clusters = new Set<Cluster>();
  readonly clusterOf = new Map<Tensor, Cluster>();
  /** What has been found of clusters, which never change; a network of 150 layers asks thousands of times. */
  private readonly knownRoots = new WeakMap<Roles, ReadonlySet<Tensor>>();
  /** Positions of the first and the last node of a cluster in the graph. */
  private readonly spans = new WeakMap<Cluster, readonly [first: number, last: number]>();
  /** Of the clusters as they are now. */
  private readonly knownProducers = new Map<Cluster, ReadonlySet<Cluster>>();

  constructor(
    private readonly facts: GraphFacts,
    private readonly recomputed: ReadonlySet<Tensor>,
  ) {}

  add(cluster: Cluster): void {
    this.clusters.add(cluster);
    this.knownProducers.clear();
    for (const node of cluster.roles.keys()) this.clusterOf.set(node, cluster);
  }

  /** Puts one cluster in the place of two. */
  substitute(first: Cluster, second: Cluster, shape: ClusterShape): Cluster {
    const joined: Cluster = { ...shape, id: first.id };
    this.clusters.delete(first);
    this.clusters.delete(second);
    this.add(joined);
    return joined;
  }

  /** Nodes that something outside of their cluster needs. */
  materialized(): Set<Tensor> {
    const result = new Set<Tensor>();
    for (const { roles } of this.clusters) {
      for (const node of roles.keys()) if (this.leaves(node, roles)) result.add(node);
    }
    return result;
  }

  /** Roots outside of `roles` that its nodes read. */
  roots(roles: Roles): ReadonlySet<Tensor> {
    let roots = this.knownRoots.get(roles);
    if (roots === undefined) {
      roots = rootsRead(roles, this.recomputed);
      this.knownRoots.set(roles, roots);
    }
    return roots;
  }

  /** Clusters that `cluster` reads from. */
  producers(cluster: Cluster): ReadonlySet<Cluster> {
    const known = this.knownProducers.get(cluster);
    if (known !== undefined) return known;
    const result = new Set<Cluster>();
    const add = (root: Tensor) => {
      const producer = this.clusterOf.get(root);
      if (producer !== undefined) result.add(producer);
      else if (root.op?.lower.kind === 'concat') for (const part of root.inputs) add(rootOf(part));
    };
    for (const root of this.roots(cluster.roles)) add(root);
    this.knownProducers.set(cluster, result);
    return result;
  }

  /** True when a path leads from `from` to `to` through a third cluster, or from `to` back to `from`. */
  reaches(from: Cluster, to: Cluster): boolean {
    return this.leads(from, to, true) || this.leads(to, from, false);
  }

  /**
   * True when `consumer` reads a concatenation that `producer` fills in part: the whole is there only after that
   * kernel.
   */
  readsWholeOf(producer: Cluster, consumer: Cluster): boolean {
    const holds = (root: Tensor): boolean =>
      producer.roles.has(root) || (root.op?.lower.kind === 'concat' && root.inputs.some((part) => holds(rootOf(part))));
    for (const root of this.roots(consumer.roles)) {
      if (root.op?.lower.kind === 'concat' && holds(root)) return true;
    }
    return false;
  }

  /** Storage buffers that a kernel over `roles` binds at most. */
  bindings(roles: Roles, storage: (root: Tensor) => StorageKey): number {
    const keys = new Set<StorageKey>();
    for (const root of this.roots(roles)) keys.add(storage(root));
    for (const node of roles.keys()) if (this.leaves(node, roles)) keys.add(storage(node));
    return keys.size;
  }

  /** True when `node` is needed outside of the cluster of `roles`. */
  private leaves(node: Tensor, roles: Roles): boolean {
    if (this.facts.pinned.has(node)) return true;
    for (const reader of this.actualReaders(node)) if (!roles.has(reader)) return true;
    return false;
  }

  /** Clustered nodes that read `node`, directly or through recomputed nodes. */
  private *actualReaders(node: Tensor): Iterable<Tensor> {
    for (const reader of readersOf(this.facts, node)) {
      if (this.recomputed.has(reader)) yield* this.actualReaders(reader);
      else yield reader;
    }
  }

  /** True when `to` depends on `from`. @param around does not count what `to` itself reads of `from`. */
  private leads(from: Cluster, to: Cluster, around: boolean): boolean {
    const [first] = this.spanOf(from);
    const seen = new Set<Cluster>();
    const stack = [to];
    for (let cluster = stack.pop(); cluster !== undefined; cluster = stack.pop()) {
      for (const producer of this.producers(cluster)) {
        if (producer === from) {
          if (around && cluster === to) continue;
          return true;
        }
        // What ends before `from` begins does not depend on it.
        if (seen.has(producer) || this.spanOf(producer)[1] < first) continue;
        seen.add(producer);
        stack.push(producer);
      }
    }
    return false;
  }

  private spanOf(cluster: Cluster): readonly [first: number, last: number] {
    let span = this.spans.get(cluster);
    if (span === undefined) {
      const positions = [...cluster.roles.keys()].map((node) => this.facts.position.get(node) ?? 0);
      span = [Math.min(...positions), Math.max(...positions)];
      this.spans.set(cluster, span);
    }
    return span;
  }
}
