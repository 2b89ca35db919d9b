/**
 * Gradient check in f64. The vjp of an op is evaluated with a random cotangent c and compared with finite differences
 * of ⟨c, f(x)⟩: element by element for small inputs, for large ones on random elements and along random directions
 * (each of which sees every element).
 *
 * Differences are central and of fourth order, (8(f₊ₕ − f₋ₕ) − (f₊₂ₕ − f₋₂ₕ)) / 12h: with h = 1e-3 both the error of
 * the formula (h⁴ f⁽⁵⁾ / 30) and that of rounding (2⁻⁵² / h) stay near 1e-12.
 */

import { isFloat } from '../../src/core/dtype.ts';
import type { CpuTensor, Op, Sample } from '../../src/core/op.ts';
import { applyOp } from '../../src/core/op.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { zeros } from '../../src/ops/create.ts';
import { Prng } from '../../src/util/prng.ts';
import { type Bindings, bindPlaceholders, evaluate, evaluateAll } from './evaluate.ts';
import { drawCotangent, drawSample } from './sample-values.ts';

export interface GradientError {
  /** Largest relative error; 0 when nothing was compared. */
  readonly error: number;
  /** Derivatives compared. */
  readonly compared: number;
  /** The worst place, for people. */
  readonly worst: string;
}

export interface GradcheckOptions {
  readonly seed?: number;
  readonly h?: number;
  /** Inputs with more elements are checked on this many random elements and on 3 directions. */
  readonly elements?: number;
  /** False where a gradient of null does not claim to be zero: at a tie there is no derivative to compare it with. */
  readonly nullIsZero?: boolean;
  /** Positions that are not compared: the gradient takes these inputs as given. */
  readonly given?: readonly number[];
}

/** Checks the vjp of `op` on a sample, for every f32 input; nothing when the output is not f32. */
export function checkVjp(op: Op, sample: Sample, options: GradcheckOptions = {}): GradientError {
  const { tensors, bindings } = bindPlaceholders(drawSample(sample, options.seed));
  const output = applyOp(op, tensors, sample.attrs);
  if (!isFloat(output.dtype)) return { error: 0, compared: 0, worst: '' };
  const gradientsOf = (dy: Tensor) => op.vjp?.(dy, tensors, output, sample.attrs) ?? [];
  return checkGradients(output, tensors, bindings, gradientsOf, {
    ...options,
    given: op.nonDifferentiableInputs ?? [],
  });
}

/**
 * Checks any gradients.
 * @param gradientsOf given the cotangent, the gradient for each of `wrt`; null claims that it is zero.
 */
export function checkGradients(
  output: Tensor,
  wrt: readonly Tensor[],
  bindings: Bindings,
  gradientsOf: (dy: Tensor) => readonly (Tensor | null)[],
  { seed = 0, h = 1e-3, elements = 24, nullIsZero = true, given = [] }: GradcheckOptions = {},
): GradientError {
  const cotangent = drawCotangent(output.shape, seed + 1);
  const { tensors, bindings: cotangentBinding } = bindPlaceholders([cotangent]);
  const gradients = gradientsOf(tensors[0]);
  const claimed = wrt.flatMap((tensor, position) => {
    const gradient = gradients[position] ?? (nullIsZero ? zeros(tensor.shape) : null);
    return gradient !== null && isFloat(tensor.dtype) && !given.includes(position)
      ? [{ tensor, gradient, position }]
      : [];
  });
  const values = evaluateAll(
    claimed.map(({ gradient }) => gradient),
    { bindings: new Map([...bindings, ...cotangentBinding]) },
  );

  let result: GradientError = { error: 0, compared: 0, worst: '' };
  claimed.forEach(({ tensor, gradient, position }, k) => {
    if (String(gradient.shape) !== String(tensor.shape)) {
      const worst = `gradient ${position} has shape [${gradient.shape}], the input [${tensor.shape}]`;
      result = { error: Number.POSITIVE_INFINITY, compared: result.compared, worst };
      return;
    }
    const x = bindings.get(tensor) as CpuTensor;
    const along = (direction: ArrayLike<number>): number =>
      difference((step) => {
        const moved = Float64Array.from(x.data, (value, i) => value + step * direction[i]);
        return dot(evaluate(output, { bindings: new Map([...bindings, [tensor, { ...x, data: moved }]]) }), cotangent);
      }, h);
    const analytic = values[k].data;
    // Errors are relative to the derivative, but not to one that is small beside the others.
    const scale = Float64Array.from(analytic, Math.abs).reduce((a, b) => Math.max(a, b), 0);
    for (const { title, direction } of directions(x.data.length, elements, new Prng(seed, k))) {
      const expected = along(direction);
      const found = dotArrays(analytic, direction);
      const error = relativeError(found, expected, scale);
      const compared = result.compared + 1;
      const worst = `input ${position}, ${title}: vjp ${found}, differences ${expected}`;
      // NaN must not pass for small.
      result = error <= result.error ? { ...result, compared } : { error, compared, worst };
    }
  });
  return result;
}

interface Direction {
  readonly title: string;
  readonly direction: Float64Array;
}

function* directions(size: number, elements: number, random: Prng): Generator<Direction> {
  const unit = (i: number): Direction => {
    const direction = new Float64Array(size);
    direction[i] = 1;
    return { title: `element ${i}`, direction };
  };
  if (size <= elements) {
    for (let i = 0; i < size; i++) yield unit(i);
    return;
  }
  for (let k = 0; k < elements; k++) yield unit(random.int(size));
  for (let k = 0; k < 3; k++) {
    yield { title: `direction ${k}`, direction: Float64Array.from({ length: size }, () => random.between(-1, 1)) };
  }
}

function difference(f: (step: number) => number, h: number): number {
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
}

function relativeError(found: number, expected: number, scale: number): number {
  const error = Math.abs(found - expected) / Math.max(Math.abs(found), Math.abs(expected), 1e-2 * scale, 1e-4);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

const dot = (a: CpuTensor, b: CpuTensor): number => dotArrays(a.data, b.data);

function dotArrays(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
