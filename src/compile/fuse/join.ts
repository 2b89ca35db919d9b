/**
 * The rules of fusion, one function a pair of cluster kinds: given a cluster and another that may read it, the roles of
 * the joint cluster, or a sentence that says why there is none. Cycles and binding counts are the caller's business.
 */

import type { Tensor } from '../../core/tensor.ts';
import { type GraphFacts, readersOf } from '../graph/facts.ts';
import { broadcastMap, isIdentity, reducesRows, reductionAxes, sameMap } from '../graph/index-map.ts';
import { resolve } from '../graph/views.ts';
import { type Cluster, type ClusterShape, isExpensive, type ReductionSpace, type Role } from './cluster.ts';

export interface JoinContext {
  readonly facts: GraphFacts;
  /** Nodes that every reader computes for itself. */
  readonly recomputed: ReadonlySet<Tensor>;
}

/** Longest row that one invocation reductions several times. */
export const ROW_LIMIT = 1024;
/** Most nodes that are recomputed inside a reader that asks at other indices. */
const FUNCTION_WEIGHT = 8;
/** How many times over a value may be recomputed by such a reader. */
const FUNCTION_FACTOR = 8;

export function joinClusters(producer: Cluster, consumer: Cluster, context: JoinContext): ClusterShape | string {
  if (producer.kind === 'hand' || consumer.kind === 'hand') return 'a hand-written kernel takes nothing in';
  if (consumer.kind === 'map') {
    if (producer.kind !== 'reduce' && waitsForReduction(producer, consumer, context)) {
      return 'cheaper before the reduction that reads it';
    }
    if (producer.kind === 'map') return joinMaps(producer, consumer, context);
    if (producer.kind === 'contract') return joinEpilogue(producer, consumer, context);
    const epilogue = joinEpilogue(producer, consumer, context);
    return typeof epilogue === 'string' ? joinRows(producer, consumer, context) : epilogue;
  }
  if (consumer.kind === 'reduce') {
    if (producer.kind === 'map') return joinPrologue(producer, consumer, context);
    if (producer.kind === 'reduce') return joinReductions(producer, consumer, context);
  }
  return `a ${consumer.kind} does not take in a ${producer.kind}`;
}

/**
 * True when a map is read by reductions alone, which can compute it while they walk, and what it reads of the producer
 * is stored in memory in any case: after the producer its result would have to be stored too.
 */
function waitsForReduction(producer: Cluster, consumer: Cluster, context: JoinContext): boolean {
  const takesIn = (reader: Tensor): boolean => {
    const lower = reader.op?.lower;
    if (lower?.kind !== 'reduce') return false;
    const [input] = reader.inputs;
    const map = reductionAxes(input.shape, lower.axes(input, reader.attrs));
    // Short rows are another matter: there, a map and the reduction before it become one kernel.
    return !(reducesRows(map) && map.reduction <= ROW_LIMIT);
  };
  let read = false;
  for (const node of consumer.roles.keys()) {
    if (context.facts.pinned.has(node) || isExpensive(node)) return false;
    for (const reader of readersOf(context.facts, node)) {
      if (consumer.roles.has(reader)) continue;
      if (!takesIn(reader)) return false;
      read = true;
    }
  }
  const stored = (root: Tensor): boolean =>
    context.facts.pinned.has(root) ||
    [...readersOf(context.facts, root)].some((reader) => !producer.roles.has(reader) && !consumer.roles.has(reader));
  return read && edges(producer, consumer, context).every(({ root }) => stored(root));
}

/** A read of one of the producer's nodes. */
interface Edge {
  /** The node of the consumer that reads. */
  readonly reader: Tensor;
  readonly root: Tensor;
  /** What the reader reads, a view of the root; null when it reads through a recomputed node. */
  readonly input: Tensor | null;
  /** True when the reader is elementwise and reads the whole root at its own index. */
  readonly sameIndex: boolean;
}

/** Reads of the consumer's nodes from the producer's, recomputed nodes looked through. */
function edges(producer: Cluster, consumer: Cluster, { recomputed }: JoinContext): Edge[] {
  const found: Edge[] = [];
  const visit = (reader: Tensor, node: Tensor, along: boolean) => {
    for (const input of node.inputs) {
      const { root, offset } = resolve(input);
      const whole = offset === 0 && root.size === input.size;
      const sameIndex =
        along && whole && node.op?.lower.kind === 'map' && isIdentity(broadcastMap(input.shape, node.shape));
      if (producer.roles.has(root)) found.push({ reader, root, input: node === reader ? input : null, sameIndex });
      else if (recomputed.has(root)) visit(reader, root, sameIndex);
    }
  };
  for (const reader of consumer.roles.keys()) visit(reader, reader, true);
  return found;
}

const merged = (a: Cluster, b: Cluster): Map<Tensor, Role> => new Map([...a.roles, ...b.roles]);

function joinMaps(producer: Cluster, consumer: Cluster, context: JoinContext): ClusterShape | string {
  const reads = edges(producer, consumer, context);
  const pointwise = (edge: Edge) =>
    producer.roles.get(edge.root) === 'point' && consumer.roles.get(edge.reader) === 'point' && edge.sameIndex;
  if (producer.points === consumer.points && reads.every(pointwise)) {
    return { ...producer, roles: merged(producer, consumer) };
  }
  return joinAsFunctions(producer, consumer, reads, context);
}

/** The producer's nodes become functions that the consumer calls at the indices it needs. */
function joinAsFunctions(
  producer: Cluster,
  consumer: Cluster,
  reads: readonly Edge[],
  context: JoinContext,
): ClusterShape | string {
  if (reads.length !== 1) return 'read at other indices in several places';
  for (const node of producer.roles.keys()) {
    if (isExpensive(node)) return 'read at other indices and expensive to recompute';
    if (context.facts.pinned.has(node)) return 'read at other indices and needed in memory';
    for (const reader of readersOf(context.facts, node)) {
      if (!producer.roles.has(reader) && !consumer.roles.has(reader)) return 'read at other indices and elsewhere';
    }
  }
  if (isExpensive(reads[0].reader)) return 'its reader takes each element several times';
  if (producer.roles.size > FUNCTION_WEIGHT) return 'read at other indices and long';
  if (reads[0].reader.size > FUNCTION_FACTOR * producer.points) return 'recomputing it for every reader is too much';
  const roles = new Map<Tensor, Role>([...producer.roles.keys()].map((node) => [node, 'function']));
  for (const [node, role] of consumer.roles) roles.set(node, role);
  return { ...consumer, roles };
}

/** Elementwise nodes after a reduction or a contraction, at its output index. */
function joinEpilogue(producer: Cluster, consumer: Cluster, context: JoinContext): ClusterShape | string {
  if (producer.points !== consumer.points) return 'another count of elements';
  for (const edge of edges(producer, consumer, context)) {
    const role = producer.roles.get(edge.root);
    if (role !== 'reduction' && role !== 'point') return 'it reads an intermediate value';
    if (consumer.roles.get(edge.reader) !== 'point' || !edge.sameIndex) return 'read at other indices';
  }
  for (const node of consumer.roles.keys()) if (isExpensive(node)) return 'too long for an epilogue';
  return { ...producer, roles: merged(producer, consumer) };
}

/** Elementwise nodes over the elements of rows whose reductions they use: softmax after its sums. */
function joinRows(producer: Cluster, consumer: Cluster, context: JoinContext): ClusterShape | string {
  const { space } = producer;
  if (space === null || consumer.points !== space.outer * space.reduction) return 'another count of elements';
  if (!reducesRows(space)) return 'the reduction does not run along rows';
  if (space.reduction > ROW_LIMIT) return `rows of ${space.reduction} are reduced once only`;
  const reads = edges(producer, consumer, context);
  const reason = rowEdges(reads, producer, consumer, space, 'inner');
  if (reason !== null) return reason;
  const roles = new Map(producer.roles);
  for (const [node, role] of consumer.roles) {
    if (isExpensive(node)) return 'too long to be repeated';
    roles.set(node, role === 'point' ? 'inner' : role);
  }
  return { ...producer, roles };
}

/**
 * null when every read of the consumer fits the producer's rows, else why not. `pointsBecome` says where the consumer's
 * 'point' nodes will stand in the joint kernel: at each element of a row, or once a row.
 */
function rowEdges(
  reads: readonly Edge[],
  producer: Cluster,
  consumer: Cluster,
  space: ReductionSpace,
  pointsBecome: 'inner' | 'point',
): string | null {
  const elsewhere = 'read at other indices';
  for (const edge of reads) {
    const from = producer.roles.get(edge.root);
    const role = consumer.roles.get(edge.reader);
    const to = role === 'point' ? pointsBecome : role;
    if (from === 'inner') {
      const fits = to === 'reduction' ? readsWhole(edge) : to === 'inner' && edge.sameIndex;
      if (!fits) return elsewhere;
    } else if (from === 'reduction' || from === 'point') {
      if (to === 'point' ? !edge.sameIndex : to !== 'inner' || !readsAlongRows(edge, space)) return elsewhere;
    } else {
      return elsewhere;
    }
  }
  return null;
}

/** True when a map node reads one value a row: the broadcast is the reduction's own map. */
function readsAlongRows(edge: Edge, space: ReductionSpace): boolean {
  if (edge.reader.op?.lower.kind !== 'map' || edge.input === null || !readsWhole(edge)) return false;
  return sameMap(broadcastMap(edge.input.shape, edge.reader.shape), space.toOuter);
}

function readsWhole({ input, root }: Edge): boolean {
  return input?.size === root.size;
}

/** Elementwise nodes before a reduction. */
function joinPrologue(producer: Cluster, consumer: Cluster, context: JoinContext): ClusterShape | string {
  const { space } = consumer;
  if (space === null) return 'no reduction';
  if (producer.points !== space.outer * space.reduction) return joinRowValues(producer, consumer, space, context);
  const rows = reducesRows(space) && space.reduction <= ROW_LIMIT;
  for (const edge of edges(producer, consumer, context)) {
    const readerRole = consumer.roles.get(edge.reader);
    const fits = readerRole === 'reduction' ? readsWhole(edge) : readerRole === 'inner' && edge.sameIndex;
    if (!fits || producer.roles.get(edge.root) !== 'point') return 'read at other indices';
  }
  for (const node of producer.roles.keys()) {
    if (isExpensive(node)) return 'expensive to recompute in each reduction';
    const elsewhere = [...readersOf(context.facts, node)].some((r) => !producer.roles.has(r) && !consumer.roles.has(r));
    if ((elsewhere || context.facts.pinned.has(node)) && !rows) return 'needed in memory by others';
  }
  const roles = new Map<Tensor, Role>();
  for (const [node, role] of producer.roles) roles.set(node, role === 'point' ? 'inner' : role);
  for (const [node, role] of consumer.roles) roles.set(node, role);
  return { ...consumer, roles };
}

/** Elementwise nodes with one value a row, such as labels, before the reductions that read them. */
function joinRowValues(
  producer: Cluster,
  consumer: Cluster,
  space: ReductionSpace,
  context: JoinContext,
): ClusterShape | string {
  if (producer.points !== space.outer) return 'another count of elements';
  for (const edge of edges(producer, consumer, context)) {
    const to = consumer.roles.get(edge.reader);
    const fits = to === 'point' ? edge.sameIndex : to === 'inner' && readsAlongRows(edge, space);
    if (!fits || producer.roles.get(edge.root) !== 'point') return 'read at other indices';
  }
  for (const node of producer.roles.keys()) if (isExpensive(node)) return 'too long for a prologue';
  return { ...consumer, roles: merged(producer, consumer) };
}

/** Reductions over the same elements: side by side, or one after another over short rows. */
function joinReductions(producer: Cluster, consumer: Cluster, context: JoinContext): ClusterShape | string {
  const [a, b] = [producer.space, consumer.space];
  if (
    a === null ||
    b === null ||
    a.outer !== b.outer ||
    a.reduction !== b.reduction ||
    !sameMap(a.toOuter, b.toOuter)
  ) {
    return 'reductions over other elements';
  }
  const reads = edges(producer, consumer, context);
  if (reads.length > 0) {
    if (!reducesRows(a)) return 'the reduction does not run along rows';
    if (a.reduction > ROW_LIMIT) return `rows of ${a.reduction} are reduced once only`;
    const reason = rowEdges(reads, producer, consumer, a, 'point');
    if (reason !== null) return reason;
  }
  return { ...producer, roles: merged(producer, consumer) };
}
