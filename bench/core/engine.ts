/**
 * How an engine's training step is measured, the same for every engine: weights and data are on the device before the
 * clock starts; a step ends when its loss has been read; the next one starts then. Ten steps are counted and their
 * losses kept, for the comparison of results; then counting is switched off and steps are timed.
 */

import { type CallCounts, grown, startCounting } from './count-calls.ts';
import { type Series, seriesOf } from './statistics.ts';
import type { Workload } from './workloads.ts';

export interface Engine {
  readonly name: string;
  readonly version: string;
  /** Puts weights and batches on the device; builds nothing that depends on the step. */
  prepare(workload: Workload): Promise<void>;
  /** One step on batch `k`, the loss before it. `t` counts the steps from 1. */
  step(k: number, t: number): Promise<number>;
  dispose(): Promise<void> | void;
}

export interface EngineReport {
  readonly engine: string;
  readonly version: string;
  readonly workload: string;
  readonly batch: number;
  readonly digest: string;
  /** Milliseconds from the call of the first step to its loss, everything compiled. */
  readonly firstStepMs: number;
  /** Timed steps, each waited for. */
  readonly step: Series;
  /** Of the parity steps, in order. */
  readonly losses: readonly number[];
  /** Medians over the counted steady steps. */
  readonly perStep: { readonly dispatches: number; readonly submits: number; readonly newObjects: number };
  /** Compute pipelines made up to the tenth step. */
  readonly pipelines: number;
  /** Largest sum of buffer sizes up to the tenth step, the resident batches among them. */
  readonly peakBytes: number;
  readonly dataBytes: number;
}

export interface DriveOptions {
  /** Milliseconds to spend on timed steps. */
  readonly budgetMs: number;
  readonly maxSteps: number;
  /** Hears the losses of the parity steps, before any step is timed. */
  readonly onLosses?: (losses: readonly number[]) => void;
}

/** Steps whose losses are compared and whose calls are counted. */
export const PARITY_STEPS = 10;
const MIN_STEPS = 5;

/** Measures `engine` on `workload`. */
export async function driveEngine(engine: Engine, workload: Workload, options: DriveOptions): Promise<EngineReport> {
  const counting = startCounting();
  const losses: number[] = [];
  const steady: ReturnType<typeof grown>[] = [];
  let t = 0;
  const step = (): Promise<number> => engine.step(t % workload.batches, ++t);
  await engine.prepare(workload);
  const begin = performance.now();
  losses.push(await step());
  const firstStepMs = performance.now() - begin;
  while (t < PARITY_STEPS) {
    const before: CallCounts = { ...counting.counts };
    losses.push(await step());
    steady.push(grown(before, counting.counts));
  }
  const { pipelines, peakBytes } = counting.counts;
  counting.stop();
  options.onLosses?.(losses);
  const times: number[] = [];
  const end = performance.now() + options.budgetMs;
  while (times.length < MIN_STEPS || (times.length < options.maxSteps && performance.now() < end)) {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  }
  await engine.dispose();
  const middle = (key: 'dispatches' | 'submits' | 'newObjects'): number => seriesOf(steady.map((s) => s[key])).median;
  return {
    engine: engine.name,
    version: engine.version,
    workload: workload.name,
    batch: workload.batch,
    digest: workload.digest,
    firstStepMs,
    step: seriesOf(times),
    losses,
    perStep: { dispatches: middle('dispatches'), submits: middle('submits'), newObjects: middle('newObjects') },
    pipelines,
    peakBytes,
    dataBytes: workload.x.byteLength + workload.y.byteLength,
  };
}
