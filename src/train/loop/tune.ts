/**
 * Tuning a model: the kernels of its training step and of its evaluation, on the backend it runs on.
 */

import { checkKnownOptions } from '../../nn/check-options.ts';
import { getBackend } from '../../runtime/index.ts';
import { likeEntries, type TuneOptions, type TuneReport, tuneGraphs } from '../../tune/tune.ts';
import { applyTuning, makeTuning, mergeTunings } from '../../tune/tuning.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import type { Model, TuningData } from '../model/model.ts';

export interface TuneModelOptions extends TuneOptions {
  /** Examples of a step, as `fit` will be told: tiles are chosen by sizes. 32 unless given, as in `fit`. */
  readonly batchSize?: number;
}

/**
 * Times the kernels of a compiled model's training step on the default backend and uses the fastest from then on. A
 * last, smaller batch of an epoch gets the tiles of the full ones, and with them their pipelines.
 * @throws DownhillError as `fit` for the model and the data; `device` on a backend that is not WebGPU; `argument`.
 */
export async function tune(
  model: Model,
  data: TuningData,
  options: TuneModelOptions = {},
  ...surplus: Surplus
): Promise<TuneReport> {
  refuseSurplus('tune', surplus);
  checkKnownOptions('tune', options, ['batchSize', 'budgetMs', 'onProgress', 'signal', 'earlier']);
  const { batchSize, earlier, ...rest } = options;
  const backend = getBackend();
  const { full, last } = await model.tuningGraphs(data, batchSize);
  const report = await tuneGraphs(backend, full, { ...rest, ...(earlier !== undefined && { earlier }) });
  let entries = report.tuning.entries;
  last.forEach((graph, k) => {
    entries = { ...likeEntries(entries, full[k], graph, backend.target), ...entries };
  });
  const made = makeTuning(backend, entries);
  const tuning = earlier === undefined ? made : mergeTunings(earlier, made);
  applyTuning(backend, tuning);
  return { ...report, tuning };
}
