/**
 * What every op record must hold on a device within WebGPU's default limits, for each of its samples and for the sizes at
 * which kernels change their form: the values of the f64 reference within the record's tolerance, the same bits twice,
 * NaN and infinities where the reference has them, its gradient, and all of that with and without fusion.
 *
 * All samples of an op are one plan, so that an op costs one load and its pipelines are built side by side.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { firstDivergence } from '../../src/backend/validate/bounds.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { compileGraph } from '../../src/compile/index.ts';
import { makeTarget } from '../../src/compile/target.ts';
import { isFloat } from '../../src/core/dtype.ts';
import { applyOp, type CpuTensor, type Op, type Sample } from '../../src/core/op.ts';
import { type Aval, describe as describeAval, Tensor } from '../../src/core/tensor.ts';
import { allOps } from '../../src/ops/index.ts';
import { gradients } from '../../src/transform/grad.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { describeDivergence, evaluateArithmeticSamples } from '../support/arithmetic-samples.ts';
import { type Draw, deviceSamples, specialDraws } from '../support/device-samples.ts';
import { type Bindings, bindPlaceholders, evaluateAll } from '../support/evaluate.ts';
import { specOf } from '../support/graphs.ts';
import { runPlan, sameBits } from '../support/run-plan.ts';
import { drawCotangent, drawSample, isFiniteSample } from '../support/sample-values.ts';

let gpu: Backend;
beforeAll(async () => {
  gpu = await createNodeWebGPUBackend();
  expect(gpu.target.subgroupSize, 'products that share operands need subgroups').not.toBeNull();
});
afterAll(async () => {
  await gpu.dispose();
});

/** One value to compute, and what to call it. */
interface Root {
  readonly title: string;
  readonly tensor: Tensor;
}

interface Job {
  readonly roots: readonly Root[];
  readonly bindings: Bindings;
}

/** Sorts of adapters to plan for: software without and with subgroups, and a GPU, whose tiles and chunks run anywhere. */
type Planning = 'cpu' | 'subgroups' | 'gpu';

/** Runs all roots in one plan, twice. @returns their values, the same bits in both runs. */
async function runTwice(
  { roots, bindings }: Job,
  fusion: boolean,
  planning: Planning = 'cpu',
): Promise<ArrayLike<number>[]> {
  const spec = specOf('conformance', { outputs: roots.map(({ tensor }) => tensor) });
  const target = makeTarget(planning === 'gpu' ? 'hardware' : 'software', {
    subgroupSize: planning === 'subgroups' ? gpu.target.subgroupSize : null,
  });
  const plan = compileGraph(spec, target, { fusion, reuse: fusion });
  const [first, second] = await runPlan(gpu, plan, spec, bindings, 2);
  expect(sameBits(second, first), 'the same bits twice').toBe(true);
  return [...first.outputs];
}

/** `op` on each of `draws`. */
function forward(op: Op, draws: readonly Omit<Draw, 'position'>[]): Job {
  const all = new Map<Tensor, CpuTensor>();
  const roots = draws.map(({ sample, values }) => {
    const { tensors, bindings } = bindPlaceholders(values);
    for (const [tensor, value] of bindings) all.set(tensor, value);
    return { title: titleOf(sample), tensor: applyOp(op, tensors, sample.attrs) };
  });
  return { roots, bindings: all };
}

/** The gradients of ⟨op(x), cotangent⟩ in every float operand, for all samples that have them. */
function backward(op: Op): Job {
  const all = new Map<Tensor, CpuTensor>();
  const roots: Root[] = [];
  deviceSamples(op)
    .filter(isFiniteSample)
    .forEach((sample, s) => {
      const { tensors, bindings } = bindPlaceholders(drawSample(sample));
      const y = applyOp(op, tensors, sample.attrs);
      const wrt = tensors.filter(({ dtype }) => isFloat(dtype));
      if (wrt.length === 0 || !isFloat(y.dtype)) return;
      const cotangent = Tensor.placeholder(`dy${s}`, y);
      for (const [tensor, value] of bindings) all.set(tensor, value);
      all.set(cotangent, drawCotangent(y.shape, s));
      gradients(y, wrt, cotangent).forEach((tensor, k) => {
        roots.push({ title: `${titleOf(sample)}, gradient of input ${tensors.indexOf(wrt[k])}`, tensor });
      });
    });
  return { roots, bindings: all };
}

function titleOf({ title, inputs, attrs }: Sample): string {
  const shapes = inputs.map(({ shape, dtype = 'f32' }) => describeAval({ shape, dtype })).join(' ');
  return `${title ?? ''} (${shapes} ${JSON.stringify(attrs)})`;
}

/** Values beyond the record's tolerance, in words. */
function beyondTolerance(op: Op, { roots, bindings }: Job, found: readonly ArrayLike<number>[]): string[] {
  const { relative } = op.tolerance;
  return roots.flatMap(({ title, tensor }, k) => {
    const [expected] = evaluateAll([tensor], { bindings });
    for (let i = 0; i < expected.data.length; i++) {
      const [a, b] = [found[k][i], expected.data[i]];
      const accepted = isFloat(tensor.dtype) ? relative * Math.max(1, Math.abs(b)) : 0;
      const same = a === b || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= accepted;
      if (!same) return [describeDivergence(title, { element: i, found: a, expected: b, accepted })];
    }
    return [];
  });
}

/** Values that no sample explains, in words. */
function beyondSamples({ roots, bindings }: Job, found: readonly ArrayLike<number>[]): string[] {
  const samples = evaluateArithmeticSamples(
    roots.map(({ tensor }) => tensor),
    bindings,
  );
  return roots.flatMap(({ title }, k) => {
    const divergence = firstDivergence(found[k], samples[k]);
    return divergence === undefined ? [] : [describeDivergence(title, divergence)];
  });
}

const kindOf = (x: number) => (Number.isNaN(x) ? 'NaN' : Number.isFinite(x) ? 'finite' : String(x));

/**
 * True where a special value may become NaN in more places than in the reference: the second operand of a contraction
 * whose runs are clipped meets the zeros of the padding, and 0 · ∞ is NaN. It never gets lost.
 */
function maySpread({ op, inputs, attrs, ...output }: Tensor, position: number): boolean {
  if (op?.lower.kind !== 'contract') return false;
  const { b, clipped } = op.lower.contraction(inputs, output as Aval, attrs);
  return clipped && position === b;
}

describe.each(allOps.map((op) => [op.name, op] as const))('%s', (_name, op) => {
  test('gives what its reference gives', async () => {
    const job = forward(
      op,
      deviceSamples(op).map((sample) => ({ sample, values: drawSample(sample) })),
    );
    expect(beyondTolerance(op, job, await runTwice(job, true))).toEqual([]);
    if (!['reduce', 'contract', 'composite'].includes(op.lower.kind)) return;
    if (op.lower.kind !== 'reduce') {
      expect(beyondTolerance(op, job, await runTwice(job, true, 'subgroups')), 'in subgroups').toEqual([]);
    }
    expect(beyondTolerance(op, job, await runTwice(job, true, 'gpu')), 'as for a GPU').toEqual([]);
    if (op.lower.kind !== 'composite') return;
    expect(beyondTolerance(op, job, await runTwice(job, false)), 'without fusion').toEqual([]);
  });

  test('lets NaN and infinities through', async () => {
    const draws = specialDraws(op);
    if (draws.length === 0) return;
    const job = forward(op, draws);
    const found = await runTwice(job, true, op.lower.kind === 'contract' ? 'subgroups' : 'cpu');
    const wrong = job.roots.flatMap(({ title, tensor }, k) => {
      const [expected] = evaluateAll([tensor], { bindings: job.bindings });
      const spreads = maySpread(tensor, draws[k].position);
      const at = expected.data.findIndex((x: number, i: number) => {
        return kindOf(found[k][i]) !== kindOf(x) && !(spreads && Number.isNaN(found[k][i]));
      });
      return at < 0 ? [] : [`${title}, element ${at}: ${found[k][at]}, expected ${expected.data[at]}`];
    });
    expect(wrong).toEqual([]);
  });

  if (op.vjp !== null) {
    test('has the gradient of its reference', async () => {
      const job = backward(op);
      if (job.roots.length === 0) return;
      expect(job.roots.some(({ tensor }) => sizeOf(tensor.shape) > 1)).toBe(true);
      expect(beyondSamples(job, await runTwice(job, true))).toEqual([]);
      if (op.lower.kind === 'contract') {
        expect(beyondSamples(job, await runTwice(job, true, 'subgroups')), 'in subgroups').toEqual([]);
      }
      expect(beyondSamples(job, await runTwice(job, false)), 'without fusion').toEqual([]);
    });
  }
});
