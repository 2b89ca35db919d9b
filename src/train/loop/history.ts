/**
 * History: what a training returns. The logs of its epochs, the loss of each single step, and how long things took.
 */

import type { Logs, TrainingParams } from '../callbacks/callback.ts';
import { lossDigest } from '../weights/digest.ts';

/** Facts about time and device work of one training; times in milliseconds of wall clock. */
export interface TrainingFacts {
  /** From the start of compilation to the end of the first step. */
  readonly firstStepMs: number;
  /**
   * From the end of a step to the end of the next, for every step but the first; device time when the queue is full.
   */
  readonly stepMs: Float64Array;
  /** Median of `stepMs`; NaN when there was one step only. */
  readonly stepMsMedian: number;
  /** Training time without validation and callbacks. */
  readonly trainMs: number;
  /** Examples per second over all steps but the first. */
  readonly samplesPerSecond: number;
  /** Of a full batch. */
  readonly dispatchesPerStep: number;
  /** Of a full batch, as counted by the backend. */
  readonly submitsPerStep: number;
  /** Distinct kernels of the training programs. */
  readonly pipelines: number;
  /** Bytes of the buffers of a full step's plan, those it owns and those bound to it. */
  readonly planBytes: number;
  /** Largest number of bytes alive on the backend so far. */
  readonly peakBytes: number;
}

export class History {
  /** Numbers (from 0) of the epochs that were trained. */
  readonly epoch: number[] = [];
  /** By name, one value an epoch: `history.valAccuracy[0]`. */
  readonly history: Record<string, number[]> = {};
  /** Loss of every step, in order; NaN and infinities included. */
  lossHistory: Float32Array = new Float32Array(0);
  private knownFacts: TrainingFacts | undefined;

  constructor(readonly params: TrainingParams) {}

  /** Filled in when the training ends. */
  get facts(): TrainingFacts {
    return this.knownFacts!;
  }

  /** 16 hex digits of the bits of `lossHistory`: equal for two runs that took the same steps. */
  get digest(): string {
    return lossDigest(this.lossHistory);
  }

  /** The logs of the last epoch. */
  get last(): Logs {
    return Object.fromEntries(Object.entries(this.history).map(([name, values]) => [name, values.at(-1)!]));
  }

  addEpoch(epoch: number, logs: Logs): void {
    this.epoch.push(epoch);
    for (const [name, value] of Object.entries(logs)) (this.history[name] ??= []).push(value);
  }

  /** Puts what was trained before, where this training went on, in front. */
  prepend(epochs: readonly { readonly epoch: number; readonly logs: Logs }[], losses: Float32Array): void {
    const own = this.epoch.map((epoch, k) => ({
      epoch,
      logs: Object.fromEntries(Object.entries(this.history).map(([name, values]) => [name, values[k]])),
    }));
    this.epoch.length = 0;
    for (const name of Object.keys(this.history)) delete this.history[name];
    for (const { epoch, logs } of [...epochs, ...own]) this.addEpoch(epoch, logs);
    this.lossHistory = Float32Array.from([...losses, ...this.lossHistory]);
  }

  finish(losses: readonly number[], facts: TrainingFacts): void {
    this.lossHistory = Float32Array.from(losses);
    this.knownFacts = facts;
  }
}

/** The middle value; the mean of the two in the middle of an even count; NaN of none. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
