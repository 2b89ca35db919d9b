/**
 * PlanCache: plans of graphs that were evaluated before, found by the structure of the graph. The structure is a list of
 * words: shapes and dtypes of the inputs, then for each node its op, its inputs, its attributes and its label.
 *
 * Invariant: a plan is handed out for an equal structure only. The hash finds the entry and the words are compared, so two
 * graphs with one hash cost a compilation, never a wrong plan.
 */

import type { Plan } from '../compile/plan.ts';
import { DTYPES } from '../core/dtype.ts';
import type { Graph } from '../core/graph.ts';
import type { Op } from '../core/op.ts';
import type { Tensor } from '../core/tensor.ts';
import { invariant } from '../util/errors.ts';

interface Entry {
  readonly structure: Uint32Array;
  readonly plan: Plan;
}

export class PlanCache {
  /** By the hash of the structure, the oldest first. */
  private readonly entries = new Map<number, Entry>();

  /** @param capacity plans that are kept; beyond, the oldest go. @param hash of a structure. */
  constructor(
    private readonly capacity: number,
    private readonly hash: (structure: Uint32Array) => number = hashOf,
  ) {}

  /** The plan of a graph like `graph`, made by `make` when there is none yet. */
  get(graph: Graph, make: () => Plan): Plan {
    const structure = structureOf(graph);
    const hash = this.hash(structure);
    const known = this.entries.get(hash);
    if (known !== undefined && sameWords(known.structure, structure)) return known.plan;
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

/** What decides the plan of `graph`; equal words mean equal plans. */
export function structureOf({ inputs, nodes, outputs, updates }: Graph): Uint32Array {
  const words: number[] = [inputs.length, nodes.length];
  const positions = new Map<Tensor, number>();
  for (const { name, kind, tensor } of inputs) {
    // The value of a constant is part of its plan.
    invariant(kind !== 'constant', `evaluate: input "${name}" is a constant`);
    positions.set(tensor, positions.size);
    putText(words, name);
    words.push(kind === 'bound' ? 0 : 1, DTYPES.indexOf(tensor.dtype), tensor.rank, ...tensor.shape);
  }
  for (const node of nodes) {
    positions.set(node, positions.size);
    words.push(numberOf(node.op!), node.inputs.length);
    for (const input of node.inputs) words.push(positions.get(input)!);
    putValue(words, node.attrs);
    putValue(words, node.label);
  }
  for (const { name, tensor } of outputs) {
    putText(words, name);
    words.push(positions.get(tensor)!);
  }
  for (const { target, value } of updates) words.push(positions.get(target)!, positions.get(value)!);
  return Uint32Array.from(words);
}

function numberOf(op: Op): number {
  const known = opNumbers.get(op) ?? opCount++;
  opNumbers.set(op, known);
  return known;
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

/** Appends plain data; -0, infinities and NaN are told apart. */
function putValue(words: number[], value: unknown): void {
  if (value === undefined) words.push(0);
  else if (value === null) words.push(1);
  else if (typeof value === 'boolean') words.push(value ? 3 : 2);
  else if (typeof value === 'number') {
    double[0] = value;
    words.push(4, halves[0], halves[1]);
  } else if (typeof value === 'string') {
    words.push(5);
    putText(words, value);
  } else if (Array.isArray(value)) {
    words.push(6, value.length);
    for (const entry of value) putValue(words, entry);
  } else {
    invariant(typeof value === 'object', `evaluate: an attribute of an op is a ${typeof value}`);
    const entries = Object.entries(value);
    words.push(7, entries.length);
    for (const [key, entry] of entries) {
      putText(words, key);
      putValue(words, entry);
    }
  }
}

function putText(words: number[], text: string): void {
  words.push(text.length);
  for (let k = 0; k < text.length; k++) words.push(text.charCodeAt(k));
}

/** 32-bit FNV-1a, a word at a time, with a last shuffle of the bits: small words must not stay in the low ones. */
function hashOf(words: Uint32Array): number {
  let hash = 0x811c9dc5;
  for (let k = 0; k < words.length; k++) {
    hash = Math.imul(hash ^ words[k], 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((word, k) => word === b[k]);
}
