/**
 * Gradient check of a whole model: the gradient of its loss on a small batch, as a training step computes it, against
 * finite differences of the loss in f64, for a few weights of each parameter.
 *
 * The initial weights will not do: biases of 0 on empty image borders put thousands of relus exactly on their kink,
 * where a difference quotient means nothing. So every weight is moved a little, at random, first.
 */

import type { Backend } from '../../backend/backend.ts';
import type { ArrayDataset } from '../../data/dataset.ts';
import { HostRandom } from '../../nn/host-random.ts';
import { setBackend } from '../../runtime/set-backend.ts';
import type { Model } from '../../train/model/model.ts';
import type { WeightValue } from '../../train/weights/weight-store.ts';
import { invariant } from '../../util/errors.ts';
import { type Comparison, choosePositions, derivative, relativeError } from './finite-differences.ts';

/** So small that hardly any relu changes its sign, and 1e-16 / STEP is still far below the tolerance. */
const STEP = 2e-7;
/** Gradients below this count as noise. */
const FLOOR = 1e-6;
/** Weights of a parameter that are compared. */
const POSITIONS = 6;
const SPREAD = 0.05;
const STREAM = 2000;

export interface ParameterReport {
  readonly parameter: string;
  /** Derivatives compared. */
  readonly derivatives: number;
  /** Largest difference relative to the largest of these derivatives. */
  readonly error: number;
}

/**
 * @param make a fresh, compiled model with always the same weights. @param backend computes the gradients.
 * @param reference a CPU backend of precision f64. @param onProgress is called for each parameter.
 */
export async function checkModel(
  make: () => Model,
  batch: ArrayDataset,
  backend: Backend,
  reference: Backend,
  seed: number,
  onProgress: (parameter: string) => void,
): Promise<ParameterReport[]> {
  const x = { data: batch.x, shape: [batch.size, ...batch.xShape] };
  const y = { data: batch.y, shape: [batch.size, ...batch.yShape] };
  const analytic = await on(backend, async () => {
    using model = make();
    model.setWeights(await movedWeights(model, seed));
    return (await model.gradientsOnBatch(x, y)).gradients;
  });
  return on(reference, async () => {
    using model = make();
    const weights = await movedWeights(model, seed);
    const loss = async (): Promise<number> => {
      model.setWeights(weights);
      return (await model.gradientsOnBatch(x, y)).logs.loss;
    };
    const reports: ParameterReport[] = [];
    for (const [stream, { name, data }] of analytic.entries()) {
      onProgress(name);
      const values = weights.find((weight) => weight.name === name)?.data;
      invariant(values instanceof Float64Array, `gradient check: no weight "${name}"`);
      const comparisons: Comparison[] = [];
      for (const position of choosePositions(values.length, POSITIONS, new HostRandom(seed, STREAM + stream))) {
        const numeric = await derivative(loss, values, position, STEP);
        if (numeric !== undefined) comparisons.push({ position, analytic: data[position], numeric });
      }
      reports.push({ parameter: name, derivatives: comparisons.length, error: relativeError(comparisons, FLOOR) });
    }
    return reports;
  });
}

/** The model's weights, moved at random and in f64; every value is exact in f32, so each backend holds the same. */
async function movedWeights(model: Model, seed: number): Promise<WeightValue[]> {
  return (await model.getWeights()).map(({ name, shape, data }, stream) => {
    const random = new HostRandom(seed, stream);
    return { name, shape, data: Float64Array.from(data, (value) => Math.fround(value + SPREAD * random.normal())) };
  });
}

async function on<T>(backend: Backend, work: () => Promise<T>): Promise<T> {
  setBackend(backend);
  try {
    return await work();
  } finally {
    setBackend(undefined);
  }
}
