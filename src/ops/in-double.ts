/**
 * References that add many terms to one element: in f64 whatever the backend's precision, so that f32 rounds each sum
 * once.
 */

import type { CpuTensor, OpRecord } from '../core/op.ts';

/** `cpu` with an output of f64 numbers, which are rounded to the output's own when all is added. */
export function inDouble<A>(cpu: OpRecord<A>['cpu']): OpRecord<A>['cpu'] {
  return (inputs, output, attrs) => {
    if (output.data instanceof Float64Array) return cpu(inputs, output, attrs);
    const sums: CpuTensor = { ...output, data: new Float64Array(output.data.length) };
    cpu(inputs, sums, attrs);
    output.data.set(sums.data);
  };
}
