/**
 * Gradient check of one op record: for each sample, the gradient that `vjp` gives along a random cotangent, compiled
 * and run on a backend as any gradient is, against finite differences of the op's own reference function.
 */

import type { Backend } from '../../backend/backend.ts';
import { compileGraph } from '../../compile/index.ts';
import { type CpuData, cpuArray, isFloat } from '../../core/dtype.ts';
import { applyOp, type Op, type Sample } from '../../core/op.ts';
import { Tensor } from '../../core/tensor.ts';
import { HostRandom } from '../../nn/host-random.ts';
import { drawCotangent, drawSample } from '../../self-test/sample-values.ts';
import { gradients } from '../../transform/grad.ts';
import { formatShape } from '../../util/shape.ts';
import { type Comparison, choosePositions, derivative, relativeError } from './finite-differences.ts';

const STEP = 2e-4;
/** Gradients below this count as noise. */
const FLOOR = 1e-3;
/** Derivatives of one input that are compared; larger inputs are sampled. */
const POSITIONS = 64;
/** First stream of the positions that are compared, one an input. */
const POSITION_STREAM = 1001;

export interface OpReport {
  readonly op: string;
  /** `none`: there is no gradient (null, or no f32 to f32 sample). `untested`: no sample is smooth anywhere. */
  readonly state: 'checked' | 'none' | 'untested';
  readonly samples: number;
  /** Derivatives compared. */
  readonly derivatives: number;
  /** Largest relative error of a sample's input. */
  readonly error: number;
  /** Where that was. */
  readonly worst: string;
}

/** @param backend computes the gradients; a CPU backend of precision f64 but for a check of a device. */
export async function checkOp(op: Op, backend: Backend, seed: number): Promise<OpReport> {
  let derivatives = 0;
  let samples = 0;
  let error = 0;
  let worst = '';
  for (const sample of op.vjp === null ? [] : op.samples) {
    const found = await checkSample(op, sample, backend, seed);
    if (found.length > 0) samples++;
    for (const { input, comparisons } of found) {
      derivatives += comparisons.length;
      const off = relativeError(comparisons, FLOOR);
      if (off < error) continue;
      error = off;
      worst = `${describeSample(sample)}, input ${input}`;
    }
  }
  const state = samples === 0 ? 'none' : derivatives === 0 ? 'untested' : 'checked';
  return { op: op.name, state, samples, derivatives, error, worst };
}

interface InputComparison {
  readonly input: number;
  readonly comparisons: readonly Comparison[];
}

async function checkSample(op: Op, sample: Sample, backend: Backend, seed: number): Promise<InputComparison[]> {
  const values = drawSample(sample, seed).map(({ data }) => data);
  const placeholders = sample.inputs.map(({ shape, dtype = 'f32' }, k) =>
    Tensor.placeholder(`input${k}`, { shape, dtype }),
  );
  const y = applyOp(op, placeholders, sample.attrs);
  const given = op.nonDifferentiableInputs ?? [];
  const floats = placeholders.flatMap((tensor, k) =>
    isFloat(tensor.dtype) && tensor.size > 0 && !given.includes(k) ? [k] : [],
  );
  if (!isFloat(y.dtype) || y.size === 0 || floats.length === 0) return [];

  // A sample made of NaN and infinities asks how these pass through; it has no derivative.
  if (![...values, forward(op, sample, values, y)].every(allFinite)) {
    return floats.map((input) => ({ input, comparisons: [] }));
  }
  const cotangent = drawCotangent(y.shape, seed).data as Float64Array;
  const analytic = await runGradients(backend, placeholders, values, y, cotangent, floats);
  const along = () => dot(cotangent, forward(op, sample, values, y));
  const found: InputComparison[] = [];
  for (const [k, input] of floats.entries()) {
    const x = values[input] as Float64Array;
    const comparisons: Comparison[] = [];
    for (const position of choosePositions(x.length, POSITIONS, new HostRandom(seed, POSITION_STREAM + input))) {
      const numeric = await derivative(along, x, position, STEP);
      if (numeric !== undefined) comparisons.push({ position, analytic: analytic[k][position], numeric });
    }
    found.push({ input, comparisons });
  }
  return found;
}

/** The gradients along `cotangent` with respect to the inputs numbered `wanted`. */
async function runGradients(
  backend: Backend,
  placeholders: readonly Tensor[],
  values: readonly CpuData[],
  y: Tensor,
  cotangent: Float64Array,
  wanted: readonly number[],
): Promise<Float64Array[]> {
  const dy = Tensor.placeholder('dy', y);
  const grads = gradients(
    y,
    wanted.map((k) => placeholders[k]),
    dy,
  );
  const leaves = [...placeholders, dy];
  const plan = compileGraph(
    {
      name: `gradient of ${y.op?.name}`,
      inputs: leaves.map((tensor) => ({ name: tensor.label ?? '', kind: 'bound', tensor })),
      outputs: grads.map((tensor, k) => ({ name: `gradient${k}`, tensor })),
    },
    backend.target,
  );
  const buffers = leaves.map((tensor, k) => {
    const buffer = backend.createBuffer(Math.max(1, tensor.size), tensor.dtype, tensor.label ?? '');
    backend.write(buffer, values[k] ?? cotangent);
    return buffer;
  });
  const program = await backend.load(plan, buffers);
  try {
    program.run();
    const read = await Promise.all(grads.map((_, k) => program.read(k)));
    return read.map((data) => Float64Array.from(data));
  } finally {
    program.dispose();
    for (const buffer of buffers) buffer.dispose();
  }
}

/** The op's reference on `values`. */
function forward(op: Op, { inputs, attrs }: Sample, values: readonly CpuData[], y: Tensor): Float64Array {
  const data = cpuArray('f32', y.size, 'f64') as Float64Array;
  const tensors = inputs.map(({ shape, dtype = 'f32' }, k) => ({ shape, dtype, data: values[k] }));
  op.cpu(tensors, { shape: y.shape, dtype: y.dtype, data }, attrs);
  return data;
}

function allFinite(values: CpuData): boolean {
  return !(values instanceof Float64Array) || values.every(Number.isFinite);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

function describeSample({ title, inputs }: Sample): string {
  return title ?? inputs.map(({ shape }) => formatShape(shape)).join(' ');
}
