/**
 * GraphFacts: what passes ask of a simplified graph, worked out once: who reads a value, what is part of a larger
 * buffer, what must be in memory. With `storageKeys`, also which values share storage.
 */

import type { Graph } from '../../core/graph.ts';
import type { Tensor } from '../../core/tensor.ts';
import { rootOf } from './views.ts';

/** A value that is written in place into a concatenation (`lower.kind` `concat`). */
export interface Part {
  readonly whole: Tensor;
  /** Elements from the start of the whole. */
  readonly offset: number;
}

export interface GraphFacts {
  readonly graph: Graph;
  /** Index of each node in the graph. */
  readonly position: ReadonlyMap<Tensor, number>;
  /** Nodes that read each root, views looked through: computing nodes and concatenations. */
  readonly readers: ReadonlyMap<Tensor, ReadonlySet<Tensor>>;
  /** Roots that are parts of a concatenation. */
  readonly parts: ReadonlyMap<Tensor, Part>;
  /** Roots that must be in memory whatever the kernels are: outputs, updates and parts. */
  readonly pinned: ReadonlySet<Tensor>;
  /** Inputs that are slots of the scalar block. */
  readonly scalars: ReadonlySet<Tensor>;
  /** Bound inputs that an update overwrites. */
  readonly targets: ReadonlySet<Tensor>;
}

export function graphFacts(graph: Graph): GraphFacts {
  const position = new Map<Tensor, number>();
  const readers = new Map<Tensor, Set<Tensor>>();
  const parts = new Map<Tensor, Part>();
  const pinned = new Set<Tensor>();
  for (const { tensor } of graph.outputs) pinned.add(rootOf(tensor));
  for (const { value } of graph.updates) pinned.add(rootOf(value));
  for (const node of graph.nodes) {
    position.set(node, position.size);
    const lower = node.op?.lower;
    if (lower?.kind === 'view') continue;
    const offsets = lower?.kind === 'concat' ? lower.offsets(node.inputs, node.attrs) : undefined;
    node.inputs.forEach((input, k) => {
      const root = rootOf(input);
      if (offsets !== undefined) {
        pinned.add(root);
        parts.set(root, { whole: node, offset: offsets[k] });
      }
      const known = readers.get(root);
      if (known === undefined) readers.set(root, new Set([node]));
      else known.add(node);
    });
  }
  const scalars = new Set(graph.inputs.flatMap(({ kind, tensor }) => (kind === 'scalar' ? [tensor] : [])));
  const targets = new Set(graph.updates.map(({ target }) => target));
  return { graph, position, readers, parts, pinned, scalars, targets };
}

const NOBODY: ReadonlySet<Tensor> = new Set();

/** Nodes that read `root`. */
export function readersOf({ readers }: GraphFacts, root: Tensor): ReadonlySet<Tensor> {
  return readers.get(root) ?? NOBODY;
}

/** The root whose buffer holds `root`: itself, or the outermost concatenation that it is a part of. */
export function outermostOf({ parts }: GraphFacts, root: Tensor): Tensor {
  let whole = root;
  for (let part = parts.get(whole); part !== undefined; part = parts.get(whole)) whole = part.whole;
  return whole;
}

/** Equal for two roots that one binding serves. */
export type StorageKey = Tensor | 'scalars';

/**
 * Which buffer a value in memory will have, before there are buffers: what bindings are counted by. Scalars share one
 * block, parts share their concatenation's buffer, the new value of an update in place shares its target's.
 * @param inPlace the targets of updates, by the root of the new value.
 */
export function storageKeys(facts: GraphFacts, inPlace: ReadonlyMap<Tensor, Tensor>): (root: Tensor) => StorageKey {
  const keyOf = (root: Tensor): StorageKey => {
    if (facts.scalars.has(root)) return 'scalars';
    const part = facts.parts.get(root);
    return inPlace.get(root) ?? (part === undefined ? root : keyOf(part.whole));
  };
  return keyOf;
}
