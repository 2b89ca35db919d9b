/**
 * StepClock: how long steps take, as seen from the moment when the device has finished each. With the queue kept full,
 * the time between two ends is the device's time for a step; the first step holds everything that is built once.
 */

import { median } from './history.ts';

export interface ClockFacts {
  readonly firstStepMs: number;
  readonly stepMs: Float64Array;
  readonly stepMsMedian: number;
  readonly trainMs: number;
  readonly samplesPerSecond: number;
}

export class StepClock {
  private readonly stepMs: number[] = [];
  private firstStepMs: number | undefined;
  private started = 0;
  private epochStarted = 0;
  private lastEnd = 0;
  private trainMs = 0;
  /** Milliseconds and examples of the steps after the first. */
  private steadyMs = 0;
  private steadySamples = 0;

  /** @param now a clock in milliseconds. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Compilation begins. */
  start(): void {
    this.started = this.now();
  }

  startEpoch(): void {
    this.epochStarted = this.now();
    this.lastEnd = this.epochStarted;
  }

  /**
   * Steps have ended on the device, together as far as one can tell: their time is shared out evenly.
   * @param samples examples of each. @returns true when the first step of all was among them.
   */
  finished(...samples: readonly number[]): boolean {
    const end = this.now();
    const first = this.firstStepMs === undefined;
    if (this.firstStepMs === undefined) {
      this.firstStepMs = end - this.started;
      this.trainMs = this.epochStarted - this.started;
    } else {
      const each = (end - this.lastEnd) / samples.length;
      for (const count of samples) {
        this.stepMs.push(each);
        this.steadySamples += count;
      }
      this.steadyMs += end - this.lastEnd;
    }
    this.lastEnd = end;
    return first;
  }

  endEpoch(): void {
    this.trainMs += this.now() - this.epochStarted;
  }

  facts(): ClockFacts {
    return {
      firstStepMs: this.firstStepMs ?? Number.NaN,
      stepMs: Float64Array.from(this.stepMs),
      stepMsMedian: median(this.stepMs),
      trainMs: this.trainMs,
      samplesPerSecond: (1000 * this.steadySamples) / this.steadyMs,
    };
  }
}
