/** Golden figures of golden/nn: nested lists of numbers, and the tensors that they stand for. */

import { readFileSync } from 'node:fs';
import { Tensor } from '../../src/core/tensor.ts';

export type Nested = number | readonly Nested[];

export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../golden/nn/${name}`, import.meta.url), 'utf8'));
}

export function shapeOf(nested: Nested): number[] {
  return typeof nested === 'number' ? [] : [nested.length, ...shapeOf(nested[0])];
}

export function flat(nested: Nested): number[] {
  return typeof nested === 'number' ? [nested] : nested.flatMap(flat);
}

/** Data as `fit` and `setWeights` take it. */
export function shaped(nested: Nested): { data: Float32Array; shape: number[] } {
  return { data: Float32Array.from(flat(nested)), shape: shapeOf(nested) };
}

export function tensorOf(nested: Nested, dtype: 'f32' | 'i32' = 'f32'): Tensor {
  const { data, shape } = shaped(nested);
  return Tensor.host({ shape, dtype }, dtype === 'f32' ? data : Int32Array.from(data));
}
