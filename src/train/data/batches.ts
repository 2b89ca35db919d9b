/**
 * Batches: what a loop of steps asks for, step by step: the next batch on the device and the program that runs it. Those
 * of tables, whose rows are known, are in table-batches.ts, those of a stream in stream-batches.ts.
 *
 * Invariant: of one feed at most two programs are alive, one for full batches and one for a smaller batch.
 */

import type { GraphSpec } from '../../core/graph.ts';
import { printModule } from '../../kernel/print.ts';
import type { StepProgram } from '../step/step-program.ts';
import type { DeviceGroup } from '../weights/weight-store.ts';
import type { FeedSpec } from './feed.ts';

/** A batch that lies on the device. */
export interface ReadyBatch {
  readonly program: StepProgram;
  readonly count: number;
  /** Scalar `offset`: the batch's first row in the order of the epoch. */
  readonly offset: number;
}

export interface Batches {
  /** Steps of an epoch at most; infinite for a stream that says nothing. */
  readonly limit: number;
  /** Of full batches. */
  readonly full: StepProgram;
  /** Chooses the epoch's order; `key` is [seed, epoch]. */
  startEpoch(key: readonly [number, number]): void | Promise<void>;
  /**
   * The batch of the step that is sent next; a promise only where something must be waited for. Undefined when there is
   * none: the epoch ends.
   */
  next(step: number): ReadyBatch | undefined | Promise<ReadyBatch | undefined>;
  /** Rows of a step that was asked for. */
  count(step: number): number;
  /** Starts to build what later steps will need, as far as it is known. */
  prepareRest(): Promise<unknown>;
  /** Distinct kernels of the programs built so far. */
  pipelines(): Promise<number>;
  dispose(): Promise<void>;
}

/** How programs come to be. */
export interface BatchPlan {
  readonly groups: readonly DeviceGroup[];
  graph(spec: FeedSpec): GraphSpec;
  readonly onProgress?: (built: number, total: number) => void;
}

/** Data that is ready to be run over: uploaded, or with its first batch at hand. */
export interface OpenData {
  load(plan: BatchPlan): Promise<Batches>;
  /** Frees what was uploaded; the programs are freed before. */
  dispose(): void | Promise<void>;
}

/** Distinct kernels of a feed's programs. */
export async function pipelinesOf(full: StepProgram, other: Promise<StepProgram> | undefined): Promise<number> {
  const programs = [full, ...(other === undefined ? [] : [await other])];
  return new Set(programs.flatMap(({ plan }) => plan.kernels.map(({ module }) => printModule(module)))).size;
}

/** Frees a program that may still be built. */
export async function disposeProgram(program: Promise<StepProgram> | undefined): Promise<void> {
  await program?.then((ready) => ready.dispose()).catch(() => undefined);
}
