/**
 * A training as users run it: `model.fit` on digits that are on the device as bytes, with accuracy as a metric. Facts
 * come from the History; calls of WebGPU are counted from outside, in the middle of the run.
 */

import type { Backend } from '../../src/backend/backend.ts';
import { arrayDataset } from '../../src/data/dataset.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Callback } from '../../src/train/callbacks/callback.ts';
import { type CallCounts, grown, startCounting } from './count-calls.ts';
import { median, type Series, seriesOf } from './statistics.ts';
import { images, optimizerOf, WORKLOADS, type WorkloadName } from './workloads.ts';

export interface StepsReport {
  readonly model: string;
  readonly batch: number;
  readonly firstStepMs: number;
  readonly step: Series;
  readonly samplesPerSecond: number;
  readonly dispatches: number;
  readonly submits: number;
  /** WebGPU objects (buffers, bind groups, pipelines, shader modules, query sets) made in a steady step. */
  readonly newObjects: number;
  readonly pipelines: number;
  readonly peakBytes: number;
  /** Part of it: the data set. */
  readonly dataBytes: number;
  readonly digest: string;
}

export interface StepsOptions {
  readonly batch?: number;
  /** Milliseconds after which no further step is sent. */
  readonly budgetMs: number;
  readonly maxSteps: number;
}

const STEPS_PER_EPOCH = 10;
const COUNTED_FROM = 4;
const COUNTED_TO = 9;

/** Trains model `name` on `backend` for a while. */
export async function measureSteps(backend: Backend, name: WorkloadName, options: StepsOptions): Promise<StepsReport> {
  const { model: make, title, batch: usual, inputShape } = WORKLOADS[name];
  const batch = options.batch ?? usual;
  const train = arrayDataset({ name, xShape: inputShape, ...images(inputShape, batch * STEPS_PER_EPOCH) });
  setBackend(backend);
  using model = make(false);
  model.compile({ optimizer: optimizerOf(name), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const counting = startCounting();
  const counted: ReturnType<typeof grown>[] = [];
  let before: CallCounts | undefined;
  let sent = 0;
  let ends = Number.POSITIVE_INFINITY;
  const watch: Callback = {
    onBatchBegin: () => {
      if (before !== undefined) counted.push(grown(before, counting.counts));
      before = sent >= COUNTED_FROM && sent < COUNTED_TO ? { ...counting.counts } : undefined;
      if (sent === COUNTED_TO) counting.stop();
      if (sent++ === 1) ends = performance.now() + options.budgetMs;
    },
    onEpochEnd: () => {
      if (performance.now() >= ends) model.stopTraining = true;
    },
  };
  const { facts, digest } = await model.fit(train, {
    batchSize: batch,
    epochs: Math.max(2, Math.ceil(options.maxSteps / STEPS_PER_EPOCH)),
    seed: 1,
    verbose: 0,
    callbacks: [watch],
  });
  counting.stop();
  setBackend(undefined);
  // The first epoch warms up: its steps are neither counted nor timed as steady.
  const steady = [...facts.stepMs].slice(STEPS_PER_EPOCH - 1);
  const step = seriesOf(steady);
  return {
    model: title,
    batch,
    firstStepMs: facts.firstStepMs,
    step,
    samplesPerSecond: (1000 * batch) / step.median,
    dispatches: facts.dispatchesPerStep,
    submits: counted.length === 0 ? facts.submitsPerStep : median(counted.map(({ submits }) => submits)),
    newObjects: counted.length === 0 ? Number.NaN : median(counted.map(({ newObjects }) => newObjects)),
    pipelines: facts.pipelines,
    peakBytes: facts.peakBytes,
    dataBytes: train.x.byteLength + 4 * train.y.length,
    digest,
  };
}
