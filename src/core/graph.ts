/**
 * Graph: what a compiled function or a training step computes, as an immutable list in SSA form.
 *
 * Invariants (checked by `verifyGraph`): nodes are in topological order, each once; every input of a node is a leaf of
 * `inputs` or an earlier node; shapes and dtypes are what the ops infer; an update has its target's shape and dtype.
 */

import { invariant } from '../util/errors.ts';
import { sameShape } from '../util/shape.ts';
import { attributesKey } from '../util/text.ts';
import { describe, type Tensor } from './tensor.ts';

/** How the caller supplies an input. */
export type InputKind =
  /** A whole buffer, bound when the plan is loaded. */
  | 'bound'
  /** A slot of the scalar block, written before each run (at most 64 elements). */
  | 'scalar'
  /** Known now; becomes part of the plan. */
  | 'constant';

export interface GraphInput {
  readonly name: string;
  readonly kind: InputKind;
  readonly tensor: Tensor;
}

export interface GraphOutput {
  readonly name: string;
  readonly tensor: Tensor;
}

/** After the run, the buffer of input `target` holds `value`. */
export interface GraphUpdate {
  readonly target: Tensor;
  readonly value: Tensor;
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphInput[];
  readonly nodes: readonly Tensor[];
  readonly outputs: readonly GraphOutput[];
  readonly updates: readonly GraphUpdate[];
}

/** What a caller says; the nodes follow from it. */
export interface GraphSpec {
  readonly name: string;
  /** Placeholders in the caller's order. Host leaves that are reached become constants by themselves. */
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly GraphOutput[];
  readonly updates?: readonly GraphUpdate[];
}

/** Everything the roots depend on, inputs before users; each tensor once. */
export function topologicalOrder(roots: readonly Tensor[]): Tensor[] {
  const order: Tensor[] = [];
  const state = new Map<Tensor, 'open' | 'done'>();
  // An explicit stack: a long recurrent graph would overflow the call stack.
  const stack: Tensor[] = [...roots].reverse();
  while (stack.length > 0) {
    const tensor = stack[stack.length - 1];
    if (state.get(tensor) === undefined) {
      state.set(tensor, 'open');
      for (let k = tensor.inputs.length - 1; k >= 0; k--) {
        if (state.get(tensor.inputs[k]) === undefined) stack.push(tensor.inputs[k]);
      }
      continue;
    }
    stack.pop();
    if (state.get(tensor) === 'open') {
      state.set(tensor, 'done');
      order.push(tensor);
    }
  }
  return order;
}

/** The graph of `spec`. @throws DownhillError `state` when it reaches a leaf that the spec does not supply. */
export function buildGraph(spec: GraphSpec): Graph {
  const updates = spec.updates ?? [];
  const roots = [...spec.outputs.map((o) => o.tensor), ...updates.map((u) => u.value)];
  const inputs = [...spec.inputs];
  const known = new Set(inputs.map((input) => input.tensor));
  const nodes: Tensor[] = [];
  for (const tensor of topologicalOrder(roots)) {
    if (known.has(tensor)) continue;
    if (tensor.op !== null) {
      nodes.push(tensor);
      continue;
    }
    invariant(tensor.leaf?.kind === 'host', `graph "${spec.name}" reaches ${tensor}, which is not one of its inputs`);
    known.add(tensor);
    inputs.push({ name: tensor.label ?? `constant${inputs.length}`, kind: 'constant', tensor });
  }
  return { name: spec.name, inputs, nodes, outputs: spec.outputs, updates };
}

/** Throws an `internal` error when an invariant of Graph is broken: run after every pass. */
export function verifyGraph(graph: Graph): void {
  const defined = new Set(graph.inputs.map((input) => input.tensor));
  for (const node of graph.nodes) {
    invariant(node.op !== null, `${graph.name}: ${node} has no op`);
    invariant(!defined.has(node), `${graph.name}: ${node} appears twice`);
    for (const input of node.inputs) {
      invariant(defined.has(input), `${graph.name}: ${node.op.name} reads ${input} before it is defined`);
    }
    const aval = node.op.infer(node.inputs, node.attrs);
    invariant(
      sameShape(aval.shape, node.shape) && aval.dtype === node.dtype,
      `${graph.name}: ${node.op.name} gives ${describe(aval)} and is recorded as ${describe(node)}`,
    );
    defined.add(node);
  }
  for (const { tensor } of graph.outputs)
    invariant(defined.has(tensor), `${graph.name}: output ${tensor} is undefined`);
  for (const { target, value } of graph.updates) {
    invariant(defined.has(value), `${graph.name}: update ${value} is undefined`);
    invariant(
      graph.inputs.some((input) => input.tensor === target && input.kind === 'bound'),
      `${graph.name}: update of ${target}, which is not a bound input`,
    );
    invariant(
      sameShape(target.shape, value.shape) && target.dtype === value.dtype,
      `${graph.name}: update of ${describe(target)} with ${describe(value)}`,
    );
  }
}

/** The graph as text, one line a node: `%4: f32[64,10] = matmul(%1, %2) {"transposeB":true}  # dense "fc1"`. */
export function printGraph(graph: Graph): string {
  const names = new Map<Tensor, string>();
  const lines = [`graph ${graph.name}`];
  graph.inputs.forEach(({ name, kind, tensor }, k) => {
    names.set(tensor, `%${k}`);
    lines.push(`  %${k}: ${describe(tensor)} = ${kind} "${name}"`);
  });
  graph.nodes.forEach((node, k) => {
    const name = `%${graph.inputs.length + k}`;
    names.set(node, name);
    const attrs = Object.keys(node.attrs).length === 0 ? '' : ` ${attributesKey(node.attrs)}`;
    const label = node.label === undefined ? '' : `  # ${node.label}`;
    const inputs = node.inputs.map((input) => names.get(input)).join(', ');
    lines.push(`  ${name}: ${describe(node)} = ${node.op?.name}(${inputs})${attrs}${label}`);
  });
  for (const { name, tensor } of graph.outputs) lines.push(`  output "${name}" = ${names.get(tensor)}`);
  for (const { target, value } of graph.updates) {
    lines.push(`  update ${names.get(target)} := ${names.get(value)}`);
  }
  return lines.join('\n');
}
