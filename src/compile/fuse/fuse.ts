/**
 * Fusion: which nodes share a kernel. Greedy in topological order: every node starts alone and joins the clusters that
 * feed it wherever the joint kernel can be written, no cycle between kernels arises and the bindings suffice.
 *
 * What may join (see `joinRoles`): elementwise chains of one size · elementwise after a fold or a contraction (epilogue)
 * · elementwise before a fold (prologue) · folds over the same rows, one after another (softmax, its loss and gradient
 * in one kernel) · folds side by side over the same elements · cheap index arithmetic into its only reader · column
 * sums into the contraction that reads the same operand.
 *
 * No op is named here: everything follows from `lower.kind` and traits.
 */

import type { Graph } from '../../core/graph.ts';
import type { Op } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { sameShape } from '../../util/shape.ts';
import { type StorageKey, storageKeys } from '../memory/storage.ts';
import { type Cluster, rootOf, singleCluster } from './cluster.ts';
import { joinRoles, type Roles } from './join.ts';
import { recomputable } from './recompute.ts';

export interface FuseOptions {
  /** Storage buffers one kernel may bind. */
  readonly maxStorageBuffers: number;
  /** False leaves every node alone (`NOFUSE`). */
  readonly enabled: boolean;
  /** False counts old and new value of an update as two buffers; left out, they are one. */
  readonly inPlace?: boolean;
}

export interface FusedGraph {
  readonly graph: Graph;
  readonly clusters: readonly Cluster[];
  readonly clusterOf: ReadonlyMap<Tensor, Cluster>;
  /** Nodes without memory or kernel: every reader computes them anew. */
  readonly recomputed: ReadonlySet<Tensor>;
  /** Nodes that must be written to memory: read by another cluster, an output, an update or a place. */
  readonly materialized: ReadonlySet<Tensor>;
  /** Why neighbours were not joined, for `DEBUG=3`. */
  readonly reasons: () => readonly string[];
}

/** Most nodes of one kernel, so that a chain of thousands is many kernels of a size that drivers compile in good time. */
const MOST_NODES = 128;

export function fuse(graph: Graph, options: FuseOptions): FusedGraph {
  return new Fuser(graph, options).run();
}

class Fuser {
  private readonly clusters = new Set<Cluster>();
  private readonly clusterOf = new Map<Tensor, Cluster>();
  private readonly recomputed: ReadonlySet<Tensor>;
  /** Readers of each root: computing nodes and places. */
  private readonly readers = new Map<Tensor, Set<Tensor>>();
  /** Roots that must lie in memory whatever the clusters are. */
  private readonly pinned = new Set<Tensor>();
  private readonly scalars: ReadonlySet<Tensor>;
  /** Bound inputs that an update overwrites. */
  private readonly targets: ReadonlySet<Tensor>;
  private readonly storage: (root: Tensor) => StorageKey;
  private readonly refusals: (readonly [producer: Cluster, consumer: Cluster, why: string])[] = [];
  /** What has been found of clusters, which never change; a network of 150 layers asks thousands of times. */
  private readonly knownRoots = new WeakMap<ReadonlyMap<Tensor, unknown>, ReadonlySet<Tensor>>();
  /** Place of each node in the graph; of a cluster, the first and the last of its nodes. */
  private readonly position = new Map<Tensor, number>();
  private readonly spans = new WeakMap<Cluster, readonly [first: number, last: number]>();
  /** Of the clusters as they are now: emptied when one comes or goes. */
  private readonly knownProducers = new Map<Cluster, ReadonlySet<Cluster>>();

  constructor(
    private readonly graph: Graph,
    private readonly options: FuseOptions,
  ) {
    for (const { tensor } of graph.outputs) this.pinned.add(rootOf(tensor));
    for (const { value } of graph.updates) this.pinned.add(rootOf(value));
    for (const node of graph.nodes) {
      this.position.set(node, this.position.size);
      if (node.op?.lower.kind === 'view') continue;
      for (const input of node.inputs) {
        const root = rootOf(input);
        if (node.op?.lower.kind === 'place') this.pinned.add(root);
        const readers = this.readers.get(root) ?? new Set();
        readers.add(node);
        this.readers.set(root, readers);
      }
    }
    this.scalars = new Set(graph.inputs.filter((input) => input.kind === 'scalar').map((input) => input.tensor));
    this.targets = new Set(graph.updates.map(({ target }) => target));
    const pairs = graph.updates.map(({ target, value }) => [rootOf(value), target] as const);
    this.storage = storageKeys(graph, new Map(options.inPlace === false ? [] : pairs));
    this.recomputed = options.enabled ? recomputable(graph, this.pinned) : new Set();
  }

  run(): FusedGraph {
    const sumPartner = this.options.enabled ? this.pairSumsWithContractions() : new Map<Tensor, Tensor>();
    let id = 0;
    for (const node of this.graph.nodes) {
      const kind = node.op?.lower.kind;
      if (kind === 'view' || kind === 'place' || this.recomputed.has(node)) continue;
      const cluster = singleCluster(id++, node);
      this.clusters.add(cluster);
      this.clusterOf.set(node, cluster);
      this.knownProducers.clear();
      if (!this.options.enabled) continue;
      const partner = sumPartner.get(node);
      if (partner !== undefined && this.joinSum(cluster, node, partner)) continue;
      // A sum must not join anything else before its contraction has come.
      if (partner === undefined || cluster.kind === 'contract' || this.clusterOf.has(partner)) this.grow(cluster);
    }
    const materialized = new Set<Tensor>();
    for (const cluster of this.clusters) {
      for (const node of cluster.roles.keys()) if (this.leaves(node, cluster)) materialized.add(node);
    }
    return {
      graph: this.graph,
      clusters: [...this.clusters],
      clusterOf: this.clusterOf,
      recomputed: this.recomputed,
      materialized,
      reasons: () => this.explain(),
    };
  }

  /** Joins `cluster` with clusters that feed it, then with siblings, until nothing changes. */
  private grow(start: Cluster): void {
    let cluster = start;
    for (let changed = true; changed; ) {
      changed = false;
      for (const other of [...this.producers(cluster), ...this.siblings(cluster)]) {
        const joined = this.tryJoin(other, cluster);
        if (joined === null) continue;
        cluster = joined;
        changed = true;
        break;
      }
    }
  }

  private tryJoin(producer: Cluster, consumer: Cluster): Cluster | null {
    const result = this.jointRoles(producer, consumer);
    if (typeof result !== 'string') return this.replace(producer, consumer, result);
    this.refuse(producer, consumer, result);
    return null;
  }

  /** What both would be as one kernel, or why they cannot be. */
  private jointRoles(producer: Cluster, consumer: Cluster): Roles | string {
    const nodes = producer.roles.size + consumer.roles.size;
    if (nodes > MOST_NODES) return `${nodes} nodes, ${MOST_NODES} allowed`;
    const result = joinRoles(producer, consumer, {
      readersOf: (node) => this.readers.get(node) ?? new Set(),
      pinned: this.pinned,
      recomputed: this.recomputed,
    });
    if (typeof result === 'string') return result;
    if (this.readsPlaceOf(producer, consumer)) return 'read after other kernels fill it';
    if (this.reaches(producer, consumer)) return 'a third kernel stands between them';
    return this.tooMany(result.roles) ?? result;
  }

  /** Why one kernel over `roles` cannot bind all that it needs, if it cannot. */
  private tooMany(roles: ReadonlyMap<Tensor, unknown>): string | undefined {
    const buffers = this.bindings(roles);
    const most = this.options.maxStorageBuffers;
    return buffers > most ? `${buffers} storage buffers, ${most} allowed` : undefined;
  }

  private refuse(producer: Cluster, consumer: Cluster, why: string): void {
    this.refusals.push([producer, consumer, why]);
  }

  /** Why joins were refused on the way, and why every kernel and each that feeds it are two in the end. */
  private explain(): string[] {
    if (!this.options.enabled) return [];
    for (const consumer of this.clusters) {
      for (const producer of this.producers(consumer)) {
        const result = this.jointRoles(producer, consumer);
        this.refuse(
          producer,
          consumer,
          typeof result === 'string' ? result : 'apart when they met, and not tried again',
        );
      }
    }
    const sentences = this.refusals.map(([one, other, why]) => `${clusterName(one)} | ${clusterName(other)}: ${why}`);
    return [...new Set(sentences)];
  }

  private replace(first: Cluster, second: Cluster, { kind, points, space, contraction, roles }: Roles): Cluster {
    const joined: Cluster = { id: first.id, kind, points, space, contraction, roles };
    this.clusters.delete(first);
    this.clusters.delete(second);
    this.clusters.add(joined);
    this.knownProducers.clear();
    for (const node of roles.keys()) this.clusterOf.set(node, joined);
    return joined;
  }

  /** Sums over exactly what a contraction sums operand B over, by either node. */
  private pairSumsWithContractions(): Map<Tensor, Tensor> {
    const partner = new Map<Tensor, Tensor>();
    for (const node of this.graph.nodes) {
      const lower = node.op?.lower;
      if (lower?.kind !== 'contract') continue;
      const { b, summedAxesOfB, batch } = lower.contraction(node.inputs, node, node.attrs);
      if (summedAxesOfB === undefined || batch !== 1) continue;
      const operand = node.inputs[b];
      for (const reader of this.readers.get(rootOf(operand)) ?? []) {
        const fold = reader.op?.lower;
        if (fold?.kind !== 'reduce' || fold.algebra !== 'sum' || partner.has(reader)) continue;
        if (rootOf(reader.inputs[0]) !== rootOf(operand) || !sameShape(reader.inputs[0].shape, operand.shape)) continue;
        if (fold.axes(reader.inputs[0], reader.attrs).join() !== summedAxesOfB.join()) continue;
        partner.set(reader, node);
        partner.set(node, reader);
        break;
      }
    }
    return partner;
  }

  /** Joins a sum and its contraction when the second of the two arrives; false when they must stay apart. */
  private joinSum(cluster: Cluster, node: Tensor, partner: Tensor): boolean {
    const other = this.clusterOf.get(partner);
    if (other === undefined) return false;
    const [contract, sum] = cluster.kind === 'contract' ? [cluster, other] : [other, cluster];
    const sumNode = cluster.kind === 'contract' ? partner : node;
    if (sum.roles.size > 1 || contract.kind !== 'contract') return false;
    const roles = new Map(contract.roles).set(sumNode, 'sum' as const);
    const between = this.reaches(contract, sum) || this.reaches(sum, contract);
    const why = between ? 'a third kernel stands between them' : this.tooMany(roles);
    if (why !== undefined) {
      this.refuse(contract, sum, why);
      return false;
    }
    this.replace(contract, sum, { ...contract, roles });
    return true;
  }

  /** True when `node` is needed outside of `cluster`. */
  private leaves(node: Tensor, cluster: Cluster): boolean {
    if (this.pinned.has(node)) return true;
    for (const reader of this.actualReaders(node)) if (this.clusterOf.get(reader) !== cluster) return true;
    return false;
  }

  /** Clustered nodes that read `node`, directly or through recomputed nodes. */
  private *actualReaders(node: Tensor): Iterable<Tensor> {
    for (const reader of this.readers.get(node) ?? []) {
      if (this.recomputed.has(reader)) yield* this.actualReaders(reader);
      else yield reader;
    }
  }

  /** Roots outside of `roles` that its nodes read, looking through recomputed nodes. */
  private externalRoots(roles: ReadonlyMap<Tensor, unknown>): ReadonlySet<Tensor> {
    const known = this.knownRoots.get(roles);
    if (known !== undefined) return known;
    const roots = new Set<Tensor>();
    const visit = (node: Tensor) => {
      for (const input of node.inputs) {
        const root = rootOf(input);
        if (roles.has(root)) continue;
        if (this.recomputed.has(root)) visit(root);
        else roots.add(root);
      }
    };
    for (const node of roles.keys()) visit(node);
    this.knownRoots.set(roles, roots);
    return roots;
  }

  private producers(cluster: Cluster): ReadonlySet<Cluster> {
    const known = this.knownProducers.get(cluster);
    if (known !== undefined) return known;
    const result = new Set<Cluster>();
    const add = (root: Tensor) => {
      const producer = this.clusterOf.get(root);
      if (producer !== undefined) result.add(producer);
      else if (root.op?.lower.kind === 'place') for (const part of root.inputs) add(rootOf(part));
    };
    for (const root of this.externalRoots(cluster.roles)) add(root);
    this.knownProducers.set(cluster, result);
    return result;
  }

  /**
   * Other folds over the same elements that share a source with `cluster`; and maps that read what is overwritten, which
   * can only happen in place when all of them have read it.
   */
  private siblings(cluster: Cluster): Cluster[] {
    if (cluster.kind === 'map') return this.mapSiblings(cluster);
    if (cluster.kind !== 'reduce') return [];
    const roots = this.externalRoots(cluster.roles);
    const producers = this.producers(cluster);
    return [...this.clusters].filter((other) => {
      if (other === cluster || other.kind !== 'reduce' || producers.has(other)) return false;
      for (const root of this.externalRoots(other.roles)) if (roots.has(root) && !this.scalars.has(root)) return true;
      for (const producer of this.producers(other)) if (producers.has(producer)) return true;
      return false;
    });
  }

  private mapSiblings(cluster: Cluster): Cluster[] {
    const overwritten = [...this.externalRoots(cluster.roles)].filter(
      (root) => this.targets.has(root) && root.size === cluster.points,
    );
    if (overwritten.length === 0) return [];
    const producers = this.producers(cluster);
    return [...this.clusters].filter((other) => {
      if (other === cluster || other.kind !== 'map' || other.points !== cluster.points) return false;
      if (producers.has(other) || this.producers(other).has(cluster)) return false;
      const roots = this.externalRoots(other.roles);
      return overwritten.some((root) => roots.has(root));
    });
  }

  /** True when a path leads from `from` to `to` through a third cluster, or from `to` back to `from`. */
  private reaches(from: Cluster, to: Cluster): boolean {
    return this.leads(from, to, true) || this.leads(to, from, false);
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
      const places = [...cluster.roles.keys()].map((node) => this.position.get(node) ?? 0);
      span = [Math.min(...places), Math.max(...places)];
      this.spans.set(cluster, span);
    }
    return span;
  }

  /** True when `consumer` reads a place that `producer` fills in part: the whole is there only after that kernel. */
  private readsPlaceOf(producer: Cluster, consumer: Cluster): boolean {
    const holds = (root: Tensor): boolean =>
      producer.roles.has(root) || (root.op?.lower.kind === 'place' && root.inputs.some((part) => holds(rootOf(part))));
    for (const root of this.externalRoots(consumer.roles)) {
      if (root.op?.lower.kind === 'place' && holds(root)) return true;
    }
    return false;
  }

  /** Storage buffers that a kernel over `roles` binds at most. */
  private bindings(roles: ReadonlyMap<Tensor, unknown>): number {
    const keys = new Set<StorageKey>();
    for (const root of this.externalRoots(roles)) keys.add(this.storage(root));
    for (const node of roles.keys()) {
      const outside = [...this.actualReaders(node)].some((reader) => !roles.has(reader));
      if (outside || this.pinned.has(node)) keys.add(this.storage(node));
    }
    return keys.size;
  }
}

/** `matmul+add+relu`. */
export function clusterName(cluster: Cluster): string {
  const names = [...cluster.roles.keys()].map((node) => (node.op as Op).name);
  return names.length > 6 ? `${names.slice(0, 5).join('+')}+${names.length - 5} more` : names.join('+');
}
