/**
 * The self-test of one op. Each sample of its record is a program on the backend, and its gradients are another; each
 * runs twice. (One program for all of them would be fused into one large kernel, which drivers take minutes to
 * compile.) Values must be those of the f64 reference: forward within the tolerance of the record, gradients within
 * what rounding can do to the given numbers (backend/validate/bounds.ts). Both runs must give the same bits.
 *
 * A gradient is a graph of other ops, so a broken kernel can fail several ops; the one whose forward pass fails is
 * broken.
 */

import type { Backend } from '../backend/backend.ts';
import { type Divergence, firstDivergence } from '../backend/validate/bounds.ts';
import { compileGraph } from '../compile/index.ts';
import { isFloat } from '../core/dtype.ts';
import { applyOp, type CpuTensor, type Op, type Sample } from '../core/op.ts';
import { describe, Tensor } from '../core/tensor.ts';
import { gradients } from '../transform/grad.ts';
import { type Bindings, evaluateArithmeticSamples } from './arithmetic-samples.ts';
import { drawCotangent, drawSample, isFiniteSample } from './sample-values.ts';

/** What was found of one direction of an op. */
export interface PassReport {
  /** Tensors compared: outputs, or gradients of inputs. */
  readonly compared: number;
  /** Largest |found − reference| / max(1, |reference|); null where something is NaN or infinite on one side only. */
  readonly worstError: number | null;
  /** What is wrong, with the sample and the element; empty when nothing is. */
  readonly message: string;
}

/** A tensor to compute, and what to call it. */
interface Root {
  readonly title: string;
  readonly tensor: Tensor;
}

interface Job {
  readonly name: string;
  readonly roots: Root[];
  readonly bindings: Map<Tensor, CpuTensor>;
}

/** The values of the op on each of its samples. @param seed draws other operands. */
export async function checkForward(op: Op, backend: Backend, seed: number): Promise<PassReport> {
  const { relative } = op.tolerance;
  const reports: PassReport[] = [];
  for (const sample of op.samples) {
    const job: Job = { name: op.name, roots: [], bindings: new Map() };
    const inputs = bindSample(job, sample, seed);
    job.roots.push({ title: titleOf(sample), tensor: applyOp(op, inputs, sample.attrs) });
    reports.push(await compare(job, backend, 0, (found, [exact]) => beyondTolerance(found, exact, relative)));
  }
  return merged(reports);
}

/** The gradients of ⟨op(x), random cotangent⟩ in every float operand. */
export async function checkGradients(op: Op, backend: Backend, seed: number): Promise<PassReport> {
  const reports: PassReport[] = [];
  for (const [s, sample] of (op.vjp === null ? [] : op.samples.filter(isFiniteSample)).entries()) {
    const job: Job = { name: `gradient of ${op.name}`, roots: [], bindings: new Map() };
    const inputs = bindSample(job, sample, seed);
    const y = applyOp(op, inputs, sample.attrs);
    const floats = inputs.filter(({ dtype }) => isFloat(dtype));
    if (floats.length === 0 || !isFloat(y.dtype)) continue;
    const cotangent = Tensor.placeholder('dy', y);
    job.bindings.set(cotangent, drawCotangent(y.shape, seed + s));
    for (const [k, tensor] of gradients(y, floats, cotangent).entries()) {
      job.roots.push({ title: `${titleOf(sample)}, gradient of input ${inputs.indexOf(floats[k])}`, tensor });
    }
    reports.push(await compare(job, backend, undefined, firstDivergence));
  }
  return merged(reports);
}

/** All that was compared; the message is that of the first sample that fails. */
function merged(reports: readonly PassReport[]): PassReport {
  const errors = reports.map(({ worstError }) => worstError ?? Number.POSITIVE_INFINITY);
  const worst = Math.max(0, ...errors);
  return {
    compared: reports.reduce((total, { compared }) => total + compared, 0),
    worstError: Number.isFinite(worst) ? worst : null,
    message: reports.find(({ message }) => message !== '')?.message ?? '',
  };
}

function bindSample({ bindings }: Job, sample: Sample, seed: number): Tensor[] {
  return drawSample(sample, seed).map((value, k) => {
    const tensor = Tensor.placeholder(`input${k}`, value);
    bindings.set(tensor, value);
    return tensor;
  });
}

type Judge = (found: ArrayLike<number>, samples: readonly CpuTensor[]) => Divergence | undefined;

/** @param erring count of samples with errors, besides the exact one, that `judge` sees. */
async function compare(job: Job, backend: Backend, erring: number | undefined, judge: Judge): Promise<PassReport> {
  const expected = evaluateArithmeticSamples(
    job.roots.map(({ tensor }) => tensor),
    job.bindings,
    erring,
  );
  const [found, again] = await runTwice(job, backend);
  let worst = 0;
  let message = '';
  for (const [k, { title }] of job.roots.entries()) {
    worst = Math.max(worst, worstError(found[k], expected[k][0].data));
    if (message !== '') continue;
    const divergence = judge(found[k], expected[k]);
    const changed = Array.from(found[k]).findIndex((value, i) => !Object.is(value, again[k][i]));
    if (divergence !== undefined) message = describeDivergence(title, divergence);
    else if (changed >= 0) message = `${title}, element ${changed}: ${found[k][changed]}, then ${again[k][changed]}`;
  }
  return { compared: job.roots.length, worstError: Number.isFinite(worst) ? worst : null, message };
}

/** The values of the roots, from two runs of one program. */
async function runTwice({ name, roots, bindings }: Job, backend: Backend): Promise<ArrayLike<number>[][]> {
  const leaves = [...bindings.keys()];
  const plan = compileGraph(
    {
      name,
      inputs: leaves.map((tensor, k) => ({ name: `${tensor.label}:${k}`, kind: 'bound', tensor })),
      outputs: roots.map(({ tensor }, k) => ({ name: `y${k}`, tensor })),
    },
    backend.target,
  );
  const buffers = leaves.map((tensor) => {
    const buffer = backend.createBuffer(Math.max(1, tensor.size), tensor.dtype, tensor.label ?? '');
    backend.write(buffer, (bindings as Bindings).get(tensor)!.data);
    return buffer;
  });
  try {
    const program = await backend.load(plan, buffers);
    try {
      const runs: ArrayLike<number>[][] = [];
      for (let run = 0; run < 2; run++) {
        program.run();
        runs.push(await Promise.all(roots.map((_, k) => program.read(k))));
      }
      return runs;
    } finally {
      program.dispose();
    }
  } finally {
    for (const buffer of buffers) buffer.dispose();
  }
}

function beyondTolerance(found: ArrayLike<number>, exact: CpuTensor, relative: number): Divergence | undefined {
  const largest = isFloat(exact.dtype) ? relative : 0;
  for (let i = 0; i < exact.data.length; i++) {
    const expected = exact.data[i];
    if (relativeError(found[i], expected) <= largest) continue;
    const accepted = Number.isFinite(expected) ? largest * Math.max(1, Math.abs(expected)) : 0;
    return { element: i, found: found[i], expected, accepted };
  }
  return undefined;
}

function worstError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, relativeError(found[i], expected[i]));
  return worst;
}

/** Relative to the reference where that is above 1; infinite where NaN or an infinity is on one side only. */
function relativeError(found: number, expected: number): number {
  if (found === expected || (Number.isNaN(found) && Number.isNaN(expected))) return 0;
  if (!Number.isFinite(found) || !Number.isFinite(expected)) return Number.POSITIVE_INFINITY;
  return Math.abs(found - expected) / Math.max(1, Math.abs(expected));
}

function titleOf({ title, inputs }: Sample): string {
  const shapes = inputs.map(({ shape, dtype = 'f32' }) => describe({ shape, dtype })).join(' ');
  return title === undefined ? `sample ${shapes}` : `sample "${title}" ${shapes}`;
}

export function describeDivergence(where: string, { element, found, expected, accepted }: Divergence): string {
  const limit = accepted.toPrecision(2);
  return `${where}, element ${element}: ${found}, expected ${expected} (accepted difference ${limit})`;
}
