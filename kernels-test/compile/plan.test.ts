/**
 * schedule and memory: which updates happen in place, in what order kernels run, how values share buffers, what is
 * stored in parts of a place; and that whatever was chosen, the numbers are right.
 */

import { beforeAll, describe, expect, test } from 'vitest';
import { type CpuBackend, createCpuBackend } from '../../src/backend/cpu.ts';
import { compileGraph } from '../../src/compile/index.ts';
import type { Plan } from '../../src/compile/plan.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { add, mul, sub } from '../../src/ops/elementwise/binary.ts';
import { neg } from '../../src/ops/elementwise/neg.ts';
import { exp, square } from '../../src/ops/elementwise/unary.ts';
import { reshape } from '../../src/ops/layout/shape.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { bindPlaceholders, evaluateAll } from '../support/evaluate.ts';
import { input, kernelNames, planned, type Roots, SOFTWARE_TARGET, specOf } from '../support/graphs.ts';
import { runPlan } from '../support/run-plan.ts';
import { drawInput } from '../support/sample-values.ts';

let cpu: CpuBackend;
beforeAll(() => {
  cpu = createCpuBackend({ precision: 'f64' });
});

/** Runs the plan on the CPU, with the plan's own buffers, and compares outputs and updates with the bare reference. */
async function expectRightNumbers(roots: Roots): Promise<Plan> {
  const plan = planned(roots);
  const spec = specOf('test', roots);
  const values = spec.inputs.map(({ tensor }, k) => drawInput({ shape: tensor.shape, dtype: tensor.dtype }, [k]));
  const bindings = new Map(spec.inputs.map(({ tensor }, k) => [tensor, values[k]]));
  const [{ outputs, updates }] = await runPlan(cpu, plan, spec, bindings);
  const wanted = [...spec.outputs.map(({ tensor }) => tensor), ...spec.updates!.map(({ value }) => value)];
  const expected = wanted.map((tensor) => [...evaluateAll([tensor], { bindings })[0].data]);
  expect([...outputs, ...updates].map((data) => Array.from(data))).toEqual(expected);
  return plan;
}

const temporaries = (plan: Plan) => plan.buffers.filter(({ role }) => role === 'temporary');

describe('updates', () => {
  const [p, g, m] = [input('p', [20]), input('g', [20]), input('m', [20])];
  const [a, b] = [input('a', [8]), input('b', [8])];
  const w = input('w', [4, 4]);

  test.each<[string, Roots, string[]]>([
    [
      'an optimizer step is one kernel in place',
      {
        updates: [
          [m, add(m, g)],
          [p, sub(p, add(m, g))],
        ],
      },
      ['add+sub'],
    ],
    ['a read of the old value is in the same kernel', { outputs: [exp(p)], updates: [[p, sub(p, g)]] }, ['exp+sub']],
    ['so does one by another kernel', { outputs: [sum(p)], updates: [[p, sub(p, g)]] }, ['sum', 'sub']],
    [
      'a swap needs a copy',
      {
        updates: [
          [a, b],
          [b, a],
        ],
      },
      ['copy a', 'copy b', 'copy'],
    ],
    [
      'a crossed update needs a copy',
      {
        updates: [
          [a, add(b, 1)],
          [b, add(a, 2)],
        ],
      },
      ['add', 'add', 'copy'],
    ],
    ['a product that reads its target elsewhere', { updates: [[w, matmul(w, w)]] }, ['matmul', 'copy']],
    ['the target seen as another shape', { updates: [[w, reshape(neg(reshape(w, [16])), [4, 4])]] }, ['neg']],
    ['a fold of the target added to it needs a copy', { updates: [[p, add(p, sum(p))]] }, ['sum+add', 'copy']],
  ])('%s', async (_title, roots, expected) => {
    expect(kernelNames(roots)).toEqual(expected);
    await expectRightNumbers(roots);
  });

  test('an update that proves not to be in place counts as two buffers', async () => {
    // The product reads the new value and the old one, so the new one lies elsewhere: with it the sum would bind nine.
    const others = Array.from({ length: 7 }, (_, k) => input(`x${k}`, [4, 4]));
    const fresh = others.reduce((total, each) => add(total, each), w);
    const plan = await expectRightNumbers({ outputs: [matmul(fresh, w)], updates: [[w, fresh]] });
    expect(plan.dispatches.map(({ label }) => label.replace(/ \[.*/, ''))).toEqual([
      'add+add+add+add+add+add',
      'add',
      'matmul',
      'copy',
    ]);
    const alone = await expectRightNumbers({ updates: [[w, fresh]] });
    expect(alone.dispatches).toHaveLength(1);
  });

  test('in place takes no memory', () => {
    const plan = planned({
      updates: [
        [m, add(m, g)],
        [p, sub(p, add(m, g))],
      ],
    });
    expect(plan.planBytes).toBe(0);
    expect(plan.inputs.map(({ name, updated }) => [name, updated])).toEqual([
      ['p', true],
      ['g', false],
      ['m', true],
    ]);
  });
});

describe('buffers', () => {
  /** A chain of `n` products: each value dies when the next is there. */
  const chain = (n: number): Tensor => {
    let x = input('x', [8, 8]);
    const w = input('w', [8, 8]);
    for (let k = 0; k < n; k++) x = matmul(x, w);
    return x;
  };

  test('values with disjoint lives share them', async () => {
    const plan = await expectRightNumbers({ outputs: [chain(7)] });
    expect(plan.dispatches).toHaveLength(7);
    expect(temporaries(plan)).toHaveLength(2);
    expect(temporaries(planned({ outputs: [chain(7)] }, { reuse: false }))).toHaveLength(6);
  });

  test('a value lives until its last reader', async () => {
    const x = input('x', [8, 8]);
    const w = input('w', [8, 8]);
    const first = matmul(x, w);
    let last = first;
    for (let k = 0; k < 3; k++) last = matmul(last, w);
    const plan = await expectRightNumbers({ outputs: [matmul(first, last)] });
    const [held] = plan.dispatches[0].buffers.slice(-1);
    const writers = plan.dispatches.map(({ buffers }) => buffers[buffers.length - 1]);
    expect(writers.lastIndexOf(held)).toBe(0);
  });

  test('a large value takes a freed buffer of its size, not a small one', async () => {
    const [x, w, wide] = [input('x', [8, 8]), input('w', [8, 8]), input('wide', [8, 64])];
    const large = matmul(matmul(x, w), wide);
    const back = matmul(large, wide, { transposeB: true });
    const plan = await expectRightNumbers({ outputs: [matmul(matmul(back, wide), wide, { transposeB: true })] });
    const sizes = temporaries(plan).map(({ bytes }) => bytes / 4);
    expect(sizes.sort((a, b) => a - b)).toEqual([64, 512]);
  });

  test('an output has memory of its own and is never reused', async () => {
    const x = input('x', [8, 8]);
    const w = input('w', [8, 8]);
    const y = matmul(x, w);
    const plan = await expectRightNumbers({ outputs: [y, matmul(matmul(y, w), w)] });
    expect(plan.outputs.map(({ buffer }) => plan.buffers[buffer].role)).toEqual(['output', 'output']);
  });

  test('constants are filled once; scalars share one block', async () => {
    const [x, rate, step] = [input('x', [3]), input('rate', []), input('step', [], 'i32')];
    const roots = { outputs: [mul(x, rate), add(step, 1)], scalars: [rate, step] };
    const plan = await expectRightNumbers(roots);
    expect(plan.buffers.map(({ role }) => role).sort()).toEqual(['bound', 'output', 'output', 'scalars']);
    expect(plan.inputs.filter(({ kind }) => kind === 'scalar').map(({ offset }) => offset)).toEqual([0, 64]);
  });
});

test('with nothing reused or fused the numbers are the same', async () => {
  const { tensors, bindings } = bindPlaceholders([
    drawInput({ shape: [6, 5] }, [1]),
    drawInput({ shape: [5, 6] }, [2]),
  ]);
  const [x, w] = tensors;
  const outputs = [sum(square(matmul(x, w)), { axes: 0 }), exp(matmul(x, w))];
  const spec = specOf('test', { outputs });
  const runs = await Promise.all(
    [true, false].map(async (on) => {
      const plan = compileGraph(spec, SOFTWARE_TARGET, { fusion: on, reuse: on });
      return (await runPlan(cpu, plan, spec, bindings))[0].outputs.map((data) => Array.from(data));
    }),
  );
  expect(runs[0]).toEqual(runs[1]);
});
