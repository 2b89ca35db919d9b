/**
 * Fusion: which nodes share a kernel. Greedy in topological order: every node starts alone and joins the clusters that
 * feed it wherever the joint kernel can be written, no cycle between kernels arises and the bindings suffice.
 *
 * What may join (see `joinClusters`): elementwise chains of one size · elementwise after a reduction or a contraction
 * (epilogue) · elementwise before a reduction (prologue) · reductions over the same rows, one after another (softmax,
 * its loss and gradient in one kernel) · reductions side by side over the same elements · cheap index arithmetic into
 * its only reader · column sums into the contraction that reads the same operand.
 *
 * No op is named here: everything follows from `lower.kind` and traits.
 */

import type { Graph } from '../../core/graph.ts';
import type { Tensor } from '../../core/tensor.ts';
import { sameShape } from '../../util/shape.ts';
import { type GraphFacts, graphFacts, readersOf, type StorageKey, storageKeys } from '../graph/facts.ts';
import { rootOf } from '../graph/views.ts';
import { type Cluster, type ClusterShape, clusterName, type Roles, singleCluster } from './cluster.ts';
import { ClusterGraph } from './cluster-graph.ts';
import type { FusedGraph } from './fused-graph.ts';
import { joinClusters } from './join.ts';
import { recomputable } from './recompute.ts';

export interface FuseOptions {
  /** Storage buffers one kernel may bind. */
  readonly maxStorageBuffers: number;
  /** False leaves every node alone (`NOFUSE`). */
  readonly enabled: boolean;
  /** False counts old and new value of an update as two buffers; left out, they are one. */
  readonly inPlace?: boolean;
}

/**
 * Most nodes of one kernel, so that a chain of thousands is many kernels of a size that drivers compile in good time.
 */
const MOST_NODES = 128;

export function fuse(graph: Graph, options: FuseOptions): FusedGraph {
  return new Fuser(graphFacts(graph), options).run();
}

class Fuser {
  private readonly recomputed: ReadonlySet<Tensor>;
  private readonly known: ClusterGraph;
  private readonly storage: (root: Tensor) => StorageKey;
  private readonly refusals: (readonly [producer: Cluster, consumer: Cluster, why: string])[] = [];

  constructor(
    private readonly facts: GraphFacts,
    private readonly options: FuseOptions,
  ) {
    const { updates } = facts.graph;
    const pairs = updates.map(({ target, value }) => [rootOf(value), target] as const);
    this.storage = storageKeys(facts, new Map(options.inPlace === false ? [] : pairs));
    this.recomputed = options.enabled ? recomputable(facts) : new Set();
    this.known = new ClusterGraph(facts, this.recomputed);
  }

  run(): FusedGraph {
    const { facts, known, recomputed } = this;
    const sumPartner = this.options.enabled ? this.pairSumsWithContractions() : new Map<Tensor, Tensor>();
    let id = 0;
    for (const node of facts.graph.nodes) {
      const kind = node.op?.lower.kind;
      if (kind === 'view' || kind === 'concat' || recomputed.has(node)) continue;
      const cluster = singleCluster(id++, node);
      known.add(cluster);
      if (!this.options.enabled) continue;
      const partner = sumPartner.get(node);
      if (partner !== undefined && this.joinSum(cluster, node, partner)) continue;
      // A sum must not join anything else before its contraction has come.
      if (partner === undefined || cluster.kind === 'contract' || known.clusterOf.has(partner)) this.grow(cluster);
    }
    return {
      ...{ graph: facts.graph, facts, recomputed },
      clusters: [...known.clusters],
      clusterOf: known.clusterOf,
      materialized: known.materialized(),
      reasons: () => this.explain(),
    };
  }

  /** Joins `cluster` with clusters that feed it, then with siblings, until nothing changes. */
  private grow(start: Cluster): void {
    let cluster = start;
    for (let changed = true; changed; ) {
      changed = false;
      for (const other of [...this.known.producers(cluster), ...this.siblings(cluster)]) {
        const joined = this.tryJoin(other, cluster);
        if (joined === null) continue;
        cluster = joined;
        changed = true;
        break;
      }
    }
  }

  private tryJoin(producer: Cluster, consumer: Cluster): Cluster | null {
    const result = this.jointShape(producer, consumer);
    if (typeof result !== 'string') return this.known.substitute(producer, consumer, result);
    this.refuse(producer, consumer, result);
    return null;
  }

  /** What both would be as one kernel, or why they cannot be. */
  private jointShape(producer: Cluster, consumer: Cluster): ClusterShape | string {
    const { facts, known, recomputed } = this;
    const nodes = producer.roles.size + consumer.roles.size;
    if (nodes > MOST_NODES) return `${nodes} nodes, ${MOST_NODES} allowed`;
    const result = joinClusters(producer, consumer, { facts, recomputed });
    if (typeof result === 'string') return result;
    if (known.readsWholeOf(producer, consumer)) return 'read after other kernels fill it';
    if (known.reaches(producer, consumer)) return 'a third kernel is between them';
    return this.tooMany(result.roles) ?? result;
  }

  /** Why one kernel over `roles` cannot bind all that it needs, if it cannot. */
  private tooMany(roles: Roles): string | undefined {
    const buffers = this.known.bindings(roles, this.storage);
    const most = this.options.maxStorageBuffers;
    return buffers > most ? `${buffers} storage buffers, ${most} allowed` : undefined;
  }

  private refuse(producer: Cluster, consumer: Cluster, why: string): void {
    this.refusals.push([producer, consumer, why]);
  }

  /** Why joins were refused on the way, and why every kernel and each that feeds it are two in the end. */
  private explain(): string[] {
    if (!this.options.enabled) return [];
    for (const consumer of this.known.clusters) {
      for (const producer of this.known.producers(consumer)) {
        const result = this.jointShape(producer, consumer);
        const why = typeof result === 'string' ? result : 'apart when they met, and not tried again';
        this.refuse(producer, consumer, why);
      }
    }
    const sentences = this.refusals.map(([one, other, why]) => `${clusterName(one)} | ${clusterName(other)}: ${why}`);
    return [...new Set(sentences)];
  }

  /** Sums over exactly what a contraction sums operand B over, by either node. */
  private pairSumsWithContractions(): Map<Tensor, Tensor> {
    const partner = new Map<Tensor, Tensor>();
    for (const node of this.facts.graph.nodes) {
      const lower = node.op?.lower;
      if (lower?.kind !== 'contract') continue;
      const { b, summedAxesOfB, batch } = lower.contraction(node.inputs, node, node.attrs);
      if (summedAxesOfB === undefined || batch !== 1) continue;
      const operand = node.inputs[b];
      for (const reader of readersOf(this.facts, rootOf(operand))) {
        const reduction = reader.op?.lower;
        if (reduction?.kind !== 'reduce' || reduction.algebra !== 'sum' || partner.has(reader)) continue;
        if (rootOf(reader.inputs[0]) !== rootOf(operand) || !sameShape(reader.inputs[0].shape, operand.shape)) continue;
        if (reduction.axes(reader.inputs[0], reader.attrs).join() !== summedAxesOfB.join()) continue;
        partner.set(reader, node);
        partner.set(node, reader);
        break;
      }
    }
    return partner;
  }

  /** Joins a sum and its contraction when the second of the two arrives; false when they must stay apart. */
  private joinSum(cluster: Cluster, node: Tensor, partner: Tensor): boolean {
    const other = this.known.clusterOf.get(partner);
    if (other === undefined) return false;
    const [contract, sum, sumNode] = cluster.kind === 'contract' ? [cluster, other, partner] : [other, cluster, node];
    if (sum.roles.size > 1 || contract.kind !== 'contract') return false;
    const roles = new Map(contract.roles).set(sumNode, 'sum' as const);
    const between = this.known.reaches(contract, sum) || this.known.reaches(sum, contract);
    const why = between ? 'a third kernel is between them' : this.tooMany(roles);
    if (why !== undefined) {
      this.refuse(contract, sum, why);
      return false;
    }
    this.known.substitute(contract, sum, { ...contract, roles });
    return true;
  }

  /**
   * Other reductions of the same elements that share a source with `cluster`; and maps that read what is overwritten,
   * which can only happen in place when all of them have read it.
   */
  private siblings(cluster: Cluster): Cluster[] {
    if (cluster.kind === 'map') return this.mapSiblings(cluster);
    if (cluster.kind !== 'reduce') return [];
    const roots = this.known.roots(cluster.roles);
    const producers = this.known.producers(cluster);
    return [...this.known.clusters].filter((other) => {
      if (other === cluster || other.kind !== 'reduce' || producers.has(other)) return false;
      for (const root of this.known.roots(other.roles))
        if (roots.has(root) && !this.facts.scalars.has(root)) return true;
      for (const producer of this.known.producers(other)) if (producers.has(producer)) return true;
      return false;
    });
  }

  private mapSiblings(cluster: Cluster): Cluster[] {
    const overwritten = [...this.known.roots(cluster.roles)].filter(
      (root) => this.facts.targets.has(root) && root.size === cluster.points,
    );
    if (overwritten.length === 0) return [];
    const producers = this.known.producers(cluster);
    return [...this.known.clusters].filter((other) => {
      if (other === cluster || other.kind !== 'map' || other.points !== cluster.points) return false;
      if (producers.has(other) || this.known.producers(other).has(cluster)) return false;
      const roots = this.known.roots(other.roles);
      return overwritten.some((root) => roots.has(root));
    });
  }
}
