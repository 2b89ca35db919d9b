/**
 * One training as a record of numbers: the gradients at the initial weights and after one update, and the loss of every
 * step of a `fit`. Two backends given the same choice see the same weights and the same batches in the same order.
 *
 * A gradient jumps where rounding changes the winner of a max pooling or the sign before a relu. So the second trace
 * takes its gradients at exactly the weights of the first, and at several nearby points: forward passes of two
 * precisions differ too, and one of some 100 000 windows is a near tie now and then, but not at every point.
 */

import type { Backend } from '../../backend/backend.ts';
import { type ArrayDataset, take } from '../../data/dataset.ts';
import { setBackend } from '../../runtime/set-backend.ts';
import type { Callback, TrainedModel } from '../../train/callbacks/callback.ts';
import { progressBar } from '../../train/callbacks/progress-bar.ts';
import type { WeightValue } from '../../train/weights/weight-store.ts';
import { type ModelChoice, makeModel } from '../make-model.ts';
import type { Output } from '../output.ts';

export interface TraceChoice extends ModelChoice {
  readonly steps: number;
  readonly batchSize: number;
}

export interface TrainingTrace {
  /** Of each step, in the backend's own precision. */
  readonly losses: readonly number[];
  /** Of the first batch at the initial weights, which step 1 applies, and nearby. */
  readonly atStep1: readonly GradientPoint[];
  /** Of the first batch at the weights that one update left, and nearby. */
  readonly afterStep1: readonly GradientPoint[];
}

export interface GradientPoint {
  /** Where the gradient was taken. */
  readonly weights: readonly WeightValue[];
  readonly gradients: readonly WeightValue[];
}

/** Points at which each gradient is taken: the weights themselves first. */
const POINTS = 3;
/**
 * Relative distance of the nearby points: far above rounding, so that other elements tie, and far below what matters.
 */
const NEARBY = 1e-3;

/**
 * Trains on `backend`, which is the default backend until it ends.
 * @param other a trace whose points are taken for the gradients; the losses do not see them.
 */
export async function traceTraining(
  choice: TraceChoice,
  data: ArrayDataset,
  backend: Backend,
  output: Output,
  other?: TrainingTrace,
): Promise<TrainingTrace> {
  setBackend(backend);
  try {
    const gradients = await traceGradients(choice, data, other);
    return { ...gradients, losses: await traceLosses(choice, data, output) };
  } finally {
    setBackend(undefined);
  }
}

async function traceGradients(
  choice: TraceChoice,
  data: ArrayDataset,
  other: TrainingTrace | undefined,
): Promise<Omit<TrainingTrace, 'losses'>> {
  const { model: made, prepare } = makeModel(choice, data);
  using model = made;
  const first = prepare(take(data, choice.batchSize));
  const x = { data: first.x, shape: [first.size, ...first.xShape] };
  const y = { data: first.y, shape: [first.size, ...first.yShape] };
  const gradientsAt = async (places: readonly (readonly WeightValue[])[]): Promise<GradientPoint[]> => {
    const points: GradientPoint[] = [];
    for (const weights of places) {
      model.setWeights(weights);
      points.push({ weights, gradients: (await model.gradientsOnBatch(x, y)).gradients });
    }
    model.setWeights(places[0]);
    return points;
  };
  const atStep1 = await gradientsAt(other?.atStep1.map(({ weights }) => weights) ?? nearby(await model.getWeights()));
  await model.trainOnBatch(x, y);
  const after = other?.afterStep1.map(({ weights }) => weights) ?? nearby(await model.getWeights());
  return { atStep1, afterStep1: await gradientsAt(after) };
}

/** `weights` themselves, then points around them, always the same ones. */
function nearby(weights: readonly WeightValue[]): WeightValue[][] {
  return Array.from({ length: POINTS }, (_, k) =>
    weights.map((weight) => ({
      ...weight,
      data: weight.data.map((value, i) => value * (1 + NEARBY * Math.sin(k * (i + 1)))),
    })),
  );
}

async function traceLosses(choice: TraceChoice, data: ArrayDataset, output: Output): Promise<number[]> {
  const { steps, batchSize, seed } = choice;
  const { model: made, prepare } = makeModel(choice, data);
  using model = made;
  // No more data than the steps see, so that small comparisons upload little.
  const seen = prepare(take(data, steps * batchSize));
  const epochs = Math.ceil(steps / Math.ceil(seen.size / batchSize));
  const recorder = new LossRecorder(steps);
  await model.fit(seen, { epochs, batchSize, seed, callbacks: [progressBar(output.progress), recorder], verbose: 0 });
  return recorder.losses;
}

/** Keeps the losses at full precision (History rounds them to f32) and ends the training after `steps` steps. */
class LossRecorder implements Callback {
  readonly losses: number[] = [];
  private sent = 0;
  private model: TrainedModel | undefined;

  constructor(private readonly steps: number) {}

  onTrainBegin(_params: unknown, model: TrainedModel): void {
    this.model = model;
  }

  onBatchBegin(): void {
    if (++this.sent === this.steps && this.model !== undefined) this.model.stopTraining = true;
  }

  onBatchEnd(_batch: number, { loss }: { readonly loss: number }): void {
    this.losses.push(loss);
  }
}
