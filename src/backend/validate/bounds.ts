/**
 * How far a device may be from the reference, computed for the given numbers by Monte Carlo arithmetic: the same steps
 * are computed once exactly (f64) and a few times as samples that err as a device may. In a sample every step takes
 * slightly wrong inputs, gives a slightly wrong result (both by the op's own tolerance) and rounds it to f32. Where a
 * formula amplifies errors (cancellation, a kink, overflow) the samples spread and much is accepted; elsewhere they agree
 * and little is.
 *
 * Source of the error model: mixed forward-backward stability, Higham, "Accuracy and Stability of Numerical Algorithms",
 * section 1.5; of the sampling: Parker, "Monte Carlo arithmetic", UCLA technical report CSD-970002, 1997.
 */

import { type CpuData, cpuArray, isFloat } from '../../core/dtype.ts';
import type { CpuTensor, Op } from '../../core/op.ts';
import type { Aval } from '../../core/tensor.ts';
import { sizeOf } from '../../util/shape.ts';

/** Samples with errors, besides the exact one. Each may miss a jump that the device takes, so one is not enough. */
const SAMPLES = 5;
/** How much more wrong results are than operands, so that the errors of operands seldom undo that of the result. */
const RESULT = 2.5;
/** The device may be this many times as far away as the farthest sample. */
const SAFETY = 2;
/** Relative error that is always accepted: two units in the last place of an f32. */
const FLOOR = 2 ** -22;
/** As a part of the largest value of a tensor: what has vanished beside it says nothing about a kernel. */
const NEGLIGIBLE = 2 ** -24;
/** Below this a device may flush to zero. */
const SMALLEST_NORMAL = 2 ** -126;
/** From here on an f32 may have become infinite. */
const LARGEST = 3.4e38;

/** One way to compute steps: exactly, or with the errors of a device. */
export class ArithmeticSample {
  #state: number;

  /** @param seed of the errors; 0 is the exact sample. */
  constructor(private readonly seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b9) | 1;
  }

  /** The result of `op`. Its reference reads `inputs` and leaves them as they are. */
  apply(op: Op, inputs: readonly CpuTensor[], aval: Aval, attrs: unknown): CpuTensor {
    const output = { shape: aval.shape, dtype: aval.dtype, data: cpuArray(aval.dtype, sizeOf(aval.shape), 'f64') };
    if (this.seed === 0) {
      op.cpu(inputs, output, attrs);
      return output;
    }
    const error = op.tolerance.relative;
    const wrong = inputs.map((input) =>
      error > 0 && isFloat(input.dtype) ? { ...input, data: this.#perturbed(input.data, error) } : input,
    );
    op.cpu(wrong, output, attrs);
    if (!isFloat(aval.dtype)) return output;
    // Without a float operand no wrong input stands for what cancels inside: the error is then that of the record.
    const smallest = inputs.some(({ dtype }) => isFloat(dtype)) ? 0 : 1;
    const data = error > 0 ? this.#perturbed(output.data, RESULT * error, smallest) : output.data;
    return { ...output, data: data.map(Math.fround) };
  }

  /** Every value off by about `error` times itself (or times `smallest`, where that is more), up or down. */
  #perturbed(data: CpuData, error: number, smallest = 0): CpuData {
    let state = this.#state;
    const result = data.map((value: number) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      // From half to one and a half times the error, either way: no two errors are exactly opposite.
      const factor = Math.sign(state) * 0.5 + state * 2 ** -31;
      return value + factor * error * Math.max(smallest, Math.abs(value));
    });
    this.#state = state;
    return result;
  }
}

/** The exact sample, then those with errors. */
export function arithmeticSamples(erring = SAMPLES): ArithmeticSample[] {
  return Array.from({ length: erring + 1 }, (_, seed) => new ArithmeticSample(seed));
}

/** An element where the device is too far away. */
export interface Divergence {
  readonly element: number;
  readonly found: number;
  readonly expected: number;
  /** Largest difference that would have passed. */
  readonly accepted: number;
}

/** The first element of `found` that no sample explains. @param samples the value in each sample, the exact one first. */
export function firstDivergence(found: ArrayLike<number>, samples: readonly CpuTensor[]): Divergence | undefined {
  const [exact] = samples;
  let negligible = SMALLEST_NORMAL;
  for (const value of exact.data) {
    if (Number.isFinite(value)) negligible = Math.max(negligible, NEGLIGIBLE * Math.abs(value));
  }
  for (let i = 0; i < exact.data.length; i++) {
    const expected = exact.data[i];
    if (found[i] === expected) continue;
    const values = samples.map(({ data }) => data[i]);
    const accepted = isFloat(exact.dtype)
      ? acceptedError(found[i], values, negligible)
      : acceptedStep(found[i], values);
    if (accepted !== undefined) return { element: i, found: found[i], expected, accepted };
  }
  return undefined;
}

/** undefined when `found` passes, else the difference that would have passed. */
function acceptedError(found: number, samples: readonly number[], negligible: number): number | undefined {
  const [exact] = samples;
  if (Number.isNaN(found)) return samples.some(Number.isNaN) ? undefined : 0;
  if (!Number.isFinite(found)) {
    const overflows = samples.some((value) => value === found || value * Math.sign(found) > LARGEST);
    return overflows ? undefined : 0;
  }
  const finite = samples.filter(Number.isFinite);
  if (finite.length < samples.length) return finite.length > 0 ? undefined : 0;
  const least = FLOOR * Math.abs(exact) + negligible;
  const accepted = least + SAFETY * Math.max(...finite.map((value) => Math.abs(value - exact)));
  return Math.abs(found - exact) <= accepted ? undefined : accepted;
}

/** As `acceptedError`, for whole numbers and bools: anything between two samples passes. */
function acceptedStep(found: number, samples: readonly number[]): number | undefined {
  return found >= Math.min(...samples) && found <= Math.max(...samples) ? undefined : 0;
}
