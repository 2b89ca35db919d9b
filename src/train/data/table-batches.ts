/**
 * Batches of a feed: where the rows do not divide, the last one has a program of its own, which is built while the
 * first one already runs.
 */

import type { Backend } from '../../backend/backend.ts';
import { StepProgram } from '../step/step-program.ts';
import { stepBuffers } from '../step/training-context.ts';
import { type Batches, type BatchPlan, disposeProgram, pipelinesOf, type ReadyBatch } from './batches.ts';
import type { Feed } from './feed.ts';

export class TableBatches implements Batches {
  readonly limit: number;
  private readonly fullCount: number;
  private readonly lastCount: number;
  private last: Promise<StepProgram> | undefined;

  private constructor(
    readonly full: StepProgram,
    private readonly feed: Feed,
    batchSize: number,
    private readonly program: (count: number) => Promise<StepProgram>,
  ) {
    this.fullCount = Math.min(batchSize, feed.rows);
    this.limit = Math.ceil(feed.rows / this.fullCount);
    this.lastCount = feed.rows - (this.limit - 1) * this.fullCount;
  }

  static async load(backend: Backend, feed: Feed, batchSize: number, plan: BatchPlan): Promise<TableBatches> {
    const buffers = stepBuffers(plan.groups, feed);
    const program = (count: number, progress?: typeof plan.onProgress): Promise<StepProgram> =>
      StepProgram.load(backend, plan.graph(feed.spec(count)), buffers, progress);
    const full = await program(Math.min(batchSize, feed.rows), plan.onProgress);
    return new TableBatches(full, feed, batchSize, program);
  }

  startEpoch(key: readonly [number, number]): void {
    this.feed.startEpoch(key);
  }

  next(step: number): ReadyBatch | Promise<ReadyBatch> {
    const count = this.count(step);
    const ready = (program: StepProgram): ReadyBatch => {
      const offset = step * this.fullCount;
      this.feed.prepare(offset, count);
      return { program, count, offset };
    };
    return count === this.fullCount ? ready(this.full) : this.prepareRest().then(ready);
  }

  count(step: number): number {
    return step === this.limit - 1 ? this.lastCount : this.fullCount;
  }

  prepareRest(): Promise<StepProgram> {
    if (this.lastCount === this.fullCount) return Promise.resolve(this.full);
    if (this.last === undefined) {
      this.last = this.program(this.lastCount);
      // Awaited when the epoch's last step comes; a failure before that must not count as unhandled.
      this.last.catch(() => undefined);
    }
    return this.last;
  }

  pipelines(): Promise<number> {
    return pipelinesOf(this.full, this.last);
  }

  async dispose(): Promise<void> {
    this.full.dispose();
    await disposeProgram(this.last);
  }
}
