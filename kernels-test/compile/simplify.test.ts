/** simplify: what it merges, what it must not merge, what it writes out, and where it puts copies. */

import { describe, expect, test } from 'vitest';
import { defineOp } from '../../src/core/op.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { full } from '../../src/ops/create.ts';
import { add, mul } from '../../src/ops/elementwise/binary.ts';
import { neg } from '../../src/ops/elementwise/neg.ts';
import { clip } from '../../src/ops/elementwise/select.ts';
import { exp } from '../../src/ops/elementwise/unary.ts';
import { reshape } from '../../src/ops/layout/shape.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { input, type Roots, simplified } from '../support/graphs.ts';

/** Names of the nodes, in order. */
function ops(roots: Roots): string[] {
  return simplified(roots).nodes.map((node) => node.op!.name);
}

describe('equal nodes', () => {
  test('are computed once, at any depth', () => {
    const x = input('x', [3]);
    expect(ops({ outputs: [add(exp(neg(x)), exp(neg(x)))] })).toEqual(['neg', 'exp', 'add']);
  });

  test('have equal attributes and the same inputs in the same order', () => {
    const [x, y] = [input('x', [3, 3]), input('y', [3, 3])];
    const sums = add(sum(x, { axes: 0 }), sum(x, { axes: 1 }));
    expect(ops({ outputs: [sums] })).toEqual(['sum', 'sum', 'add']);
    expect(ops({ outputs: [mul(add(x, y), add(y, x))] })).toEqual(['add', 'add', 'mul']);
  });

  test.each([
    ['NaN and infinity', Number.NaN, Number.POSITIVE_INFINITY],
    ['infinity and its negative', Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ['zero and its negative', 0, -0],
    ['NaN and null', Number.NaN, 0],
  ])('%s in attributes differ', (_title, a, b) => {
    expect(ops({ outputs: [add(full([2], a), full([2], b))] })).toEqual(['full', 'full', 'add']);
    expect(ops({ outputs: [add(full([2], a), full([2], a))] })).toEqual(['full', 'add']);
  });

  test('-0 and 0 as bounds give two nodes', () => {
    const x = input('x', [3]);
    expect(ops({ outputs: [add(clip(x, 0, 1), clip(x, -0, 1))] })).toEqual(['clip', 'clip', 'add']);
  });

  test('a reshape to the same shape is no node; one to another shape stays a view', () => {
    const x = input('x', [2, 3]);
    expect(ops({ outputs: [exp(reshape(x, [2, 3]))] })).toEqual(['exp']);
    expect(ops({ outputs: [exp(reshape(x, [3, 2]))] })).toEqual(['reshape', 'exp']);
  });
});

describe('composites', () => {
  const composite = (name: string, expand: (x: Tensor) => Tensor) =>
    defineOp<object, (x: Tensor) => Tensor>(
      {
        name,
        doc: '',
        infer: ([x]) => x,
        cpu: () => undefined,
        vjp: null,
        lower: { kind: 'composite' },
        expand: ([x]) => expand(x),
        samples: [],
        rejects: [],
        tolerance: { relative: 0, source: '' },
        bench: { flops: () => 0, sample: { inputs: [], attrs: {} } },
      },
      (apply) => (x) => apply([x], {}),
    );
  const twice = composite('twice', (x) => add(x, x));
  const fourfold = composite('fourfold', (x) => twice(twice(x)));
  const same = composite('same', (x) => x);

  test('are written out, also inside of each other, and share nodes with the rest', () => {
    const x = input('x', [3]);
    expect(ops({ outputs: [fourfold(x)] })).toEqual(['add', 'add']);
    expect(ops({ outputs: [mul(twice(x), add(x, x))] })).toEqual(['add', 'mul']);
  });

  test('may be nothing but their input', () => {
    const x = input('x', [3]);
    expect(ops({ outputs: [exp(same(x))] })).toEqual(['exp']);
    expect(ops({ outputs: [exp(same(twice(x)))] })).toEqual(['add', 'exp']);
  });

  test('give their label to what they consist of', () => {
    const x = input('x', [3]);
    const y = fourfold(x);
    y.label = 'dense "fc1"';
    expect(simplified({ outputs: [y] }).nodes.map(({ label }) => label)).toEqual(['dense "fc1"', 'dense "fc1"']);
  });
});

describe('copies', () => {
  const [x, y] = [input('x', [4]), input('y', [4])];

  test.each<[string, Roots, string[]]>([
    ['an output that is an input', { outputs: [x] }, ['copy']],
    ['an output that is a view of an input', { outputs: [reshape(x, [2, 2])] }, ['reshape', 'copy']],
    ['a value that is two outputs', { outputs: [exp(x), exp(x)] }, ['exp', 'copy']],
    ['an output that is also an update', { outputs: [exp(x)], updates: [[x, exp(x)]] }, ['exp', 'copy']],
    [
      'a swap',
      {
        updates: [
          [x, y],
          [y, x],
        ],
      },
      ['copy', 'copy'],
    ],
    ['an update with itself', { updates: [[x, x]] }, ['copy']],
  ])('%s', (_title, roots, expected) => {
    expect(ops(roots).sort()).toEqual(expected.sort());
  });

  test('a whole view of a computed value takes no copy', () => {
    expect(ops({ outputs: [reshape(exp(x), [2, 2])] })).toEqual(['exp', 'reshape']);
  });
});
