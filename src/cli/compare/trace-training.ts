/**
 * One training as a record of numbers: the gradients at the initial weights and after one update, and the loss of every
 * step of a `fit`. Two backends given the same choice see the same weights and the same batches in the same order.
 */

import type { Backend } from '../../backend/backend.ts';
import { type ArrayDataset, take } from '../../data/dataset.ts';
import { setBackend } from '../../runtime/current-backend.ts';
import type { Callback, TrainedModel } from '../../train/callbacks/callback.ts';
import { progressBar } from '../../train/callbacks/progress-bar.ts';
import type { WeightValue } from '../../train/weight-store.ts';
import { type ModelChoice, makeModel } from '../make-model.ts';
import type { Output } from '../output.ts';

export interface TraceChoice extends ModelChoice {
  readonly steps: number;
  readonly batchSize: number;
}

export interface TrainingTrace {
  /** Of each step, in the backend's own precision. */
  readonly losses: readonly number[];
  /** Of the first batch at the initial weights: what step 1 applies. */
  readonly gradientsAtStep1: readonly WeightValue[];
  /** Of the first batch at the weights that one update left. */
  readonly gradientsAfterStep1: readonly WeightValue[];
}

/** Trains on `backend`, which becomes the default backend meanwhile. */
export async function traceTraining(
  choice: TraceChoice,
  data: ArrayDataset,
  backend: Backend,
  output: Output,
): Promise<TrainingTrace> {
  setBackend(backend);
  try {
    return { ...(await traceGradients(choice, data)), losses: await traceLosses(choice, data, output) };
  } finally {
    setBackend(undefined);
  }
}

async function traceGradients(choice: TraceChoice, data: ArrayDataset): Promise<Omit<TrainingTrace, 'losses'>> {
  using model = makeModel(choice, data);
  const first = take(data, choice.batchSize);
  const x = { data: first.x, shape: [first.size, ...first.xShape] };
  const y = { data: first.y, shape: [first.size, ...first.yShape] };
  const before = await model.gradientsOnBatch(x, y);
  await model.trainOnBatch(x, y);
  const after = await model.gradientsOnBatch(x, y);
  return { gradientsAtStep1: before.gradients, gradientsAfterStep1: after.gradients };
}

async function traceLosses(choice: TraceChoice, data: ArrayDataset, output: Output): Promise<number[]> {
  const { steps, batchSize, seed } = choice;
  using model = makeModel(choice, data);
  // No more data than the steps see, so that small comparisons upload little.
  const seen = take(data, steps * batchSize);
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
