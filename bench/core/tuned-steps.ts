/** A model's training step before and after its kernels were tuned, and how long that took. */

import type { WebGPUBackend } from '../../src/backend/webgpu.ts';
import { arrayDataset } from '../../src/data/dataset.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { tune } from '../../src/train/loop/tune.ts';
import { applyTuning, removeTuning } from '../../src/tune/tuning.ts';
import { measureSteps } from './steps.ts';
import { images, optimizerOf, WORKLOADS, type WorkloadName } from './workloads.ts';

export interface TunedStepsReport {
  readonly title: string;
  readonly batch: number;
  readonly tuneSeconds: number;
  readonly kernels: number;
  readonly total: number;
  /** Milliseconds of all kernels that were reached, one by one. */
  readonly kernelsDefaultMs: number;
  readonly kernelsTunedMs: number;
  /** Median and fastest step of `fit`, the better of two measurements in turn. */
  readonly defaultStep: { readonly median: number; readonly min: number };
  readonly tunedStep: { readonly median: number; readonly min: number };
}

/** @param budgetMs of each of four measurements of steps. */
export async function measureTunedSteps(
  backend: WebGPUBackend,
  name: WorkloadName,
  budgetMs: number,
): Promise<TunedStepsReport> {
  const { model: make, title, batch, inputShape } = WORKLOADS[name];
  setBackend(backend);
  const model = make(false);
  model.compile({ optimizer: optimizerOf(name), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const train = arrayDataset({ name, xShape: inputShape, ...images(inputShape, batch * 2) });
  const { tuning, kernels, total, seconds } = await tune(model, train, { batchSize: batch });
  model.dispose();
  const better = { median: Number.POSITIVE_INFINITY, min: Number.POSITIVE_INFINITY };
  const [defaultStep, tunedStep] = [{ ...better }, { ...better }];
  for (let round = 0; round < 2; round++) {
    for (const [into, tuned] of [
      [defaultStep, false],
      [tunedStep, true],
    ] as const) {
      if (tuned) applyTuning(backend, tuning);
      else removeTuning(backend);
      const { step } = await measureSteps(backend, name, { budgetMs, maxSteps: 200 });
      into.median = Math.min(into.median, step.median);
      into.min = Math.min(into.min, step.min);
    }
  }
  const sum = (of: 'ms' | 'defaultMs') => kernels.reduce((all, kernel) => all + kernel[of], 0);
  const found = { kernels: kernels.length, total, kernelsDefaultMs: sum('defaultMs'), kernelsTunedMs: sum('ms') };
  return { title, batch, tuneSeconds: seconds, ...found, defaultStep, tunedStep };
}
