/** Options of ops: a misspelt one, or a positional value in their place, is refused and never ignored. */

import { describe, expect, test } from 'vitest';
import { conv2d } from '../../src/ops/convolution/conv.ts';
import { ones } from '../../src/ops/create.ts';
import { relu } from '../../src/ops/elementwise/activations.ts';
import { add } from '../../src/ops/elementwise/binary.ts';
import { concat } from '../../src/ops/layout/concat.ts';
import { gather } from '../../src/ops/layout/gather.ts';
import { pad } from '../../src/ops/layout/slice.ts';
import { flip } from '../../src/ops/layout/transpose.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { maxPool2d } from '../../src/ops/pooling/pool.ts';
import { randomNormal } from '../../src/ops/random/random.ts';
import { argMax } from '../../src/ops/reduction/arg-reduce.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { softmax } from '../../src/ops/reduction/softmax.ts';
import { expectRefusal } from '../data/refusal.ts';

const x = ones([2, 3]);
const image = ones([1, 4, 4, 1]);
const key = ones([2], 'u32');

describe('options of ops', () => {
  test.each([
    [() => sum(x, 0 as never), /sum: expected an object of options such as \{ axes: … \}, found 0/],
    [() => sum(x, { axs: 0 } as never), /sum: unknown option "axs"; did you mean "axes"\?/],
    [() => sum(x, { axis: 0, axes: 0 }), /sum: axis and axes mean the same; give one of them/],
    [() => flip(x, 3 as never), /flip: expected an object of options such as \{ axes: … \}, found 3/],
    [() => matmul(x, x, { transpose_b: true } as never), /unknown option "transpose_b"; did you mean "transposeB"\?/],
    [() => argMax(x, { axes: 0 } as never), /argMax: unknown option "axes"; did you mean "axis"\?/],
    [() => softmax(x, { axes: 0 } as never), /softmax: unknown option "axes"; did you mean "axis"\?/],
    [() => concat([x, x], 1 as never), /concat: expected an object of options/],
    [() => gather(x, ones([1], 'i32'), 1 as never), /gather: expected an object of options/],
    [
      () => conv2d(image, ones([3, 3, 1, 1]), { stride: 2 } as never),
      /unknown option "stride"; did you mean "strides"/,
    ],
    [() => maxPool2d(image, undefined as never), /maxPool2d: expected an object of options .* found undefined/],
    [() => maxPool2d(image, { strides: 2 } as never), /maxPool2d: option "poolSize" is missing/],
    [
      () => randomNormal([-1] as never, 0 as never),
      /randomNormal: the key must be a u32\[2\] tensor, found \[-1\]; call /,
    ],
    [() => randomNormal(key, { shape: 3, stream: 0 } as never), /shape must list sizes, as in \[2, 3\], found 3/],
    [
      () =>
        pad(
          x,
          [
            [1, 1],
            [1, 1],
          ],
          'edgee' as never,
        ),
      /unknown mode of pad: "edgee"; did you mean "edge"\?/,
    ],
    [
      () =>
        pad(
          x,
          [
            [1, 1],
            [1, 1],
          ],
          { mode: 'edge' } as never,
        ),
      /unknown mode of pad: \{"mode":"edge"\}/,
    ],
    [() => pad(x, 1 as never), /pad: expected pairs \[before, after\], one an axis, found 1/],
    [() => (relu as (...given: unknown[]) => unknown)(x, { alpha: 0.1 }), /relu: takes one operand and no options/],
    [() => (add as (...given: unknown[]) => unknown)(x, x, x), /add: takes 2 operands and no options, found Tensor/],
  ])('%s', async (call, message) => {
    await expectRefusal(call, 'argument', message);
  });

  test('positions that map and reduce hand over are no options', () => {
    expect([x, x].map(relu).length).toBe(2);
    expect([x, x, x].reduce(add).shape).toEqual([2, 3]);
  });

  test('a reduction takes axis for axes', () => {
    expect(sum(x, { axis: 0 }).shape).toEqual([3]);
    expect(sum(x, { axis: [-1], keepDims: true }).shape).toEqual([2, 1]);
  });
});
