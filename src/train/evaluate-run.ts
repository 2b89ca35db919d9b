/**
 * Evaluator: loss and metrics of a model over a data set, at inference. Made once and run after every epoch of a
 * training, or once by itself.
 */

import type { Backend } from '../backend/backend.ts';
import { createFeed, type Feed, type FeedSpec, type Tables } from './feed.ts';
import { type Goals, reportedGoals } from './goals.ts';
import type { ModelParts } from './model-parts.ts';
import { layOutReport, type ReportEntry, RunningReport } from './report.ts';
import { evaluateGraph } from './step-graph.ts';
import { StepLog } from './step-log.ts';
import { runSteps } from './step-runner.ts';
import { PassPrograms } from './training-context.ts';
import type { DeviceGroup } from './weight-store.ts';

export interface EvaluationData {
  /** By input name. */
  readonly tables: Tables;
  readonly batchSize: number;
}

export class Evaluator {
  private constructor(
    private readonly backend: Backend,
    private readonly report: readonly ReportEntry[],
    private readonly feed: Feed,
    private readonly log: StepLog,
    private readonly programs: PassPrograms,
  ) {}

  /** Uploads the data and builds the programs. */
  static async create(
    backend: Backend,
    parts: ModelParts,
    groups: readonly DeviceGroup[],
    goals: Goals,
    { tables, batchSize }: EvaluationData,
  ): Promise<Evaluator> {
    const feed = createFeed(backend, tables, batchSize, false);
    try {
      const graph = (spec: FeedSpec) => evaluateGraph(parts, goals, spec);
      const programs = await PassPrograms.create(backend, groups, feed, batchSize, graph);
      const report = layOutReport(reportedGoals(goals), programs.full);
      const log = new StepLog(
        backend,
        report.map(({ width }) => width),
      );
      return new Evaluator(backend, report, feed, log, programs);
    } catch (error) {
      feed.dispose();
      throw error;
    }
  }

  /** The values over all examples, by name. */
  async run(): Promise<Record<string, number>> {
    const { backend, feed, log, programs, report: entries } = this;
    const names = entries.map(({ name }) => name);
    const running = new RunningReport(entries);
    await runSteps({
      backend,
      log,
      steps: programs.steps,
      submit: async (step, record) => {
        const offset = step * programs.fullCount;
        const program = await programs.program(step);
        feed.prepare(offset, programs.count(step));
        program.run(new Map([['offset', [offset]]]), record(program.outputIndices(names)));
      },
      onReport: (step, report) => running.add(report, programs.count(step)),
    });
    return running.logs();
  }

  async dispose(): Promise<void> {
    await this.programs.dispose();
    this.log.dispose();
    this.feed.dispose();
  }
}
