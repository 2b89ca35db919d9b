/**
 * Calls that tests, benches and documentation make of matmul: every transpose combination, sizes of 1, odd sizes, sizes
 * that fill no tile, and every way the batch axes can broadcast; then the calls that must be refused.
 */

import type { Reject, Sample } from '../../core/op.ts';
import type { MatmulAttrs } from './matmul-shapes.ts';

const PLAIN: MatmulAttrs = { transposeA: false, transposeB: false };
const A: MatmulAttrs = { transposeA: true, transposeB: false };
const B: MatmulAttrs = { transposeA: false, transposeB: true };
const AB: MatmulAttrs = { transposeA: true, transposeB: true };

function equalSample(title: string, a: readonly number[], b: readonly number[]): Sample<MatmulAttrs> {
  return {
    title,
    inputs: [
      { shape: a, values: 'equal' },
      { shape: b, values: 'equal' },
    ],
    attrs: PLAIN,
  };
}

function sample(title: string, a: readonly number[], b: readonly number[], attrs = PLAIN): Sample<MatmulAttrs> {
  return { title, inputs: [{ shape: a }, { shape: b }], attrs };
}

function reject(
  title: string,
  a: readonly number[],
  b: readonly number[],
  message: RegExp,
  attrs = PLAIN,
): Reject<MatmulAttrs> {
  return { ...sample(title, a, b, attrs), title, message };
}

export const matmulSamples: readonly Sample<MatmulAttrs>[] = [
  sample('one element', [1, 1], [1, 1]),
  sample('odd sizes', [3, 5], [5, 7]),
  sample('a row times a column', [1, 9], [9, 1]),
  sample('a column times a row', [5, 1], [1, 4]),
  sample('just over a tile', [17, 33], [33, 9]),
  sample('long inner axis', [2, 300], [300, 3]),
  equalSample('100,000 products', [1, 100_000], [100_000, 2]),
  sample('transposeA', [5, 3], [5, 7], A),
  sample('transposeB', [3, 5], [7, 5], B),
  sample('both transposes', [5, 3], [7, 5], AB),
  sample('batched', [2, 3, 4], [2, 4, 5]),
  sample('batched, both transposes', [2, 4, 3], [2, 5, 4], AB),
  sample('b shared by the batch', [2, 3, 4], [4, 5]),
  sample('b shared, transposeB', [2, 3, 4], [5, 4], B),
  sample('b shared, transposeA', [2, 4, 3], [4, 5], A),
  sample('b shared through axes of size 1', [2, 3, 4], [1, 4, 5]),
  sample('a shared by the batch', [3, 4], [2, 4, 5]),
  sample('batches broadcast both ways', [2, 1, 3, 4], [3, 4, 2]),
  sample('inner batch axis stretched', [2, 1, 2, 3], [2, 3, 3, 2]),
  sample('empty inner axis gives zeros', [2, 0], [0, 3]),
];

export const matmulRejects: readonly Reject<MatmulAttrs>[] = [
  reject('inner sizes differ', [2, 3], [4, 6], /^matmul: inner dimensions differ: \[2,3\] @ \[4,6\] \(3 ≠ 4\)$/),
  reject(
    'inner sizes differ, transposeB would fit',
    [2, 3],
    [4, 3],
    /^matmul: inner dimensions differ: \[2,3\] @ \[4,3\] \(3 ≠ 4\); did you mean transposeB: true\?$/,
  ),
  reject('transposeB too much', [2, 3], [3, 4], /\[2,3\] @ \[3,4\]ᵀ \(3 ≠ 4\); did you mean transposeB: false\?$/, B),
  reject('transposeA would fit', [3, 2], [3, 4], /\(2 ≠ 3\); did you mean transposeA: true\?$/),
  reject('a vector', [3], [3, 4], /^matmul: both sides need at least two axes: \[3\] @ \[3,4\]; reshape .* \[1,3\]/),
  reject('a scalar', [2, 2], [], /at least two axes: \[2,2\] @ \[\]; multiply by the scalar/),
  reject('batches differ', [2, 3, 4], [5, 4, 3], /^matmul: batch axes of \[2,3,4\] @ \[5,4,3\].* 2 and 5/),
  {
    title: 'integers',
    inputs: [{ shape: [2, 2], dtype: 'i32', values: { below: 3 } }, { shape: [2, 2] }],
    attrs: PLAIN,
    message: /^matmul: a must be f32, got i32\[2,2\]; convert it with cast/,
  },
];
