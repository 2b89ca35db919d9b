/**
 * A whole graph in the Monte Carlo arithmetic samples of backend/validate/bounds.ts: what a device may compute for the
 * given inputs. Ill-conditioned formulas are then not failures, and well-conditioned ones must agree to a few last
 * places.
 */

import { arithmeticSamples } from '../backend/validate/bounds.ts';
import { cpuArray } from '../core/dtype.ts';
import { topologicalOrder } from '../core/graph.ts';
import type { CpuTensor } from '../core/op.ts';
import type { Tensor } from '../core/tensor.ts';
import { invariant } from '../util/errors.ts';

/** The values of placeholders. */
export type Bindings = ReadonlyMap<Tensor, CpuTensor>;

/**
 * For each root its value in each sample, the exact one first.
 * @param erring count of samples with errors; that of `arithmeticSamples` when left out.
 */
export function evaluateArithmeticSamples(
  roots: readonly Tensor[],
  bindings: Bindings,
  erring?: number,
): CpuTensor[][] {
  const samples = arithmeticSamples(erring);
  const values = new Map<Tensor, CpuTensor[]>();
  for (const tensor of topologicalOrder(roots)) {
    const bound = bindings.get(tensor);
    if (bound !== undefined) {
      values.set(tensor, Array(samples.length).fill(bound));
    } else if (tensor.leaf?.kind === 'host') {
      // Constants that an op creates itself, such as positions.
      const { shape, dtype, leaf } = tensor;
      const data = cpuArray(dtype, tensor.size, 'f64');
      data.set(leaf.data);
      values.set(tensor, Array(samples.length).fill({ shape, dtype, data }));
    } else {
      invariant(tensor.op !== null, `arithmetic samples: ${tensor} has no value`);
      const { op, inputs, attrs } = tensor;
      const operands = inputs.map((input) => values.get(input)!);
      values.set(
        tensor,
        samples.map((sample, w) =>
          sample.apply(
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
