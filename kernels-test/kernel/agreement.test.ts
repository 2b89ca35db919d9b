/**
 * Every kernel that the compiler makes for the samples of the ops, for their gradients and for the reference graphs, evaluated in
 * f64, agrees with the ops' references to 1e-9: fused, joined, chunked and tiled as for each sort of adapter, without a device.
 */

import { beforeAll, describe, expect, test } from 'vitest';
import type { CpuBackend } from '../../src/backend/cpu.ts';
import { createEvaluatingBackend } from '../../src/backend/evaluate.ts';
import { compileGraph } from '../../src/compile/index.ts';
import type { Plan } from '../../src/compile/plan.ts';
import { DEFAULT_TARGET, SOFTWARE_TARGET, type Target } from '../../src/compile/target.ts';
import { isFloat } from '../../src/core/dtype.ts';
import { applyOp, type CpuTensor, type Op } from '../../src/core/op.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { allOps } from '../../src/ops/index.ts';
import { gradients } from '../../src/transform/grad.ts';
import { referenceGraphs } from '../golden/reference-graphs.ts';
import { deviceSamples } from '../support/device-samples.ts';
import { bindPlaceholders } from '../support/evaluate.ts';
import { specOf } from '../support/graphs.ts';
import { edited, textOf } from '../support/kernels.ts';
import { byPart, LONG, longTest, shortDescribe, shortTest } from '../support/part.ts';
import { runPlan } from '../support/run-plan.ts';
import { drawCotangent, drawSample, isFiniteSample } from '../support/sample-values.ts';

const RELATIVE = 1e-9;

const targets: Readonly<Record<string, Target>> = {
  software: SOFTWARE_TARGET,
  'software with subgroups': { ...SOFTWARE_TARGET, subgroupSize: 8 },
  hardware: DEFAULT_TARGET,
};

/** Plans that agreed. */
const checked = new Set<string>();

function evaluating(limits: Target): CpuBackend {
  return createEvaluatingBackend({ precision: 'f64', target: limits, agreeing: { relative: RELATIVE } });
}

/** Software is what tests run on; the others take as long again, where their plans are others. */
const short = Object.entries(targets).slice(0, 1);
const long = Object.entries(targets).slice(1);
/** A step of LeNet-5 takes five seconds. */
const SLOW = /^lenet5-adam/;
describe.each(byPart(short, long))('planned for %s adapters', (_, limits) => {
  let backend: CpuBackend;
  beforeAll(() => {
    backend = evaluating(limits);
  });

  async function check(
    title: string,
    outputs: readonly Tensor[],
    bindings: ReadonlyMap<Tensor, CpuTensor>,
  ): Promise<void> {
    const spec = specOf('agreement', { outputs });
    const plan = compileGraph(spec, limits, { fusion: true, reuse: true });
    // Many plans are the same for two adapters, and their values are drawn by the same seeds.
    const key = JSON.stringify([title, plan.kernels.map(textOf), plan.dispatches.map(({ uniforms }) => uniforms)]);
    if (checked.has(key)) return;
    await runPlan(backend, plan, spec, bindings);
    checked.add(key);
  }

  test.each(allOps.map((op) => [op.name, op] as const))('%s', async (_name, op: Op) => {
    for (const [s, sample] of deviceSamples(op).entries()) {
      const { tensors, bindings } = bindPlaceholders(drawSample(sample));
      const y = applyOp(op, tensors, sample.attrs);
      const outputs = [y];
      const all = new Map(bindings);
      const wrt = tensors.filter(({ dtype }) => isFloat(dtype));
      if (isFiniteSample(sample) && wrt.length > 0 && isFloat(y.dtype)) {
        const cotangent = Tensor.placeholder(`dy${s}`, y);
        all.set(cotangent, drawCotangent(y.shape, s));
        outputs.push(...gradients(y, wrt, cotangent));
      }
      await check(`${op.name} ${s}`, outputs, all);
    }
  });

  // Broadcasts meet at every step: whole training steps would take a minute.
  const graphs = referenceGraphs.filter(({ name }) => limits.subgroupSize === null || !/adam|sgd/.test(name));
  test.each(
    (LONG ? graphs : graphs.filter(({ name }) => !SLOW.test(name))).map((graph) => [graph.name, graph] as const),
  )('%s', async (_name, graph) => {
    await graph.run(backend);
  });
});

const slow = referenceGraphs.filter(({ name }) => SLOW.test(name));
longTest.each(slow.map((graph) => [graph.name, graph] as const))('planned for software: %s', async (_name, graph) => {
  await graph.run(evaluating(targets.software));
});

/** Every kernel of the goldens is among those that `run` evaluates: sizes are uniforms, so the batch does not matter. */
shortTest.each(referenceGraphs.map((graph) => [graph.name, graph] as const))(
  '%s has no other kernels',
  async (_, graph) => {
    const seen = new Set<string>();
    const backend = evaluating(targets.software);
    const load = backend.load.bind(backend);
    backend.load = (plan: Plan, ...rest) => {
      for (const kernel of plan.kernels) seen.add(textOf(kernel));
      return load({ ...plan, dispatches: [] }, ...rest);
    };
    await graph.run(backend).catch(() => undefined);
    const missing = (await graph.plan()).kernels.filter((kernel) => !seen.has(textOf(kernel)));
    expect(missing.map(({ label }) => label)).toEqual([]);
  },
);

shortDescribe('a kernel that is wrong', () => {
  const [x, w] = [
    Tensor.placeholder('x', { shape: [5, 7], dtype: 'f32' }),
    Tensor.placeholder('w', { shape: [7, 9], dtype: 'f32' }),
  ];
  const matmul = allOps.find(({ name }) => name === 'matmul') as Op;
  const product = applyOp(matmul, [x, w], { transposeA: false, transposeB: false });
  const spec = specOf('wrong', { outputs: [product] });
  const values = new Map(
    [x, w].map((tensor) => [
      tensor,
      { ...tensor, data: Float64Array.from({ length: tensor.size }, (_, k) => k % 5) } as CpuTensor,
    ]),
  );

  test.each([
    [
      'adds where it should multiply',
      'x * bv[0u]',
      'x + bv[0u]',
      /dispatch 0 "matmul.*: element \d+ of matmul is .* by the kernel, .* by the reference/,
    ],
    ['reads outside of a buffer', 'return b0[i];', 'return b0[i + 1u];', /reads or writes index \d+ of 35 elements/],
    [
      'calls what does not exist',
      'return b0[i];',
      'return missing(b0[i]);',
      /kernel "matmul.*", line \d+: unknown function "missing"/,
    ],
    [
      'has a wrong type',
      'return b0[i];',
      'return i;',
      /kernel "matmul.*", line \d+: the result is u32, but f32 is wanted/,
    ],
  ])('%s', async (_, from, to, message) => {
    const plan = compileGraph(spec, targets.software, { fusion: true, reuse: true });
    const kernels = plan.kernels.map((kernel) => {
      expect(textOf(kernel)).toContain(from);
      return edited(kernel, (wgsl) => wgsl.replace(from, to));
    });
    await expect(runPlan(evaluating(targets.software), { ...plan, kernels }, spec, values)).rejects.toThrow(message);
  });
});
