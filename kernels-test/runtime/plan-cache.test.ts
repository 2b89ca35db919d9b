/** PlanCache: graphs of one structure share a plan, all others have their own, whatever their hashes are. */

import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/compile/plan.ts';
import { buildGraph, type Graph } from '../../src/core/graph.ts';
import { type Aval, Tensor } from '../../src/core/tensor.ts';
import { full } from '../../src/ops/create.ts';
import { add, mul, sub } from '../../src/ops/elementwise/binary.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { PlanCache, structureOf } from '../../src/runtime/plan-cache.ts';

const f32: Aval = { shape: [2, 3], dtype: 'f32' };

/** The graph of `make` on placeholders for `avals`. */
function graphOf(make: (...inputs: Tensor[]) => Tensor | Tensor[], avals: readonly Aval[] = [f32, f32]): Graph {
  const tensors = avals.map((aval, k) => Tensor.placeholder(`input${k}`, aval));
  return buildGraph({
    name: 'test',
    inputs: tensors.map((tensor, k) => ({ name: `input${k}`, kind: 'bound', tensor })),
    outputs: [make(...tensors)].flat().map((tensor, k) => ({ name: `output${k}`, tensor })),
  });
}

/** Fills as a value of plain attributes, so that any number can be tried. */
const filled = (value: number) => graphOf((x) => add(x, full([2, 3], value)));
const labelled = (label: string) =>
  graphOf((x, y) => {
    const z = add(x, y);
    z.label = label;
    return z;
  });

/** Each differs from the first in one way. */
const different: readonly (readonly [string, () => Graph])[] = [
  ['x + y', () => graphOf((x, y) => add(x, y))],
  ['another op', () => graphOf((x, y) => sub(x, y))],
  ['the inputs exchanged', () => graphOf((x, y) => add(y, x))],
  ['one input twice', () => graphOf((x) => add(x, x))],
  ['another shape', () => graphOf((x, y) => add(x, y), [f32, { shape: [1, 3], dtype: 'f32' }])],
  [
    'as many elements',
    () =>
      graphOf(
        (x, y) => add(x, y),
        [
          { ...f32, shape: [6] },
          { ...f32, shape: [6] },
        ],
      ),
  ],
  [
    'another dtype',
    () =>
      graphOf(
        (x, y) => add(x, y),
        [
          { ...f32, dtype: 'i32' },
          { ...f32, dtype: 'i32' },
        ],
      ),
  ],
  ['two outputs', () => graphOf((x, y) => [add(x, y), mul(x, y)])],
  ['two outputs, exchanged', () => graphOf((x, y) => [mul(x, y), add(x, y)])],
  ['an output twice', () => graphOf((x, y) => Array.from({ length: 2 }, () => add(x, y)))],
  ['a sum over axis 0', () => graphOf((x, y) => sum(add(x, y), { axes: [0] }))],
  ['a sum over axis 1', () => graphOf((x, y) => sum(add(x, y), { axes: [1] }))],
  ['a sum over both', () => graphOf((x, y) => sum(add(x, y), { axes: [0, 1] }))],
  ['a sum that keeps its axes', () => graphOf((x, y) => sum(add(x, y), { axes: [0], keepDims: true }))],
  ['a label', () => labelled('here')],
  ['another label', () => labelled('there')],
  ['0', () => filled(0)],
  ['-0', () => filled(-0)],
  ['NaN', () => filled(Number.NaN)],
  ['infinity', () => filled(Number.POSITIVE_INFINITY)],
];

describe('structures', () => {
  test('are equal for a graph that is traced again, and for no two others', () => {
    const texts = different.map(([, make]) => structureOf(make()).join());
    expect(different.map(([, make]) => structureOf(make()).join())).toEqual(texts);
    for (const [k, text] of texts.entries()) {
      expect(different[texts.indexOf(text)][0]).toBe(different[k][0]);
    }
  });
});

describe('the cache', () => {
  const planOf = (name: string) => ({ name }) as Plan;

  test.each([
    ['its own hash', undefined],
    ['one hash for all', () => 7],
  ])('gives the plan of an equal structure only, by %s', (_, hash) => {
    const cache = new PlanCache(64, hash);
    for (const [name, make] of [...different, ...different]) {
      let made = 0;
      const plan = cache.get(make(), () => {
        made++;
        return planOf(name);
      });
      expect(plan.name).toBe(name);
      if (made === 0) continue;
      const again = cache.get(make(), () => expect.unreachable('the plan is known'));
      expect(again).toBe(plan);
    }
  });

  test('lets the oldest go', () => {
    const cache = new PlanCache(2);
    const [first, second, third] = different.map(([, make]) => make());
    for (const [k, graph] of [first, second, third].entries()) cache.get(graph, () => planOf(`${k}`));
    const unmade = () => expect.unreachable('the plan is known');
    expect(cache.get(second, unmade).name).toBe('1');
    expect(cache.get(third, unmade).name).toBe('2');
    expect(cache.get(first, () => planOf('new')).name).toBe('new');
  });
});
