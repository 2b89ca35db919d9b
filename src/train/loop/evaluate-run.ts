/**
 * Evaluator: loss and metrics of a model over a data set, at inference. Made once and run after every epoch of a
 * training, or once by itself.
 */

import type { Backend } from '../../backend/backend.ts';
import type { BatchData } from '../data/batch-data.ts';
import type { Batches, OpenData } from '../data/batches.ts';
import { openData } from '../data/open-data.ts';
import type { ModelParts } from '../model/model-parts.ts';
import { type OutputLosses, reportedOutputs } from '../step/output-losses.ts';
import { layOutReport, type ReportEntry, RunningReport } from '../step/report.ts';
import { evaluateGraph } from '../step/step-graph.ts';
import { runSteps } from '../step/step-runner.ts';
import type { DeviceGroup } from '../weights/weight-store.ts';
import { StepLog } from './step-log.ts';

/** Streams begin a new pass for each run, tables keep their order: the key of a shuffle does not matter. */
const NO_SHUFFLE = [0, 0] as const;

export class Evaluator {
  private constructor(
    private readonly backend: Backend,
    private readonly report: readonly ReportEntry[],
    private readonly source: OpenData,
    private readonly log: StepLog,
    private readonly batches: Batches,
  ) {}

  /** Uploads the data, or asks for its first batch, and builds the programs. */
  static async create(
    backend: Backend,
    parts: ModelParts,
    groups: readonly DeviceGroup[],
    losses: OutputLosses,
    data: BatchData,
  ): Promise<Evaluator> {
    const source = await openData(backend, data, false);
    try {
      const batches = await source.load({ groups, graph: (spec) => evaluateGraph(parts, losses, spec) });
      const report = layOutReport(reportedOutputs(losses), batches.full);
      const log = new StepLog(
        backend,
        report.map(({ width }) => width),
      );
      return new Evaluator(backend, report, source, log, batches);
    } catch (error) {
      await source.dispose();
      throw error;
    }
  }

  /**
   * The values over all examples, by name.
   * @param onSent hears of each step that was sent, and how many there will be, where that is known.
   * @throws DownhillError as the batches of a stream.
   */
  async run(
    onSent?: (step: number, steps: number | undefined) => void | Promise<void>,
  ): Promise<Record<string, number>> {
    const { backend, log, batches, report: entries } = this;
    const names = entries.map(({ name }) => name);
    const running = new RunningReport(entries);
    await batches.startEpoch(NO_SHUFFLE);
    await runSteps({
      backend,
      log,
      steps: batches.limit,
      submit: async (step, record) => {
        const batch = await batches.next(step);
        if (batch === undefined) return false;
        batch.program.run(new Map([['offset', [batch.offset]]]), record(batch.program.outputIndices(names)));
        await onSent?.(step, Number.isFinite(batches.limit) ? batches.limit : undefined);
        return true;
      },
      onReport: (step, report) => running.add(report, batches.count(step)),
    });
    return running.logs();
  }

  async dispose(): Promise<void> {
    await this.batches.dispose();
    this.log.dispose();
    await this.source.dispose();
  }
}
