/**
 * Schedule: the order of the kernels, and which updates may overwrite their target in place.
 *
 * An update is in place when its kernel reads the old value only at the index it writes, and every other reader of the
 * old value can run before. Otherwise the new value is stored in a temporary and is copied at the very end.
 */

import type { GraphUpdate } from '../../core/graph.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Cluster } from '../fuse/cluster.ts';
import { type FusedGraph, readBy } from '../fuse/fused-graph.ts';
import { broadcastMap, isIdentity } from '../graph/index-map.ts';
import { resolve, rootOf } from '../graph/views.ts';

export interface Schedule {
  readonly order: readonly Cluster[];
  /** Roots of updated values that lie in the target's buffer. */
  readonly inPlace: ReadonlyMap<Tensor, Tensor>;
  /** Updates that need a copy after everything else. */
  readonly copied: readonly GraphUpdate[];
  /** What must have run before each kernel: those that feed it, and those that read what it overwrites. */
  readonly before: ReadonlyMap<Cluster, ReadonlySet<Cluster>>;
}

export function schedule(fused: FusedGraph): Schedule {
  const reads = new Map(fused.clusters.map((cluster) => [cluster, readBy(cluster, fused)]));
  const before = new Map(fused.clusters.map((cluster) => [cluster, new Set<Cluster>()]));
  const addProducer = (cluster: Cluster, root: Tensor) => {
    const producer = fused.clusterOf.get(root);
    if (producer !== undefined) before.get(cluster)?.add(producer);
    else if (root.op?.lower.kind === 'concat') for (const part of root.inputs) addProducer(cluster, rootOf(part));
  };
  for (const [cluster, roots] of reads) for (const root of roots) addProducer(cluster, root);

  const inPlace = new Map<Tensor, Tensor>();
  const copied: GraphUpdate[] = [];
  for (const update of fused.graph.updates) {
    const root = rootOf(update.value);
    const writer = fused.clusterOf.get(root) as Cluster;
    const others = fused.clusters.filter((cluster) => cluster !== writer && reads.get(cluster)?.has(update.target));
    const safe = readsAtWrittenIndex(writer, update.target, root, fused);
    if (!safe || others.some((other) => comesBefore(writer, other, before))) {
      copied.push(update);
      continue;
    }
    for (const other of others) before.get(writer)?.add(other);
    inPlace.set(root, update.target);
  }
  return { order: inOrder(fused.clusters, before), inPlace, copied, before };
}

/** True when `first` must run before `second`. */
function comesBefore(first: Cluster, second: Cluster, before: ReadonlyMap<Cluster, ReadonlySet<Cluster>>): boolean {
  const seen = new Set<Cluster>();
  const stack = [second];
  for (let cluster = stack.pop(); cluster !== undefined; cluster = stack.pop()) {
    for (const earlier of before.get(cluster) ?? []) {
      if (earlier === first) return true;
      if (!seen.has(earlier)) stack.push(earlier);
      seen.add(earlier);
    }
  }
  return false;
}

/** True when the kernel of `writer` reads `target` nowhere but at the index where it writes `value`. */
function readsAtWrittenIndex(writer: Cluster, target: Tensor, value: Tensor, fused: FusedGraph): boolean {
  const role = writer.roles.get(value);
  if (role !== 'point' && role !== 'reduction') return false;
  const check = (node: Tensor, nodeRole: string): boolean =>
    node.inputs.every((input) => {
      const { root, offset } = resolve(input);
      if (fused.recomputed.has(root)) return check(root, 'function');
      if (root !== target) return true;
      const pointwise = node.op?.lower.kind === 'map' && isIdentity(broadcastMap(input.shape, node.shape));
      return nodeRole === 'point' && pointwise && offset === 0 && input.size === target.size;
    });
  return [...writer.roles].every(([node, nodeRole]) => check(node, nodeRole));
}

/** Topological order that keeps the clusters' own order where it can: independent neighbours stay neighbours. */
function inOrder(clusters: readonly Cluster[], before: ReadonlyMap<Cluster, ReadonlySet<Cluster>>): Cluster[] {
  const position = new Map(clusters.map((cluster, k) => [cluster, k]));
  const byPosition = (a: Cluster, b: Cluster) => (position.get(a) ?? 0) - (position.get(b) ?? 0);
  const order: Cluster[] = [];
  const seen = new Set<Cluster>();
  // An explicit stack: a chain of thousands of kernels would overflow the call stack.
  const stack: { readonly cluster: Cluster; readonly earlier: readonly Cluster[]; next: number }[] = [];
  const enter = (cluster: Cluster) => {
    if (seen.has(cluster)) return;
    seen.add(cluster);
    stack.push({ cluster, earlier: [...(before.get(cluster) ?? [])].sort(byPosition), next: 0 });
  };
  for (const each of clusters) {
    enter(each);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.next < top.earlier.length) enter(top.earlier[top.next++]);
      else {
        order.push(top.cluster);
        stack.pop();
      }
    }
  }
  return order;
}
