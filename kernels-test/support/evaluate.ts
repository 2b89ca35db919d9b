/**
 * The smallest evaluator there is: a DAG of tensors through the reference functions of the op records, in f64 unless
 * told otherwise. No compiler, no plan, no backend: what those must agree with.
 */

import { type CpuData, cpuArray, type Precision } from '../../src/core/dtype.ts';
import { topologicalOrder } from '../../src/core/graph.ts';
import type { CpuTensor, Op } from '../../src/core/op.ts';
import { type Aval, Tensor } from '../../src/core/tensor.ts';
import { sizeOf } from '../../src/util/shape.ts';

/** What placeholders (or any other tensors) stand for. */
export type Bindings = ReadonlyMap<Tensor, CpuTensor>;

export interface EvaluateOptions {
  readonly bindings?: Bindings;
  readonly precision?: Precision;
}

/** The values of `roots`. @throws Error for a placeholder that is needed and not bound. */
export function evaluateAll(roots: readonly Tensor[], options: EvaluateOptions = {}): CpuTensor[] {
  const { bindings = new Map(), precision = 'f64' } = options;
  const values = new Map<Tensor, CpuTensor>(bindings);
  for (const tensor of topologicalOrder(roots)) {
    if (values.has(tensor)) continue;
    if (tensor.op !== null) {
      const inputs = tensor.inputs.map((input) => values.get(input));
      // What stands only behind bound tensors may lack a value: nobody asks for it.
      if (!inputs.every((input) => input !== undefined)) continue;
      values.set(tensor, runReference(tensor.op, inputs, tensor.attrs, precision));
    } else if (tensor.leaf?.kind === 'host') {
      values.set(tensor, hostValue(tensor, tensor.leaf.data, precision));
    }
  }
  return roots.map((root) => {
    const value = values.get(root);
    if (value === undefined) throw new Error(`evaluate: ${root} needs a placeholder that is not bound`);
    return value;
  });
}

/** The value of one tensor. */
export function evaluate(root: Tensor, options: EvaluateOptions = {}): CpuTensor {
  return evaluateAll([root], options)[0];
}

/** The output of one op's reference function. */
export function runReference<A>(
  op: Op<A>,
  inputs: readonly CpuTensor[],
  attrs: A,
  precision: Precision = 'f64',
): CpuTensor {
  const aval = op.infer(inputs, attrs);
  const output = { ...aval, data: cpuArray(aval.dtype, sizeOf(aval.shape), precision) };
  op.cpu(inputs, output, attrs);
  return output;
}

/** Placeholders for `values`, with the bindings that give them back. */
export function bindPlaceholders(values: readonly CpuTensor[]): {
  tensors: Tensor[];
  bindings: Map<Tensor, CpuTensor>;
} {
  const tensors = values.map(({ shape, dtype }, k) => Tensor.placeholder(`input${k}`, { shape, dtype }));
  return { tensors, bindings: new Map(tensors.map((tensor, k) => [tensor, values[k]])) };
}

function hostValue({ shape, dtype }: Aval, data: ArrayLike<number>, precision: Precision): CpuTensor {
  const copy: CpuData = cpuArray(dtype, data.length, precision);
  copy.set(data);
  return { shape, dtype, data: copy };
}
