/**
 * Hand-written kernels of composite ops, each forced by planning for the targets that it names: what the f64 reference
 * gives, NaN and infinities included, the same bits twice, the gradient, fewer dispatches than `expand`, and the op's
 * formula where target or shapes do not fit.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { handKernelOf } from '../../src/compile/graph/hand-kernel.ts';
import { compileGraph } from '../../src/compile/index.ts';
import type { Plan } from '../../src/compile/plan.ts';
import { DEFAULT_TARGET, SOFTWARE_TARGET, type Target, withAdapterType } from '../../src/compile/target.ts';
import type { HandKernel } from '../../src/core/lowering.ts';
import { applyOp, type CpuTensor, type Op, opKey, type Sample } from '../../src/core/op.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { mul } from '../../src/ops/elementwise/binary.ts';
import { cast } from '../../src/ops/elementwise/cast.ts';
import { greater } from '../../src/ops/elementwise/compare.ts';
import { allOps } from '../../src/ops/index.ts';
import { slice } from '../../src/ops/layout/slice.ts';
import { softmax } from '../../src/ops/reduction/softmax.ts';
import { shaders } from '../../src/shaders.gen.ts';
import { gradients } from '../../src/transform/grad.ts';
import { Prng } from '../../src/util/prng.ts';
import { describeDivergence, divergenceOf, evaluateArithmeticSamples } from '../support/arithmetic-samples.ts';
import { bindPlaceholders, evaluateAll } from '../support/evaluate.ts';
import { input, type Roots, specOf } from '../support/graphs.ts';
import { runPlan, sameBits } from '../support/run-plan.ts';
import { drawCotangent, drawSample } from '../support/sample-values.ts';

let device: Backend;
beforeAll(async () => {
  device = await createNodeWebGPUBackend({ defaultLimits: true });
});
afterAll(() => device.dispose());

const FUSED = { fusion: true, reuse: true };

/** A target that takes `kernel`. */
function targetOf({ target }: HandKernel<unknown>): Target {
  return target.adapter === 'software' ? SOFTWARE_TARGET : DEFAULT_TARGET;
}

/** Whether a dispatch of `plan` runs `kernel`. */
function runs(plan: Plan, op: Op, { workgroupSize }: HandKernel<unknown>): boolean {
  return plan.dispatches.some(({ reference, kernel }) => {
    return reference.some((step) => step.op === opKey(op)) && plan.kernels[kernel].workgroupSize === workgroupSize;
  });
}

const kernels = allOps.flatMap((op) =>
  op.lower.kind === 'composite' ? (op.lower.kernels ?? []).map((kernel, k) => ({ op, kernel, k })) : [],
);
const titled = kernels.map((each) => {
  return [`${each.op.name}: ${each.kernel.shader} on ${each.kernel.target.adapter} adapters`, each] as const;
});

test('softmax has one for each adapter type', () => {
  const found = kernels.filter(({ op }) => op === softmax).map(({ kernel }) => kernel.target.adapter);
  expect(found.sort()).toEqual(['hardware', 'software']);
});

test('every hand-written shader is named by an op', () => {
  const written = Object.entries(shaders).flatMap(([name, text]) => (text.includes('@slot load_0') ? [name] : []));
  expect(written.sort()).toEqual([...new Set(kernels.map(({ kernel }) => kernel.shader))].sort());
});

describe.each(titled)('%s', (_title, { op, kernel, k }) => {
  const target = targetOf(kernel);

  /** The samples that this kernel and no other takes. */
  function taken(): readonly Sample[] {
    return op.samples.filter(({ inputs, attrs }) => {
      const tensors = inputs.map(({ shape, dtype = 'f32' }, at) => Tensor.placeholder(`x${at}`, { shape, dtype }));
      return handKernelOf(applyOp(op, tensors, attrs), target)?.kernel === kernel;
    });
  }

  async function run(plan: Plan, roots: Roots, bindings: ReadonlyMap<Tensor, CpuTensor>) {
    const [first, second] = await runPlan(device, plan, specOf('hand', roots), bindings, 2);
    expect(sameBits(second, first), 'the same bits twice').toBe(true);
    return first;
  }

  test('a sample of the op is a call that it takes, in fewer dispatches', () => {
    expect(taken().length).toBeGreaterThan(0);
    for (const { inputs, attrs } of taken()) {
      const tensors = inputs.map(({ shape, dtype }, at) => input(`x${at}`, shape, dtype));
      const spec = specOf('hand', { outputs: [applyOp(op, tensors, attrs)] });
      const plan = compileGraph(spec, target, FUSED);
      expect(runs(plan, op, kernel)).toBe(true);
      expect(plan.dispatches.length).toBe(1);
      const { lower } = op;
      const without = { ...op, lower: { kind: 'composite' as const } };
      expect(lower.kind === 'composite' && lower.kernels?.[k]).toBe(kernel);
      const expanded = compileGraph(specOf('x', { outputs: [applyOp(without as Op, tensors, attrs)] }), target, FUSED);
      expect(expanded.dispatches.length).toBeGreaterThan(1);
    }
  });

  test('gives what the reference gives, through NaN and infinities', async () => {
    for (const sample of taken()) {
      for (const special of [undefined, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const values = drawSample(sample);
        const random = new Prng(k, 5);
        if (special !== undefined) values[0].data[random.int(values[0].data.length)] = special;
        const { tensors, bindings } = bindPlaceholders(values);
        const y = applyOp(op, tensors, sample.attrs);
        const plan = compileGraph(specOf('hand', { outputs: [y] }), target, FUSED);
        const { outputs } = await run(plan, { outputs: [y] }, bindings);
        const [{ data }] = evaluateAll([y], { bindings });
        const wrong = data.findIndex((expected: number, i: number) => {
          const accepted = op.tolerance.relative * Math.max(1, Math.abs(expected));
          const found = outputs[0][i];
          const same = Object.is(found, expected) || found === expected || Math.abs(found - expected) <= accepted;
          return !same;
        });
        const why = {
          element: wrong,
          found: outputs[0][wrong],
          expected: data[wrong],
          accepted: op.tolerance.relative,
        };
        expect(wrong, wrong < 0 ? '' : describeDivergence(`with ${special}`, why)).toBe(-1);
      }
    }
  });

  test('has the gradient of its formula', async () => {
    for (const sample of taken()) {
      const { tensors, bindings } = bindPlaceholders(drawSample(sample));
      const y = applyOp(op, tensors, sample.attrs);
      const dy = Tensor.placeholder('dy', y);
      const all = new Map([...bindings, [dy, drawCotangent(y.shape, 0)]]);
      const outputs = [y, ...gradients(y, tensors, dy)];
      const plan = compileGraph(specOf('hand', { outputs }), target, FUSED);
      expect(runs(plan, op, kernel)).toBe(true);
      const found = await run(plan, { outputs }, all);
      expect(divergenceOf(found.outputs, evaluateArithmeticSamples(outputs, all))).toBeUndefined();
    }
  });

  test('gives way without fusion, on other targets and in smaller workgroups', () => {
    const [{ inputs, attrs }] = taken();
    const tensors = inputs.map(({ shape, dtype }, at) => input(`x${at}`, shape, dtype));
    const y = applyOp(op, tensors, attrs);
    expect(runs(compileGraph(specOf('hand', { outputs: [y] }), target, { ...FUSED, fusion: false }), op, kernel)).toBe(
      false,
    );
    const other = withAdapterType(target, target.adapterType === 'software' ? 'hardware' : 'software');
    expect(handKernelOf(y, other)?.kernel).not.toBe(kernel);
    const small = { ...target, maxComputeInvocationsPerWorkgroup: kernel.workgroupSize - 1 };
    expect(handKernelOf(y, small)?.kernel).not.toBe(kernel);
  });
});

describe('softmax over long rows', () => {
  const hand = (adapter: 'software' | 'hardware'): Target =>
    adapter === 'software' ? SOFTWARE_TARGET : DEFAULT_TARGET;
  const values = (rows: number, size: number): CpuTensor => {
    const random = new Prng(rows, size);
    const data = Float64Array.from({ length: rows * size }, () => Math.fround(3 * random.bell()));
    return { shape: [rows, size], dtype: 'f32', data };
  };

  test.each([
    [1, 1025],
    [3, 1500],
    [1, 65536],
    [70, 1100],
  ])('%i rows of %i', async (rows, size) => {
    const x = input('x', [rows, size]);
    const bindings = new Map([[x, values(rows, size)]]);
    const [{ data }] = evaluateAll([softmax(x)], { bindings });
    for (const adapter of ['software', 'hardware'] as const) {
      const spec = specOf('hand', { outputs: [softmax(x)] });
      const plan = compileGraph(spec, hand(adapter), FUSED);
      expect(plan.dispatches.length).toBe(1);
      const [{ outputs }] = await runPlan(device, plan, spec, bindings);
      const errors = Array.from(data, (y, i) => Math.abs(outputs[0][i] - y));
      expect(errors.filter((error) => !(error < 2e-6))).toEqual([]);
    }
  });

  test.each([
    ['rows that are short', [4, 1024], 1],
    ['another axis', [1500, 4], 0],
    ['rows that are cut into chunks', [1, 65537], 1],
    ['no rows', [0, 1500], 1],
  ] as const)('%s are the formula', (_title, shape, axis) => {
    for (const adapter of ['software', 'hardware'] as const) {
      expect(handKernelOf(softmax(input('x', shape), { axis }), hand(adapter))).toBeUndefined();
    }
  });

  test('reads views and recomputed values, beside another kernel, and may update what it reads', async () => {
    const [x, y] = [input('x', [5, 1500]), input('y', [2, 1500])];
    const bindings = new Map([
      [x, values(5, 1500)],
      [y, values(2, 1500)],
    ]);
    // The second to fourth row of x, and a mask that every reader computes.
    const part = softmax(slice(x, [1, 0], [3, 1500]));
    const masked = softmax(cast(greater(x, 0), 'f32'));
    const roots: Roots = { outputs: [part, mul(part, 2), masked], updates: [[y, softmax(y)]] };
    const expected = evaluateAll([part, mul(part, 2), masked, softmax(y)], { bindings });
    for (const adapter of ['software', 'hardware'] as const) {
      const spec = specOf('hand', roots);
      const plan = compileGraph(spec, hand(adapter), FUSED);
      // Where uniforms are copied, a kernel with barriers stays alone.
      expect(plan.dispatches.some(({ label }) => label.includes('softmax & '))).toBe(adapter === 'hardware');
      expect(plan.dispatches.some(({ label }) => label.includes('greater'))).toBe(false);
      const [{ outputs, updates }] = await runPlan(device, plan, spec, bindings);
      [...outputs, ...updates].forEach((found, at) => {
        const wrong = expected[at].data.findIndex((e: number, i: number) => !(Math.abs(found[i] - e) <= 4e-6));
        expect(wrong, `result ${at} on ${adapter}`).toBe(-1);
      });
    }
  });
});
