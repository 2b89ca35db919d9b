/** fuse: what becomes one kernel, what stays apart and why, and that no cycle of kernels arises. */

import { describe, expect, test } from 'vitest';
import { clusterName } from '../../src/compile/fuse/cluster.ts';
import { readBy } from '../../src/compile/fuse/fused-graph.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { conv2d, conv2dWeightGrad } from '../../src/ops/convolution/conv.ts';
import { full } from '../../src/ops/create.ts';
import { add, div, mul, sub } from '../../src/ops/elementwise/binary.ts';
import { neg } from '../../src/ops/elementwise/neg.ts';
import { exp, log, square } from '../../src/ops/elementwise/unary.ts';
import { gather } from '../../src/ops/layout/gather.ts';
import { shuffleIndices } from '../../src/ops/layout/permute.ts';
import { reshape } from '../../src/ops/layout/shape.ts';
import { slice } from '../../src/ops/layout/slice.ts';
import { transpose } from '../../src/ops/layout/transpose.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { maxPool2d } from '../../src/ops/pooling/pool.ts';
import { max, sum } from '../../src/ops/reduction/reduce.ts';
import { broadcastTo } from '../../src/ops/reduction/sum.ts';
import { gradients } from '../../src/transform/grad.ts';
import { fused, input, kernelNames, planned, type Roots } from '../support/graphs.ts';
import { textOf } from '../support/kernels.ts';

const ROWS = { axes: -1, keepDims: true };
const relu = (x: Tensor) => mul(x, x);
/** x plus its first row, everywhere: the same kernel cannot have written it. */
const head = (x: Tensor) => add(x, slice(x, [0, 0], [1, x.shape[1]]));
const softmax = (x: Tensor) => {
  const e = exp(sub(x, max(x, ROWS)));
  return div(e, sum(e, ROWS));
};

/** Why clusters were not joined. */
const reasons = (roots: Roots, maxStorageBuffers?: number) => fused(roots, maxStorageBuffers).reasons().join('\n');

describe('one kernel', () => {
  const x = input('x', [6, 10]);
  const bias = input('bias', [10]);
  const w = input('w', [10, 4]);

  test.each<[string, Roots, string]>([
    ['a chain over one size, broadcasting', { outputs: [exp(neg(add(x, bias)))] }, 'add+neg+exp'],
    ['two outputs of one chain', { outputs: [neg(x), exp(neg(x))] }, 'neg+exp'],
    ['elementwise before a reduction', { outputs: [sum(square(x), { axes: 1 })] }, 'square+sum'],
    ['the same along columns', { outputs: [sum(square(x), { axes: 0 })] }, 'square+sum'],
    ['elementwise after a reduction', { outputs: [neg(log(sum(x, { axes: 1 })))] }, 'sum+log+neg'],
    ['softmax', { outputs: [softmax(x)] }, 'max+sub+exp+sum+div'],
    ['softmax that is kept, and its log', { outputs: [softmax(x), log(softmax(x))] }, 'max+sub+exp+sum+div+log'],
    ['reductions side by side', { outputs: [sum(x, { axes: 1 }), max(x, { axes: 1 })] }, 'sum+max'],
    ['reductions of one prologue', { outputs: [sum(exp(x)), max(exp(x))] }, 'exp+sum+max'],
    ['after a product', { outputs: [relu(add(matmul(x, w), input('b', [4])))] }, 'matmul+add+mul'],
    [
      'an index into its only reader',
      { outputs: [add(maxPool2d(input('i', [1, 4, 4, 1]), { poolSize: 2 }), 1)] },
      'maxPool2d+add',
    ],
    ['constants and their formulas', { outputs: [mul(x, exp(broadcastTo(full([], 2), [6, 10])))] }, 'mul'],
  ])('%s', (_title, roots, expected) => {
    expect(kernelNames(roots)).toEqual([expected]);
  });

  test('column sums ride on the contraction that reads the same operand', () => {
    const dy = input('dy', [6, 4]);
    const step = { outputs: [matmul(x, dy, { transposeA: true }), sum(dy, { axes: 0 })] };
    expect(kernelNames(step)).toEqual(['matmul+sum']);
    const [image, slope] = [input('image', [2, 5, 5, 3]), input('slope', [2, 5, 5, 4])];
    const conv = conv2dWeightGrad(image, slope, { kernelShape: [3, 3, 3, 4], padding: 'same' });
    expect(kernelNames({ outputs: [conv, sum(slope, { axes: [0, 1, 2] })] })).toEqual(['conv2dWeightGrad+sum']);
  });

  test('a dense layer backward is one kernel a product', () => {
    const [w, b] = [input('w', [10, 4]), input('b', [4])];
    const y = add(matmul(x, w), b);
    const [dw, db] = gradients(sum(square(y)), [w, b]);
    const names = kernelNames({ outputs: [dw, db] });
    expect(names).toHaveLength(2);
    expect(names[1]).toMatch(/^matmul\+sum/);
  });
});

describe('apart, with a reason', () => {
  const x = input('x', [6, 10]);
  const image = input('image', [1, 6, 6, 2]);
  const kernel = input('kernel', [3, 3, 2, 2]);

  test.each<[string, Roots, RegExp]>([
    [
      'a reduction that reads another layout',
      { outputs: [sum(sum(input('z', [3, 4, 5]), { axes: 1 }))] },
      /reductions over other elements/,
    ],
    [
      'rows too long to be reduced twice',
      { outputs: [softmax(input('long', [2, 2000]))] },
      /rows of 2000 are reduced once only/,
    ],
    ['columns reduced twice', { outputs: [div(x, sum(x, { axes: 0 }))] }, /the reduction does not run along rows/],
    [
      'a prologue that is needed in memory',
      { outputs: [exp(x), sum(exp(x), { axes: 0 })] },
      /needed in memory by others/,
    ],
    [
      'windows of a convolution',
      { outputs: [maxPool2d(conv2d(image, kernel), { poolSize: 2 })] },
      /another count of elements/,
    ],
    [
      'a transpose of a product',
      { outputs: [transpose(matmul(x, input('a', [10, 3])))] },
      /matmul \| transpose: read at other indices/,
    ],
    [
      'a product and its own first row',
      { outputs: [head(matmul(x, input('a', [10, 3])))] },
      /matmul \| add: read at other indices/,
    ],
    [
      'a reduction and its own first element',
      { outputs: [head(sum(input('z', [6, 1, 20]), { axes: 2 }))] },
      /sum \| add: another count of elements/,
    ],
    [
      'a product of a product',
      { outputs: [matmul(matmul(x, input('a', [10, 3])), input('b', [3, 2]))] },
      /a contract does not take in a contract/,
    ],
    [
      'a pool of pooled windows',
      { outputs: [maxPool2d(maxPool2d(image, { poolSize: 2 }), { poolSize: 2 })] },
      /read at other indices and expensive to recompute/,
    ],
  ])('%s', (_title, roots, why) => {
    expect(kernelNames(roots).length).toBeGreaterThan(1);
    expect(reasons(roots)).toMatch(why);
  });

  test('more buffers than a kernel may bind', () => {
    const many = Array.from({ length: 12 }, (_, k) => input(`x${k}`, [5]));
    const roots = { outputs: [many.reduce((total, each) => add(total, each))] };
    expect(kernelNames(roots)).toHaveLength(2);
    expect(reasons(roots)).toMatch(/9 storage buffers, 8 allowed/);
    for (const cluster of fused(roots).clusters) expect(cluster.roles.size).toBeLessThan(8);
    expect(fused(roots, 13).clusters).toHaveLength(1);
  });

  test('a third kernel between two stays between them', () => {
    // e feeds both a column reduction and, with its result, an elementwise node: joined, e and the last would need the
    // reduction before they run and after.
    const e = exp(x);
    const roots = { outputs: [mul(e, sum(square(e), { axes: 0 }))] };
    expect(reasons(roots)).toMatch(/a third kernel is between them/);
    const names = kernelNames(roots);
    expect(names.indexOf('mul')).toBe(names.length - 1);
  });
});

test('every kernel and each that feeds it have a reason why they are two', () => {
  const [image, kernel] = [input('image', [4, 12, 12, 3]), input('kernel', [3, 3, 3, 6])];
  const pooled = maxPool2d(mul(conv2d(image, kernel), exp(input('scale', [6]))), { poolSize: 2 });
  const logits = matmul(reshape(pooled, [4, 150]), input('w', [150, 5]));
  const roots = { outputs: gradients(sum(square(softmax(logits))), [kernel, image]) };
  const graph = fused(roots);
  let neighbours = 0;
  for (const consumer of graph.clusters) {
    for (const root of readBy(consumer, graph)) {
      const producer = graph.clusterOf.get(root);
      if (producer === undefined) continue;
      neighbours++;
      const pair = `${clusterName(producer)} | ${clusterName(consumer)}: `;
      expect(
        graph.reasons().filter((reason) => reason.startsWith(pair)),
        pair,
      ).not.toHaveLength(0);
    }
  }
  expect(neighbours).toBeGreaterThan(6);
});

test('a map that reductions alone read is computed while they walk, when what it reads is stored anyway', () => {
  // As in the gradient of a batch normalisation: dy is stored in memory for others, so dy · x need not.
  const [x, w] = [input('x', [600, 8]), input('w', [8, 8])];
  const dy = matmul(input('a', [600, 8]), w);
  const roots = { outputs: [sum(dy, { axes: 0 }), sum(mul(dy, x), { axes: 0 }), exp(dy)] };
  expect(kernelNames(roots)).toEqual(['matmul+exp', 'sum+mul+sum']);
  expect(reasons(roots)).toMatch(/matmul(\+\w+)* \| mul: cheaper before the reduction that reads it/);
  // Over short rows map and reduction become one kernel with what is before them.
  const product = mul(exp(x), x);
  expect(kernelNames({ outputs: [exp(x), sum(product, { axes: 1 })] })).toEqual(['exp+mul+sum']);
});

describe('dear functions of scalars', () => {
  const [key, offset] = [input('key', [2], 'u32'), input('offset', [], 'u32')];
  const table = input('table', [50, 7]);
  const rows = shuffleIndices(key, offset, { count: 20, n: 50 });
  const scalars = [key, offset];

  test('are computed by the few that ask, and remembered', () => {
    const plan = planned({ outputs: [gather(table, rows)], scalars });
    expect(plan.dispatches.map(({ label }) => label)).toEqual(['gather']);
    expect(textOf(plan.kernels[0])).toMatch(/if \(i != f\d+_asked\)/);
  });

  test('have a kernel when many ask, when they are outputs, and without fusion', () => {
    const wide = gather(input('wide', [50, 9000]), rows);
    expect(kernelNames({ outputs: [wide], scalars })).toEqual(['shuffleIndices', 'gather']);
    expect(kernelNames({ outputs: [rows, gather(table, rows)], scalars })).toEqual(['shuffleIndices', 'gather']);
    expect(kernelNames({ outputs: [gather(table, rows)], scalars }, { fusion: false })).toHaveLength(2);
  });
});

test('without fusion every node has a kernel', () => {
  const x = input('x', [6, 10]);
  expect(kernelNames({ outputs: [softmax(x)] }, { fusion: false })).toEqual(['max', 'sub', 'exp', 'sum', 'div']);
});

test('a reader of a view of another kernel runs after it', () => {
  const x = input('x', [6, 10]);
  const total = sum(x, { axes: 1 });
  expect(
    kernelNames({ outputs: [exp(reshape(total, [2, 3])), matmul(reshape(total, [2, 3]), input('w', [3, 2]))] }),
  ).toEqual(['sum+exp', 'matmul']);
});
