/**
 * Graph → Graph: composites are written out, equal nodes become one, and outputs get a place of their own.
 *
 * After this pass: no composite is left but those for which there is a hand-written kernel; no two nodes have the
 * same op, attributes and inputs; every output, every updated value and every part of a `concat` is the whole result
 * of a computing node that no other output, update or place claims (a copy is put in where that did not hold).
 */

import { copy } from '../../core/copy.ts';
import { buildGraph, type Graph, topologicalOrder } from '../../core/graph.ts';
import { applyOp, type Op } from '../../core/op.ts';
import { withScope } from '../../core/scope.ts';
import type { Tensor } from '../../core/tensor.ts';
import { sameShape } from '../../util/shape.ts';
import { attributesKey } from '../../util/text.ts';
import { resolve } from './views.ts';

/** @param keeps composites that are left as they are: a hand-written kernel computes them. */
export function simplify(graph: Graph, keeps: (node: Tensor) => boolean = () => false): Graph {
  return claimPlaces(shareEqualNodes(graph, keeps));
}

/** Expands composites and merges equal nodes, in one walk: both rebuild every node on rebuilt inputs. */
function shareEqualNodes(graph: Graph, keeps: (node: Tensor) => boolean): Graph {
  const rebuilt = new Map<Tensor, Tensor>();
  const byKey = new Map<string, Tensor>();
  const opNumbers = new Map<Op, number>();
  const opNumber = (op: Op) => {
    const known = opNumbers.get(op) ?? opNumbers.size;
    opNumbers.set(op, known);
    return known;
  };

  const rebuild = (node: Tensor): Tensor => {
    if (node.op === null) return rebuilt.get(node) ?? node;
    const inputs = node.inputs.map((input) => rebuilt.get(input) ?? input);
    const { op, attrs } = node;
    if (op.lower.kind === 'view' && sameShape(inputs[0].shape, node.shape)) return inputs[0];
    const key = `${opNumber(op)}(${inputs.map((input) => input.id).join(',')})${attributesKey(attrs)}`;
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const label = node.label ?? op.name;
    let result: Tensor;
    if (op.lower.kind === 'composite' && !keeps(node)) {
      const expanded = withScope(label, () => op.expand?.(inputs, attrs) as Tensor);
      for (const part of topologicalOrder([expanded])) {
        if (!rebuilt.has(part) && !inputs.includes(part)) rebuilt.set(part, rebuild(part));
      }
      result = rebuilt.get(expanded) ?? expanded;
    } else {
      const unchanged = inputs.every((input, k) => input === node.inputs[k]);
      result = unchanged ? node : applyOp(op, inputs, attrs);
      result.label = node.label;
    }
    byKey.set(key, result);
    return result;
  };

  for (const node of graph.nodes) rebuilt.set(node, rebuild(node));
  return replaceRoots(graph, (tensor) => rebuilt.get(tensor) ?? tensor);
}

/** Puts copies where a value is claimed twice, is only a view, or is a leaf. */
function claimPlaces(graph: Graph): Graph {
  const claimed = new Set<Tensor>();
  const claim = (tensor: Tensor): Tensor => {
    const { root, offset } = resolve(tensor);
    const computes = root.op !== null && root.op.lower.kind !== 'concat';
    if (computes && offset === 0 && root.size === tensor.size && !claimed.has(root)) {
      claimed.add(root);
      return tensor;
    }
    const copied = copy(tensor);
    copied.label = tensor.label;
    claimed.add(copied);
    return copied;
  };

  const replaced = new Map<Tensor, Tensor>();
  const current = (tensor: Tensor) => replaced.get(tensor) ?? tensor;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(current);
    const parts = node.op?.lower.kind === 'concat' ? inputs.map(claim) : inputs;
    if (parts.some((input, k) => input !== node.inputs[k])) {
      const moved = applyOp(node.op as Op, parts, node.attrs);
      moved.label = node.label;
      replaced.set(node, moved);
    }
  }
  const updates = graph.updates.map(({ target, value }) => ({ target, value: claim(current(value)) }));
  const outputs = graph.outputs.map(({ name, tensor }) => ({ name, tensor: claim(current(tensor)) }));
  return buildGraph({ name: graph.name, inputs: graph.inputs, outputs, updates });
}

function replaceRoots(graph: Graph, replace: (tensor: Tensor) => Tensor): Graph {
  return buildGraph({
    name: graph.name,
    inputs: graph.inputs,
    outputs: graph.outputs.map(({ name, tensor }) => ({ name, tensor: replace(tensor) })),
    updates: graph.updates.map(({ target, value }) => ({ target, value: replace(value) })),
  });
}
