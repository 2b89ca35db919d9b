/** Small graphs with every sort of contraction, for the tuner's tests. */

import type { GraphSpec } from '../../src/core/graph.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { conv2d } from '../../src/ops/convolution/conv.ts';
import type { Conv2dOptions } from '../../src/ops/convolution/conv-geometry.ts';
import { relu } from '../../src/ops/elementwise/activations.ts';
import { add, mul } from '../../src/ops/elementwise/binary.ts';
import { type MatmulOptions, matmul } from '../../src/ops/matmul/matmul.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { gradients } from '../../src/transform/grad.ts';
import type { Shape } from '../../src/util/shape.ts';

const input = (name: string, shape: Shape): Tensor => Tensor.placeholder(name, { shape, dtype: 'f32' });

/** relu(product + bias) and its gradients by both operands and the bias, as a layer's step has them. */
function layerGraph(name: string, product: (x: Tensor, w: Tensor) => Tensor, x: Shape, w: Shape): GraphSpec {
  const [left, right] = [input('x', x), input('w', w)];
  const plain = product(left, right);
  const bias = input('bias', plain.shape.slice(-1));
  const y = relu(add(plain, bias));
  const weights = input('weights', y.shape);
  const slopes = gradients(sum(mul(y, weights)), [left, right, bias]);
  return {
    name,
    inputs: [left, right, bias, weights].map((tensor, k) => ({ name: `in${k}`, kind: 'bound', tensor })),
    outputs: [y, ...slopes].map((tensor, k) => ({ name: `out${k}`, tensor })),
  };
}

export function matmulGraph(x: Shape, w: Shape, options: MatmulOptions = {}): GraphSpec {
  return layerGraph('matmul', (a, b) => matmul(a, b, options), x, w);
}

export function convGraph(x: Shape, w: Shape, options: Conv2dOptions = {}): GraphSpec {
  return layerGraph('conv', (a, b) => conv2d(a, b, options), x, w);
}

/** Large enough for blocks that are staged in workgroup memory, with edges in every direction. */
export const STAGED_GRAPHS: Readonly<Record<string, GraphSpec>> = {
  'matmul, rows in a line': matmulGraph([67, 21], [21, 70]),
  'matmul, columns in a line': matmulGraph([19, 66], [45, 19], { transposeA: true, transposeB: true }),
  'matmul, in batches': matmulGraph([2, 33, 18], [2, 18, 20]),
  'conv, padded': convGraph([2, 9, 11, 18], [3, 3, 18, 20], { padding: 'same' }),
  'conv, strided': convGraph([3, 19, 17, 8], [3, 2, 8, 18], { padding: 'same', strides: 2 }),
};

/** Odd sizes, so that blocks hang over every edge; in all transposes, strided, dilated, clipped, with rows of ones. */
export const GRAPHS: Readonly<Record<string, GraphSpec>> = {
  matmul: matmulGraph([37, 19], [19, 21]),
  'matmul, transposed left': matmulGraph([3, 41], [3, 9], { transposeA: true }),
  'matmul, transposed right': matmulGraph([5, 33], [70, 33], { transposeB: true }),
  'matmul, transposed both, in batches': matmulGraph([2, 7, 12], [2, 5, 7], { transposeA: true, transposeB: true }),
  'conv, valid': convGraph([2, 9, 8, 3], [3, 2, 3, 5]),
  'conv, clipped and strided': convGraph([3, 11, 10, 2], [5, 3, 2, 9], { padding: 'same', strides: 2 }),
  'conv, dilated': convGraph([2, 10, 13, 1], [3, 3, 1, 4], { padding: 'same', dilation: 2 }),
};
