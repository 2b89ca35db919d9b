/**
 * runFit: the training loop. One program a batch size, one submit a step, losses read back late; at the end everything
 * it made on the device is freed, except the weights and the optimizer's slots, which belong to the model.
 */

import type { CallbackList, Logs, TrainedModel } from './callbacks/callback.ts';
import { type EvaluationData, Evaluator } from './evaluate-run.ts';
import { createFeed, type Feed } from './feed.ts';
import { History } from './history.ts';
import { StepClock } from './step-clock.ts';
import { reportNames, trainGraph } from './step-graph.ts';
import { StepLog } from './step-log.ts';
import type { StepProgram } from './step-program.ts';
import { type Recorder, runSteps } from './step-runner.ts';
import {
  type Compiled,
  type Context,
  labelled,
  MeanReport,
  PassPrograms,
  reportLogs,
  stepScalars,
} from './training-context.ts';

export interface FitJob {
  readonly context: Context;
  readonly compiled: Compiled;
  readonly data: EvaluationData;
  readonly validation: EvaluationData | undefined;
  readonly epochs: number;
  readonly initialEpoch: number;
  readonly shuffle: boolean;
  /** Whole number below 2³². */
  readonly seed: number;
  readonly callbacks: CallbackList;
  readonly model: TrainedModel;
}

/** Trains from `initialEpoch` to `epochs`. */
export async function runFit(job: FitJob): Promise<History> {
  const { context, compiled, data, validation } = job;
  const { backend, parts, groups } = context;
  const clock = new StepClock();
  const feed = createFeed(backend, data, data.batchSize, job.shuffle);
  const open: { dispose(): void | Promise<void> }[] = [feed];
  try {
    clock.start();
    const programs = await PassPrograms.create(backend, groups, feed, data.batchSize, (spec) =>
      trainGraph(parts, compiled, compiled.optimizer, labelled(spec)),
    );
    open.push(programs);
    const log = new StepLog(backend, reportNames(compiled).length);
    open.push(log);
    const run = new FitRun(job, feed, programs, log, clock);
    if (validation === undefined) return await run.train(undefined);
    return await run.train(async () => {
      const evaluator = await Evaluator.create(backend, parts, groups, compiled, validation);
      open.push(evaluator);
      return evaluator;
    });
  } finally {
    for (const resource of open.reverse()) await resource.dispose();
  }
}

class FitRun {
  private readonly names: readonly string[];
  private readonly losses: number[] = [];
  private submitsPerStep = 0;

  constructor(
    private readonly job: FitJob,
    private readonly feed: Feed,
    private readonly programs: PassPrograms,
    private readonly log: StepLog,
    private readonly clock: StepClock,
  ) {
    this.names = reportNames(job.compiled);
  }

  async train(makeEvaluator: (() => Promise<Evaluator>) | undefined): Promise<History> {
    const { job, programs, names } = this;
    const { callbacks, model } = job;
    const history = new History({
      epochs: job.epochs,
      initialEpoch: job.initialEpoch,
      steps: programs.steps,
      batchSize: programs.fullCount,
      samples: this.feed.rows,
      metrics: makeEvaluator === undefined ? names : [...names, ...names.map(validationName)],
    });
    model.stopTraining = false;
    await callbacks.onTrainBegin(history.params, model);
    let evaluator: Evaluator | undefined;
    let logs: Logs = {};
    for (let epoch = job.initialEpoch; epoch < job.epochs && !model.stopTraining; epoch++) {
      await callbacks.onEpochBegin(epoch);
      const means = await this.trainEpoch(epoch);
      if (makeEvaluator !== undefined) {
        evaluator ??= await makeEvaluator();
        const values = await evaluator.run();
        for (const name of names) means[validationName(name)] = values[name];
      }
      logs = means;
      history.addEpoch(epoch, logs);
      await callbacks.onEpochEnd(epoch, logs);
    }
    await callbacks.onTrainEnd(logs);
    history.finish(this.losses, await this.facts());
    return history;
  }

  private async trainEpoch(epoch: number): Promise<Record<string, number>> {
    const { job, feed, programs, log, clock, names } = this;
    const { callbacks, model, context, compiled } = job;
    const shuffle = [job.seed, epoch] as const;
    const means = new MeanReport(names);
    const scalars = new Map<string, readonly number[]>([['shuffle', shuffle]]);
    feed.startEpoch(shuffle);

    const submit = (step: number, program: StepProgram, record: Recorder): void => {
      const offset = step * programs.fullCount;
      feed.prepare(offset, programs.count(step));
      stepScalars(compiled.optimizer, ++context.store.iterations, job.seed, scalars).set('offset', [offset]);
      const before = context.backend.counters.submits;
      program.run(scalars, record(program.outputIndices(names)));
      if (program === programs.full) this.submitsPerStep = context.backend.counters.submits - before;
    };
    clock.startEpoch();
    await runSteps({
      backend: context.backend,
      log,
      steps: programs.steps,
      stopped: () => model.stopTraining,
      submit: (step, record) => {
        const waiting = callbacks.onBatchBegin(step);
        const program = programs.program(step);
        if (waiting === undefined && !(program instanceof Promise)) return submit(step, program, record);
        return Promise.resolve(waiting)
          .then(() => program)
          .then((ready) => submit(step, ready, record));
      },
      waitForFirst: epoch === job.initialEpoch,
      onFinished: (step) => {
        // Only when the first step is done does the last batch's program take processor time.
        if (clock.finished(programs.count(step))) void programs.prepareLast();
      },
      onReport: (step, report) => {
        this.losses.push(report[0]);
        means.add(report, programs.count(step));
        return callbacks.onBatchEnd(step, reportLogs(names, report));
      },
    });
    clock.endEpoch();
    return means.logs();
  }

  private async facts(): Promise<History['facts']> {
    const { programs, clock, job } = this;
    const { plan } = programs.full;
    return {
      ...clock.facts(),
      dispatchesPerStep: plan.dispatches.length,
      submitsPerStep: this.submitsPerStep,
      pipelines: await programs.pipelines(),
      planBytes: plan.planBytes + plan.boundBytes,
      peakBytes: job.context.backend.counters.peakBytes,
    };
  }
}

/** `loss` → `valLoss`. */
export function validationName(name: string): string {
  return `val${name[0].toUpperCase()}${name.slice(1)}`;
}
