/**
 * The WGSL of every op record, for each of its samples: parsed and typed by itself, so that a mistake is said with the
 * op's name, where the op is defined.
 */

import { expect, test } from 'vitest';
import { defineOp, type Op, type OpRecord } from '../../src/core/op.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { checkLowering } from '../../src/kernel/check-lowering.ts';
import { relu } from '../../src/ops/elementwise/activations.ts';
import { allOps } from '../../src/ops/index.ts';
import { transpose } from '../../src/ops/layout/transpose.ts';
import { sum } from '../../src/ops/reduction/sum.ts';
import { type ShaderName, shaders } from '../../src/shaders.gen.ts';

const library = (name: string): string => shaders[name as ShaderName];

function check(op: Op): number {
  let checked = 0;
  for (const { inputs, attrs } of op.samples) {
    const avals = inputs.map(({ shape, dtype = 'f32' }) => ({ shape, dtype }));
    if (checkLowering(op, avals, attrs, library) !== null) checked++;
  }
  return checked;
}

test.each(allOps.map((op) => [op.name, op] as const))('%s', (_, op: Op) => {
  const bare = ['view', 'concat', 'composite'].includes(op.lower.kind);
  expect(check(op)).toBe(bare ? 0 : op.samples.length);
});

/** `op` with another lowering, under another name. */
function spoiled(op: Op, lower: object): Op {
  const { infer, cpu, vjp, doc, samples, rejects, tolerance, bench } = op;
  const record = { name: 'spoiled', infer, cpu, vjp, doc, samples, rejects, tolerance, bench, lower };
  return defineOp(record as OpRecord, (apply) => (x: Tensor) => apply([x], {}));
}

test.each<[string, Op, (lower: never) => object, RegExp]>([
  ['an unknown function', relu, () => ({ wgsl: ([x]: string[]) => `maxx(${x}, 0.0)` }), /op "spoiled".*maxx/s],
  ['an unknown name', relu, () => ({ wgsl: () => 'max(y0, 0.0)' }), /op "spoiled".*y0.*did you mean "x0"/s],
  ['a wrong type', relu, () => ({ wgsl: ([x]: string[]) => `u32(${x})` }), /op "spoiled".*u32, but f32 is wanted/s],
  ['a missing library', relu, () => ({ wgsl: ([x]: string[]) => `float_relu(${x})` }), /op "spoiled".*float_relu/s],
  ['what is not WGSL', relu, () => ({ wgsl: ([x]: string[]) => `(${x}` }), /op "spoiled".*expected "\)"/s],
  ['an index body without a result', transpose, () => ({ wgsl: () => 'let j = i;' }), /op "spoiled".*may end without/s],
  [
    'a step of another type',
    sum,
    ({ chain }: { chain: object }) => ({ chain: { ...chain, step: (acc: string) => `bool(${acc})` } }),
    /op "spoiled".*bool, but f32 is wanted/s,
  ],
])('%s is refused with the name of the op', (_, op, change, message) => {
  const lower = { ...op.lower, ...change(op.lower as never) };
  expect(() => check(spoiled(op, lower))).toThrow(message);
});
