/** Bytes of a dispatch: each value read once and each written once, whatever the kernel is. */
import { describe, expect, test } from 'vitest';
import { bytesMoved, wholeTraffic } from '../../src/compile/schedule/traffic.ts';
import { conv2dWeightGrad } from '../../src/ops/convolution/conv.ts';
import { add, mul } from '../../src/ops/elementwise/binary.ts';
import { exp } from '../../src/ops/elementwise/unary.ts';
import { gather } from '../../src/ops/layout/gather.ts';
import { slice } from '../../src/ops/layout/slice.ts';
import { unpackBytes } from '../../src/ops/layout/unpack-bytes.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { max, sum } from '../../src/ops/reduction/reduce.ts';
import { input, planned, type Roots } from '../support/graphs.ts';

/** Elements that each dispatch moves. */
const moved = (roots: Roots): number[] => planned(roots).dispatches.map(({ bytes }) => bytes / 4);

const [x, y] = [input('x', [20, 30]), input('y', [20, 30])];

describe('bytes of a dispatch', () => {
  const [a, b, bias] = [input('a', [4, 3]), input('b', [3, 5]), input('bias', [5])];
  const rate = input('rate', []);
  const table = input('table', [1000, 7], 'u32');
  const indices = input('indices', [6], 'u32');

  test.each<[string, Roots, number]>([
    ['a product reads every operand once', { outputs: [matmul(a, b)] }, 12 + 15 + 20],
    ['its epilogue reads what it adds', { outputs: [add(matmul(a, b), bias)] }, 12 + 15 + 5 + 20],
    ['a value that is read twice counts once', { outputs: [mul(x, exp(x))] }, 600 + 600],
    ['a broadcast scalar is one element', { outputs: [mul(x, rate)], scalars: [rate] }, 600 + 1 + 600],
    ['an update in place is a read and a write', { updates: [[x, add(x, y)]] }, 600 + 600 + 600],
    ['a reduction reads all and writes little', { outputs: [sum(x, { axis: 1 })] }, 600 + 20],
    ['a run of rows reads its rows', { outputs: [exp(slice(x, [5, 0], [2, 30]))] }, 60 + 60],
    ['so does a block with gaps', { outputs: [exp(slice(x, [5, 1], [2, 3]))] }, 6 + 6],
    ['a slice of what is computed reads no more', { outputs: [slice(exp(x), [5, 1], [2, 3])] }, 6 + 6],
    ['rows by index', { outputs: [unpackBytes(gather(table, indices))] }, 6 * 7 + 6 + 6 * 28],
    [
      'halves of one buffer that overlap',
      { outputs: [mul(slice(x, [0, 0], [12, 30]), slice(x, [8, 0], [12, 30]))] },
      600 + 360,
    ],
  ])('%s', (_title, roots, elements) => {
    expect(moved(roots)).toEqual([elements]);
  });

  test('a reduction of what is recomputed reads what that reads', () => {
    expect(moved({ outputs: [sum(mul(slice(x, [0, 3], [20, 10]), rate))], scalars: [rate] })).toEqual([200 + 1 + 1]);
  });

  test('a reduction in two stages moves its partial results twice', () => {
    const long = input('long', [4096]);
    const plan = planned({ outputs: [add(sum(long), rate)] });
    const partials = plan.buffers.find(({ label }) => label === 'partial reductions')!.bytes / 4;
    expect(partials).toBeGreaterThan(1);
    expect(plan.dispatches.map(({ bytes }) => bytes / 4)).toEqual([4096 + partials, partials + 1 + 1]);
  });

  test('a product in two stages, too', () => {
    const [images, dy] = [input('images', [8, 12, 12, 1]), input('dy', [8, 12, 12, 4])];
    const dk = conv2dWeightGrad(images, dy, { kernelShape: [3, 3, 1, 4], padding: 'same' });
    const plan = planned({ outputs: [mul(dk, rate)] });
    const partials = plan.buffers.find(({ label }) => label === 'partial products')!.bytes / 4;
    expect(partials).toBeGreaterThan(36);
    const [first, second] = plan.dispatches.map(({ bytes }) => bytes / 4);
    expect([first, second]).toEqual([8 * 144 * (1 + 4) + partials, partials + 1 + 36]);
  });

  test('kernels side by side read a shared value once', () => {
    const roots = { outputs: [sum(x, { axis: 1 }), max(x, { axis: 0 })] };
    expect(planned(roots).dispatches[0].label).toContain(' & ');
    expect(moved(roots)).toEqual([600 + 20 + 30]);
  });
});

test('spans that touch or repeat are counted by their bytes', () => {
  const at = (from: number, bytes: number) => ({ buffer: 0, from, bytes });
  expect(bytesMoved([])).toBe(0);
  expect(bytesMoved([{ reads: [at(0, 4), at(4, 4), at(2, 3)], writes: [at(0, 8)] }])).toBe(8 + 8);
  expect(bytesMoved([wholeTraffic([])])).toBe(0);
});
