/**
 * PlanCache: plans of graphs that were evaluated before, found by the structure of the graph. The structure is a list
 * of words: dtypes and shapes of the inputs, then for each node its op, its inputs, its attributes and its label.
 *
 * Invariant: a plan is handed out for an equal structure only. The hash finds the entry and the words are compared, so
 * two graphs with one hash cost a compilation, never a wrong plan.
 */

import type { Plan } from '../compile/plan.ts';
import { DTYPES } from '../core/dtype.ts';
import type { Graph } from '../core/graph.ts';
import type { Op } from '../core/op.ts';
import type { Tensor } from '../core/tensor.ts';
import { invariant } from '../util/errors.ts';

interface Entry {
  readonly structure: readonly number[];
  readonly plan: Plan;
}

export class PlanCache {
  /** By the hash of the structure, the oldest first. */
  private readonly entries = new Map<number, Entry>();

  /** @param capacity plans that are kept; beyond, the oldest go. @param hash of a structure. */
  constructor(
    private readonly capacity: number,
    private readonly hash: (structure: readonly number[]) => number = hashOf,
  ) {}

  /** The plan of a graph like `graph`, made by `make` when there is none yet. */
  get(graph: Graph, make: () => Plan): Plan {
    const structure = structureOf(graph);
    const hash = this.hash(structure);
    const known = this.entries.get(hash);
    const { length } = structure;
    if (known?.structure.length === length && structure.every((word, k) => word === known.structure[k])) {
      return known.plan;
    }
    const plan = make();
    this.entries.delete(hash);
    if (this.entries.size >= this.capacity) this.entries.delete(this.entries.keys().next().value as number);
    this.entries.set(hash, { structure, plan });
    return plan;
  }
}

/** Ops are numbered as they are met: a structure holds within this process alone. */
const opNumbers = new WeakMap<Op, number>();
let opCount = 0;

/** What decides the plan of `graph`, whose inputs are all bound: equal words mean equal plans. */
export function structureOf({ inputs, nodes, outputs }: Graph): readonly number[] {
  const words = [inputs.length, nodes.length];
  const positions = new Map<Tensor, number>();
  for (const { kind, tensor } of inputs) {
    invariant(kind === 'bound', 'evaluate: an input is not bound');
    positions.set(tensor, positions.size);
    words.push(DTYPES.indexOf(tensor.dtype), tensor.rank, ...tensor.shape);
  }
  for (const node of nodes) {
    positions.set(node, positions.size);
    const op = node.op!;
    const number = opNumbers.get(op) ?? opCount++;
    opNumbers.set(op, number);
    words.push(number, node.inputs.length);
    for (const input of node.inputs) words.push(positions.get(input)!);
    putValue(words, node.attrs);
    putValue(words, node.label);
  }
  for (const { tensor } of outputs) words.push(positions.get(tensor)!);
  return words;
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

/** Appends plain data, told apart by a first word; -0, infinities and NaN keep their identity. */
function putValue(words: number[], value: unknown): void {
  if (typeof value === 'number') {
    double[0] = value;
    words.push(0, halves[0], halves[1]);
  } else if (Array.isArray(value)) {
    words.push(1, value.length);
    for (const entry of value) putValue(words, entry);
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    words.push(2, entries.length);
    for (const entry of entries) putValue(words, entry);
  } else {
    const text = String(value);
    words.push(typeof value === 'string' ? 3 : 4, text.length);
    for (let k = 0; k < text.length; k++) words.push(text.charCodeAt(k));
  }
}

/** 32-bit FNV-1a, a word at a time; the shift spreads small words over the low bits. */
function hashOf(words: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const word of words) {
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}
