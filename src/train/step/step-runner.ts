/**
 * runSteps: sends steps to the device and collects what they report, keeping the device busy.
 *
 * Invariants: at most three steps are in flight; nothing is awaited inside a step; reports are read back late, many at
 * once, and handed over in the order of the steps. The event loop gets a turn now and then even where a backend
 * computes synchronously.
 */

import type { Backend, OutputRecord } from '../../backend/backend.ts';
import { createPacer } from '../loop/pacer.ts';
import type { StepLog } from '../loop/step-log.ts';

/** Takes the indices of the outputs that make a step's report. */
export type Recorder = (outputs: readonly number[]) => OutputRecord[];

export interface StepRun {
  readonly backend: Backend;
  readonly log: StepLog;
  /** The first step; 0 when left out. */
  readonly from?: number;
  /** The step at which to end at the latest; may be infinite. */
  readonly steps: number;
  /** Milliseconds of work that may be queued ahead; undefined for no bound. */
  readonly frameBudget?: number;
  /** Submits a step, which must keep its values where `record` says; false when there is none and the run ends. */
  submit(step: number, record: Recorder): boolean | Promise<boolean>;
  /** The report of each step, in order. */
  onReport(step: number, report: Float64Array): void | Promise<void>;
  /** True to let the first step end before the second is sent. */
  readonly waitForFirst?: boolean;
  /** Called when the device has finished `steps` more steps, `first` and those after it. */
  onFinished?(first: number, steps: number): void;
  /** True when no further step shall be sent. */
  stopped?(): boolean;
  /**
   * Asked before each step but the first: a function to be awaited when every step before is finished and reported;
   * undefined, as a rule, for none.
   */
  standstill?(step: number): (() => Promise<void>) | undefined;
}

/** Reports are read back when this many are unread, or this many milliseconds after the last time. */
const READ_STEPS = 64;
const READ_INTERVAL = 250;
/** The same where someone watches, frame by frame. */
const WATCHED_READ_INTERVAL = 100;
/** Milliseconds after which the event loop gets a turn. */
const TURN_INTERVAL = 50;

/** @returns how many steps were sent. */
export async function runSteps(run: StepRun): Promise<number> {
  const { backend, log } = run;
  const record: Recorder = (outputs) => log.record(outputs);
  const arrived: Float64Array[] = [];
  let reading: Promise<void> | undefined;
  const { from = 0, frameBudget } = run;
  const readInterval = frameBudget === undefined ? READ_INTERVAL : WATCHED_READ_INTERVAL;
  let delivered = from;
  let finished = from;
  let lastRead = performance.now();
  let lastTurn = lastRead;

  const onFinished = (steps: number): void => {
    run.onFinished?.(finished, steps);
    finished += steps;
  };
  const pacer = createPacer(backend, onFinished, frameBudget);
  const startReading = (): void => {
    lastRead = performance.now();
    reading = log.read().then((rows) => {
      arrived.push(...rows);
      reading = undefined;
    });
    // Awaited later: a failure before that must not count as unhandled.
    reading.catch(() => undefined);
  };
  const deliver = async (): Promise<void> => {
    while (arrived.length > 0) await run.onReport(delivered++, arrived.shift()!);
  };

  /** Until every step that was sent is finished and reported. */
  const settle = async (): Promise<void> => {
    await pacer.drain();
    await reading;
    startReading();
    await reading;
    await deliver();
  };

  let step = from;
  for (; step < run.steps && !run.stopped?.(); step++) {
    const standstill = step > from ? run.standstill?.(step) : undefined;
    if (standstill !== undefined) {
      await settle();
      await standstill();
      if (run.stopped?.()) break;
    }
    if (log.full) {
      await reading;
      startReading();
    }
    const submitted = run.submit(step, record);
    if (!(typeof submitted === 'boolean' ? submitted : await submitted)) break;
    const waiting = pacer.sent();
    if (waiting !== undefined) await waiting;
    if (step === from && run.waitForFirst) await pacer.drain();
    const now = performance.now();
    const due = log.unread >= READ_STEPS || now - lastRead >= readInterval;
    if (due && reading === undefined && pacer.quiet) startReading();
    if (arrived.length > 0) await deliver();
    if (now - lastTurn >= TURN_INTERVAL) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      lastTurn = performance.now();
    }
  }
  await settle();
  return step - from;
}
