/**
 * runSteps: sends steps to the device and collects what they report, keeping the device busy.
 *
 * Invariants: at most three steps are in flight; nothing is awaited inside a step; reports are read back late, many at
 * once, and handed over in the order of the steps. The event loop gets a turn now and then even where a backend
 * computes synchronously.
 */

import type { Backend, OutputRecord } from '../backend/backend.ts';
import type { StepLog } from './step-log.ts';

/** Takes the indices of the outputs that make a step's report. */
export type Recorder = (outputs: readonly number[]) => OutputRecord[];

export interface StepRun {
  readonly backend: Backend;
  readonly log: StepLog;
  readonly steps: number;
  /** Submits a step, which must keep its values where `record` says. */
  submit(step: number, record: Recorder): void | Promise<void>;
  /** The report of each step, in order. */
  onReport(step: number, report: Float64Array): void | Promise<void>;
  /** True to let the first step end before the second is sent. */
  readonly waitForFirst?: boolean;
  /** Called when the device has finished a step. */
  onFinished?(step: number): void;
  /** True when no further step shall be sent. */
  stopped?(): boolean;
}

const MAX_IN_FLIGHT = 3;
/** Reports are read back when this many are unread, or this many milliseconds after the last time. */
const READ_STEPS = 64;
const READ_INTERVAL = 250;
/** Milliseconds after which the event loop gets a turn. */
const TURN_INTERVAL = 50;

/** @returns how many steps were sent. */
export async function runSteps(run: StepRun): Promise<number> {
  const { backend, log } = run;
  // A backend that computes in `run` itself has nothing in flight.
  const limit = backend.kind === 'webgpu' ? MAX_IN_FLIGHT : 1;
  const record: Recorder = (outputs) => log.record(outputs);
  const inFlight: Promise<void>[] = [];
  const arrived: Float64Array[] = [];
  let reading: Promise<void> | undefined;
  let delivered = 0;
  let lastRead = performance.now();
  let lastTurn = lastRead;

  const startReading = (): void => {
    lastRead = performance.now();
    reading = handled(
      log.read().then((rows) => {
        arrived.push(...rows);
        reading = undefined;
      }),
    );
  };
  const deliver = async (): Promise<void> => {
    while (arrived.length > 0) await run.onReport(delivered++, arrived.shift()!);
  };

  let step = 0;
  for (; step < run.steps && !run.stopped?.(); step++) {
    if (log.full) {
      await reading;
      startReading();
    }
    const submitted = run.submit(step, record);
    if (submitted !== undefined) await submitted;
    const sent = step;
    inFlight.push(handled(backend.finish().then(() => run.onFinished?.(sent))));
    if (inFlight.length >= (step === 0 && run.waitForFirst ? 1 : limit)) await inFlight.shift();
    const now = performance.now();
    if (reading === undefined && (log.unread >= READ_STEPS || now - lastRead >= READ_INTERVAL)) startReading();
    if (arrived.length > 0) await deliver();
    if (now - lastTurn >= TURN_INTERVAL) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      lastTurn = performance.now();
    }
  }
  await Promise.all(inFlight);
  await reading;
  startReading();
  await reading;
  await deliver();
  return step;
}

/** A promise that is awaited later: a failure before that must not count as unhandled. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
