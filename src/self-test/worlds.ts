/**
 * Graphs in the worlds of backend/validate/bounds.ts: what a device may make of a whole graph, computed for the very
 * inputs at hand, so that ill-conditioned formulas are not failures and well-conditioned ones are held to a few last
 * places.
 */

import { makeWorlds } from '../backend/validate/bounds.ts';
import { cpuArray } from '../core/dtype.ts';
import { topologicalOrder } from '../core/graph.ts';
import type { CpuTensor } from '../core/op.ts';
import type { Tensor } from '../core/tensor.ts';
import { invariant } from '../util/errors.ts';

/** What placeholders stand for. */
export type Bindings = ReadonlyMap<Tensor, CpuTensor>;

/** For each root its value in each world, the exact one first. @param erring worlds beside it; as many as usual when left out. */
export function evaluateWorlds(roots: readonly Tensor[], bindings: Bindings, erring?: number): CpuTensor[][] {
  const worlds = makeWorlds(erring);
  const values = new Map<Tensor, CpuTensor[]>();
  for (const tensor of topologicalOrder(roots)) {
    const bound = bindings.get(tensor);
    if (bound !== undefined) {
      values.set(tensor, Array(worlds.length).fill(bound));
    } else if (tensor.leaf?.kind === 'host') {
      // What an op makes of constants of its own, such as positions.
      const { shape, dtype, leaf } = tensor;
      const data = cpuArray(dtype, tensor.size, 'f64');
      data.set(leaf.data);
      values.set(tensor, Array(worlds.length).fill({ shape, dtype, data }));
    } else {
      invariant(tensor.op !== null, `worlds: ${tensor} has no value`);
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
    }
  }
  return roots.map((root) => values.get(root)!);
}
