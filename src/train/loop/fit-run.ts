/**
 * runFit: the training loop. One program a batch size, one submit a step, losses read back late; at the end everything
 * it made on the device is freed, except the weights and the optimizer's slots, which belong to the model.
 *
 * Invariant: nothing is built twice and nothing is waited for that is not needed yet: the programs of the last, smaller
 * batch and of the validation are built while the first epoch runs.
 */

import { AVERAGE } from '../../nn/optimizers/optimizer.ts';
import { DownhillError } from '../../util/errors.ts';
import type { CallbackList, Logs, TrainedModel, TrainingPoint } from '../callbacks/callback.ts';
import { type BatchData, dataFacts } from '../data/batch-data.ts';
import type { Batches, OpenData, ReadyBatch } from '../data/batches.ts';
import { openData } from '../data/open-data.ts';
import { reportedOutputs } from '../step/output-losses.ts';
import {
  layOutReport,
  type ReportEntry,
  type ReportSums,
  RunningReport,
  reportLogs,
  validationName,
} from '../step/report.ts';
import { trainGraph } from '../step/step-graph.ts';
import { type Recorder, runSteps } from '../step/step-runner.ts';
import { type Compiled, type Context, stepScalars } from '../step/training-context.ts';
import { Evaluator } from './evaluate-run.ts';
import { History, type TrainingFacts } from './history.ts';
import { StepClock } from './step-clock.ts';
import { StepLog } from './step-log.ts';

export interface FitJob {
  readonly context: Context;
  readonly compiled: Compiled;
  readonly data: BatchData;
  readonly validation: BatchData | undefined;
  readonly epochs: number;
  readonly initialEpoch: number;
  /** Within `initialEpoch`. */
  readonly initialStep: number;
  /** Milliseconds of work that may be queued ahead; undefined for no bound. */
  readonly frameBudget?: number;
  readonly shuffle: boolean;
  /** Whole number below 2³². */
  readonly seed: number;
  readonly callbacks: CallbackList;
  readonly model: TrainedModel;
}

/** Trains from `initialEpoch` to `epochs`. */
export async function runFit(job: FitJob): Promise<History> {
  const { model, callbacks, data, epochs } = job;
  const names = reportedOutputs(job.compiled.losses).map(({ name }) => name);
  const params = {
    epochs,
    initialEpoch: job.initialEpoch,
    ...dataFacts(data),
    metrics: job.validation === undefined ? names : [...names, ...names.map(validationName)],
    ...{ seed: job.seed, shuffle: job.shuffle && data.kind !== 'stream' },
  };
  checkInitialStep(job.initialStep, data, params.steps);
  model.stopTraining = false;
  await callbacks.onCheck(params, model);
  const point = await callbacks.onResume(params, model);
  checkInitialStep(point?.step ?? 0, data, params.steps);
  const initialEpoch = point?.epoch ?? job.initialEpoch;
  const initialStep = point?.step ?? job.initialStep;
  const restore = async (from: TrainingPoint): Promise<void> => {
    if (from.learningRate !== undefined && !model.followsSchedule) model.learningRate = from.learningRate;
    await callbacks.restoreStates(from.callbacks);
  };
  const history = new History({ ...params, initialEpoch, ...(point?.callbacks.size && { resumed: true }) });
  await callbacks.onTrainBegin(history.params, model);
  if (point?.step === 0) await restore(point);
  if (point?.ended) model.stopTraining = true;
  const run = new FitRun({ ...job, initialEpoch, initialStep }, names);
  try {
    await run.build();
    let logs: Logs = {};
    let interrupted = false;
    for (let epoch = initialEpoch; epoch < epochs && !model.stopTraining; epoch++) {
      await callbacks.onEpochBegin(epoch);
      interrupted = model.stopTraining;
      if (interrupted) break;
      const goesOn = epoch === initialEpoch && point !== undefined && point.step > 0 ? point : undefined;
      // What `onEpochBegin` did is done for the second time in this epoch.
      if (goesOn !== undefined) await restore(goesOn);
      const { values, whole } = await run.trainEpoch(epoch, goesOn?.report);
      logs = { ...values, ...(await run.validate()) };
      history.addEpoch(epoch, logs);
      interrupted = !whole || (model.stopTraining && epoch + 1 < epochs);
      await callbacks.onEpochEnd(epoch, logs);
      const ended = model.stopTraining && !interrupted;
      if (whole) await callbacks.onCheckpoint(run.point(epoch + 1, 0, { ended }));
      if (model.stopTraining && !ended && epoch + 1 < epochs) interrupted = true;
    }
    run.finishUpdates();
    await callbacks.onTrainEnd(logs, interrupted);
    history.finish(run.losses, await run.facts());
    return history;
  } finally {
    await run.dispose();
  }
}

class FitRun {
  readonly losses: number[] = [];
  private readonly clock = new StepClock();
  private source: OpenData | undefined;
  private log!: StepLog;
  private report!: readonly ReportEntry[];
  private batches!: Batches;
  private evaluator: Promise<Evaluator> | undefined;
  private submitsPerStep = 0;

  constructor(
    private readonly job: FitJob,
    private readonly names: readonly string[],
  ) {}

  /** Opens the data, compiles and loads the program of a full batch. */
  async build(): Promise<void> {
    const { context, compiled, data, shuffle, callbacks } = this.job;
    const { backend, parts, groups } = context;
    this.source = await openData(backend, data, shuffle);
    this.clock.start();
    this.batches = await this.source.load({
      groups,
      graph: (spec) => trainGraph(parts, compiled.losses, compiled.optimizer, spec),
      onProgress: (built, total) => callbacks.onCompile(built, total),
    });
    await callbacks.compiled();
    this.report = layOutReport(reportedOutputs(compiled.losses), this.batches.full);
    this.log = new StepLog(
      backend,
      this.report.map(({ width }) => width),
    );
  }

  /**
   * The values over the epoch, and whether all its steps were made.
   * @param sums of the steps that were made of it before.
   */
  async trainEpoch(epoch: number, sums?: ReportSums): Promise<{ values: Record<string, number>; whole: boolean }> {
    const { job, batches, log, clock, names, report: entries } = this;
    const { callbacks, model, context, compiled } = job;
    const shuffle = [job.seed, epoch] as const;
    const running = new RunningReport(entries, sums);
    const from = epoch === job.initialEpoch ? job.initialStep : 0;
    // The generator of a stream cannot be led to a place in its middle.
    const resumable = job.data.kind !== 'stream';
    let exhausted = false;
    const scalars = new Map<string, readonly number[]>([['shuffle', shuffle]]);
    await batches.startEpoch(shuffle);

    const submit = ({ program, offset }: ReadyBatch, record: Recorder): boolean => {
      stepScalars(compiled, ++context.store.iterations, job.seed, scalars).set('offset', [offset]);
      const before = context.backend.counters.submits;
      program.run(scalars, record(program.outputIndices(names)));
      if (program === batches.full) this.submitsPerStep = context.backend.counters.submits - before;
      return true;
    };
    const begin = (step: number, batch: ReadyBatch | undefined, record: Recorder): boolean | Promise<boolean> => {
      if (batch === undefined) {
        exhausted = true;
        return false;
      }
      const waiting = callbacks.onBatchBegin(step);
      return waiting === undefined ? submit(batch, record) : waiting.then(() => submit(batch, record));
    };
    clock.startEpoch();
    const sent = await runSteps({
      backend: context.backend,
      log,
      from,
      steps: batches.limit,
      ...(job.frameBudget !== undefined && { frameBudget: job.frameBudget }),
      stopped: () => model.stopTraining,
      standstill: (step) => {
        if (!resumable || !callbacks.wantsCheckpoint(step)) return undefined;
        return () => callbacks.onCheckpoint(this.point(epoch, step, { report: running.sums }));
      },
      submit: (step, record) => {
        const batch = batches.next(step);
        return batch instanceof Promise
          ? batch.then((ready) => begin(step, ready, record))
          : begin(step, batch, record);
      },
      waitForFirst: epoch === job.initialEpoch,
      onFinished: (first, steps) => {
        const samples = Array.from({ length: steps }, (_, k) => batches.count(first + k));
        if (clock.finished(...samples)) this.buildRest();
      },
      onReport: (step, report) => {
        this.losses.push(report[0]);
        const logs = reportLogs(entries, report);
        running.add(report, batches.count(step));
        return callbacks.onBatchEnd(step, logs, running.logs());
      },
    });
    clock.endEpoch();
    const whole = exhausted || from + sent >= batches.limit;
    const begun = from + sent > 0;
    if (!whole && resumable && begun)
      await callbacks.onCheckpoint(this.point(epoch, from + sent, { report: running.sums }));
    return { values: running.logs(), whole };
  }

  /** The position of the training, now that nothing is under way. */
  point(epoch: number, step: number, { ended = false, report }: Partial<TrainingPoint> = {}): TrainingPoint {
    const { callbacks, model } = this.job;
    const learningRate = model.followsSchedule ? undefined : model.learningRate;
    return { epoch, step, ended, learningRate, report, callbacks: callbacks.saveStates() };
  }

  /** The values over the validation data, under their names in the logs; none without such data. */
  async validate(): Promise<Logs> {
    const { callbacks } = this.job;
    const values = await (await this.evaluator)?.run((step, steps) => callbacks.onValidationBatchEnd(step, steps));
    return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [validationName(name), value]));
  }

  /** What an optimizer does with the weights when all updates are made: its averages take their place. */
  finishUpdates(): void {
    if (this.job.compiled.optimizer.common.useEma) this.job.context.store.takeAverages(AVERAGE);
  }

  async facts(): Promise<TrainingFacts> {
    const { batches, clock, job } = this;
    const { plan } = batches.full;
    return {
      ...clock.facts(),
      dispatchesPerStep: plan.dispatches.length,
      submitsPerStep: this.submitsPerStep,
      pipelines: await batches.pipelines(),
      planBytes: plan.planBytes + plan.boundBytes,
      peakBytes: job.context.backend.counters.peakBytes,
    };
  }

  async dispose(): Promise<void> {
    await (await this.evaluator?.catch(() => undefined))?.dispose();
    await this.batches?.dispose();
    this.log?.dispose();
    await this.source?.dispose();
  }

  /** Starts to build what the rest of the training needs. Only now: the first step had the processor for itself. */
  private buildRest(): void {
    const { context, compiled, validation } = this.job;
    const last = this.batches.prepareRest();
    if (validation === undefined) return;
    this.evaluator = last.then(() =>
      Evaluator.create(context.backend, context.parts, context.groups, compiled.losses, validation),
    );
    // Awaited by `validate`; a failure before that must not count as unhandled.
    this.evaluator.catch(() => undefined);
  }
}

/** @throws DownhillError `argument` for a step that no epoch has. */
function checkInitialStep(initialStep: number, data: BatchData, steps = Number.POSITIVE_INFINITY): void {
  if (initialStep > 0 && data.kind === 'stream') {
    const found = `"${data.name}" is a stream, which always begins at its first batch; found initialStep ${initialStep}`;
    throw new DownhillError('argument', `fit: initialStep goes with data in memory: ${found}`);
  }
  if (initialStep < steps) return;
  throw new DownhillError(
    'argument',
    `fit: initialStep must be below the ${steps} steps of an epoch, found ${initialStep}; the next epoch begins at 0`,
  );
}
