/**
 * Graphs in the worlds of src/backend/validate/bounds.ts: what a device may make of a whole graph, computed for the very
 * inputs of a test, so that ill-conditioned formulas are not failures and well-conditioned ones are held to a few last
 * places.
 */

import { type Divergence, firstDivergence, makeWorlds } from '../../src/backend/validate/bounds.ts';
import { topologicalOrder } from '../../src/core/graph.ts';
import type { CpuTensor } from '../../src/core/op.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import type { Bindings } from './evaluate.ts';

/** For each root its value in each world, the exact one first. */
export function evaluateWorlds(roots: readonly Tensor[], bindings: Bindings): CpuTensor[][] {
  const worlds = makeWorlds();
  const values = new Map<Tensor, CpuTensor[]>();
  for (const tensor of topologicalOrder(roots)) {
    const bound = bindings.get(tensor);
    if (bound !== undefined) {
      values.set(tensor, Array(worlds.length).fill(bound));
    } else if (tensor.op !== null) {
      const { op, inputs, attrs } = tensor;
      const operands = inputs.map((input) => values.get(input)!);
      values.set(
        tensor,
        worlds.map((world, w) =>
          world.apply(
            op,
            operands.map((operand) => operand[w]),
            tensor,
            attrs,
          ),
        ),
      );
    } else {
      throw new Error(`worlds: ${tensor} has no value`);
    }
  }
  return roots.map((root) => values.get(root)!);
}

/** The first value that no world explains, in words; undefined when all pass. */
export function divergenceOf(
  found: readonly ArrayLike<number>[],
  worlds: readonly (readonly CpuTensor[])[],
): string | undefined {
  for (const [k, values] of worlds.entries()) {
    const divergence = firstDivergence(found[k], values);
    if (divergence !== undefined) return describeDivergence(`output ${k}`, divergence);
  }
  return undefined;
}

export function describeDivergence(where: string, { element, found, expected, accepted }: Divergence): string {
  return `${where}, element ${element}: ${found}, expected ${expected} (accepted difference ${accepted.toPrecision(2)})`;
}
