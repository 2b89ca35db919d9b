/**
 * Ops that move elements, beyond what every op gets: what is made of them (tile, stack, split …), which of two forms a
 * call takes, and that no pipeline depends on the batch.
 */

import { describe, expect, test } from 'vitest';
import type { Op } from '../../src/core/op.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { iota } from '../../src/ops/create.ts';
import { concat, pack, split, stack } from '../../src/ops/layout/concat.ts';
import { gather, gatherGrad } from '../../src/ops/layout/gather.ts';
import { expandDims, flatten, reshape, squeeze } from '../../src/ops/layout/shape.ts';
import { pad, slice, sliceBlock, sliceContiguous } from '../../src/ops/layout/slice.ts';
import { tile } from '../../src/ops/layout/tile.ts';
import { flip, transpose } from '../../src/ops/layout/transpose.ts';
import { broadcastTo, unbroadcast } from '../../src/ops/reduction/sum.ts';
import { tensor } from '../../src/runtime/tensor.ts';
import type { Shape } from '../../src/util/shape.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { evaluate } from '../support/evaluate.ts';
import { naiveKernel } from '../support/naive-kernels.ts';

/** 0, 1, 2, … in `shape`. */
const ramp = (...shape: number[]): Tensor => reshape(iota(sizeOf(shape), 'f32'), shape);
const values = (tensor: Tensor): number[] => [...evaluate(tensor).data];

describe('what is made of the ops', () => {
  test('tile repeats each axis', () => {
    expect(values(tile(ramp(2, 2), [1, 2]))).toEqual([0, 1, 0, 1, 2, 3, 2, 3]);
    expect(values(tile(ramp(2, 2), [2, 1]))).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    expect(() => tile(ramp(2), [0])).toThrow('tile: f32[2] needs 1 whole numbers ≥ 1, got [0]');
  });

  test('pad takes from the tensor itself as numpy.pad does', () => {
    const row = (...numbers: number[]) => tensor(numbers);
    expect(values(pad(row(1, 2, 3), [[2, 4]], 'edge'))).toEqual([1, 1, 1, 2, 3, 3, 3, 3, 3]);
    expect(values(pad(row(1, 2, 3, 4), [[3, 2]], 'reflect'))).toEqual([4, 3, 2, 1, 2, 3, 4, 3, 2]);
    expect(values(pad(row(1, 2, 3), [[3, 2]], 'symmetric'))).toEqual([3, 2, 1, 1, 2, 3, 3, 2]);
    const framed = pad(
      ramp(2, 3),
      [
        [1, 0],
        [0, 2],
      ],
      'reflect',
    );
    expect(values(framed)).toEqual([3, 4, 5, 4, 3, 0, 1, 2, 1, 0, 3, 4, 5, 4, 3]);
  });

  test('stack and split are inverse', () => {
    const parts = split(ramp(2, 6), 3, { axis: 1 });
    expect(parts.map(values)).toEqual([
      [0, 1, 6, 7],
      [2, 3, 8, 9],
      [4, 5, 10, 11],
    ]);
    expect(values(concat(parts, { axis: -1 }))).toEqual(values(ramp(2, 6)));
    expect(stack([ramp(3), ramp(3)], { axis: -1 }).shape).toEqual([3, 2]);
    expect(values(stack([ramp(3), ramp(3)], { axis: 1 }))).toEqual([0, 0, 1, 1, 2, 2]);
    expect(() => split(ramp(2, 5), 3, { axis: 1 })).toThrow('split: axis 1 of f32[2,5] does not divide into 3');
  });

  test('concat of many is a chain of few', () => {
    const many = Array.from({ length: 40 }, (_, k) => ramp(1 + (k % 3)));
    const joined = concat(many);
    expect(values(joined)).toEqual(many.flatMap(values));
    expect(values(joined)).toEqual(values(pack(many)));
    const widest = (node: Tensor): number =>
      Math.max(node.op === concat ? node.inputs.length : 0, ...node.inputs.map(widest));
    expect(widest(joined)).toBeLessThanOrEqual(6);
  });

  test('axes come, go and merge', () => {
    const x = ramp(2, 3, 4);
    expect([expandDims(x, 0), expandDims(x, -1), expandDims(x, 2)].map(({ shape }) => shape)).toEqual([
      [1, 2, 3, 4],
      [2, 3, 4, 1],
      [2, 3, 1, 4],
    ]);
    expect([flatten(x), flatten(x, 1), flatten(x, -1)].map(({ shape }) => shape)).toEqual([[24], [2, 12], [2, 3, 4]]);
    expect([squeeze(ramp(1, 2, 1)), squeeze(ramp(1, 2, 1), -1)].map(({ shape }) => shape)).toEqual([[2], [1, 2]]);
    expect(() => squeeze(x, 1)).toThrow('squeeze: axis 1 of f32[2,3,4] has size 3, not 1');
  });

  test('transpose reverses by itself and takes negative axes', () => {
    expect(transpose(ramp(2, 3, 4)).shape).toEqual([4, 3, 2]);
    expect(transpose(ramp(2, 3, 4), [0, -1, 1]).shape).toEqual([2, 4, 3]);
    expect(values(flip(ramp(2, 2)))).toEqual([3, 2, 1, 0]);
  });

  test('unbroadcast is the same tensor where nothing was stretched', () => {
    const x = ramp(2, 3);
    expect(unbroadcast(x, [2, 3])).toBe(x);
    expect(values(unbroadcast(x, [1, 3]))).toEqual([3, 5, 7]);
    expect(unbroadcast(broadcastTo(ramp(3), [1, 3]), [3]).op).toBe(reshape);
  });
});

describe('slice', () => {
  test.each([
    ['rows', [4, 3], [1, 0], [2, 3], sliceContiguous],
    ['a run within one row', [4, 3], [2, 1], [1, 2], sliceContiguous],
    ['to the end', [4, 3], [2, 0], [-1, -1], sliceContiguous],
    ['everything', [4, 3], [0, 0], [4, 3], sliceContiguous],
    ['a column', [4, 3], [0, 1], [4, 1], sliceBlock],
    ['a corner', [4, 3], [1, 1], [2, 2], sliceBlock],
  ] as const)('%s', (_title, shape, begin, size, op) => {
    const found = slice(ramp(...shape), begin, size);
    expect(found.op).toBe(op);
    const expected: number[] = [];
    for (let r = 0; r < found.shape[0]; r++) {
      for (let c = 0; c < found.shape[1]; c++) expected.push((begin[0] + r) * shape[1] + begin[1] + c);
    }
    expect(values(found)).toEqual(expected);
  });

  test('undoes pad', () => {
    const x = ramp(2, 3);
    const padded = pad(x, [
      [1, 2],
      [0, 1],
    ]);
    expect(values(slice(padded, [1, 0], [2, 3]))).toEqual(values(x));
  });
});

test('one kernel text serves every batch size', () => {
  const f32 = (shape: Shape) => ({ shape, dtype: 'f32' as const });
  const indices = (count: number) => ({ shape: [count], dtype: 'i32' as const });
  const textsFor = (N: number): string[] => {
    const text = <A>(op: Op<A>, inputs: Parameters<Op<A>['infer']>[0], attrs: A) => naiveKernel(op, inputs, attrs).wgsl;
    return [
      text(transpose, [f32([N, 3, 5])], { perm: [0, 2, 1] }),
      text(flip, [f32([N, 3])], { axes: [1] }),
      text(sliceBlock, [f32([N, 7])], { begin: [0, 2], size: [N, 3] }),
      text(concat, [f32([N, 3]), f32([N, 4])], { axis: 1 }),
      text(concat, [f32([N, 3]), f32([2 * N, 3])], { axis: 0 }),
      text(gather, [f32([50 * N, 4]), indices(N)], { axis: 0 }),
      text(gatherGrad, [f32([N, 4]), indices(N)], { shape: [50, 4], axis: 0 }),
    ];
  };
  expect(textsFor(2)).toEqual(textsFor(7));
});
