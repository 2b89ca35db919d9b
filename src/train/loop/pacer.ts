/**
 * Pacer: how far the host may run ahead of the device. At most three steps are in flight.
 *
 * On a GPU the host asks for the end of each step when it sends it, and waits for the oldest. On a software adapter,
 * which shares the processor with us, asking is expensive: Node's WebGPU polls for as long as anything is awaited.
 * There the host sends three steps, sleeps for most of the time that they will take, and only then asks (2 to 4 %
 * faster than asking at once, even though polls are far between: docs/adr/0018).
 *
 * Where something else wants the device (the page that shows the training), a budget bounds the work that is queued
 * before it: many small steps or one large one, as measured.
 */

import type { Backend } from '../../backend/backend.ts';

export interface Pacer {
  /** True when nothing is in flight, or when asking the backend for something costs nothing. */
  readonly quiet: boolean;
  /** Called after a step was sent; a promise when the host must wait before it sends the next. */
  sent(): void | Promise<void>;
  /** Waits for all that was sent. */
  drain(): Promise<void>;
}

/** Hears that `steps` more steps have ended. */
export type OnFinished = (steps: number) => void;

const MAX_IN_FLIGHT = 3;
/** Share of the expected time that is slept, and milliseconds that a timer may come late. */
const SLEPT_SHARE = 0.85;
const TIMER_SLACK = 1;

/** The pacer for `backend`. @param budget milliseconds of work that may be queued; undefined for no bound. */
export function createPacer(backend: Backend, onFinished: OnFinished, budget?: number): Pacer {
  // A backend that computes in `run` itself has nothing in flight.
  if (backend.kind !== 'webgpu') return new QueuePacer(backend, onFinished, 1);
  if (budget !== undefined) return new BudgetPacer(backend, onFinished, budget);
  if (backend.target.sharesProcessor) return new SleepingPacer(backend, onFinished);
  return new QueuePacer(backend, onFinished, MAX_IN_FLIGHT);
}

class QueuePacer implements Pacer {
  readonly quiet = true;
  private readonly inFlight: Promise<void>[] = [];

  constructor(
    private readonly backend: Backend,
    private readonly onFinished: OnFinished,
    private readonly limit: number,
  ) {}

  sent(): void | Promise<void> {
    const finished = this.backend.finish().then(() => this.onFinished(1));
    // Awaited later: a failure before that must not count as unhandled.
    finished.catch(() => undefined);
    this.inFlight.push(finished);
    if (this.inFlight.length >= this.limit) return this.inFlight.shift();
  }

  async drain(): Promise<void> {
    for (const finished of this.inFlight.splice(0)) await finished;
  }
}

/** Most steps that are asked for at once, so that a stop or a pause is obeyed soon. */
const MAX_GROUP = 64;

/**
 * Sends groups of steps that take half the budget each, and waits for the oldest when two are under way: the device
 * works on one while the host sends the next.
 */
class BudgetPacer implements Pacer {
  readonly quiet = true;
  private readonly groups: Promise<void>[] = [];
  /** Steps of the group that is being sent. */
  private sending = 0;
  private groupSize = 1;
  private lastEnd = 0;

  constructor(
    private readonly backend: Backend,
    private readonly onFinished: OnFinished,
    private readonly budget: number,
  ) {}

  sent(): void | Promise<void> {
    if (this.sending === 0 && this.groups.length === 0) this.lastEnd = performance.now();
    if (++this.sending < this.groupSize) return;
    this.close();
    if (this.groups.length > 1) return this.groups.shift();
  }

  async drain(): Promise<void> {
    if (this.sending > 0) this.close();
    for (const group of this.groups.splice(0)) await group;
  }

  private close(): void {
    const steps = this.sending;
    this.sending = 0;
    const finished = this.backend.finish().then(() => {
      const now = performance.now();
      const stepMs = Math.max((now - this.lastEnd) / steps, 0.01);
      this.lastEnd = now;
      // At most twice as many as before: one fast measurement must not queue a second of work.
      const fitting = Math.floor(this.budget / 2 / stepMs);
      this.groupSize = Math.max(1, Math.min(fitting, 2 * this.groupSize, MAX_GROUP));
      this.onFinished(steps);
    });
    // Awaited later: a failure before that must not count as unhandled.
    finished.catch(() => undefined);
    this.groups.push(finished);
  }
}

class SleepingPacer implements Pacer {
  private inFlight = 0;
  private firstSent = 0;
  /** Milliseconds that a step is expected to take. */
  private expected = 0;

  constructor(
    private readonly backend: Backend,
    private readonly onFinished: OnFinished,
  ) {}

  get quiet(): boolean {
    return this.inFlight === 0;
  }

  sent(): void | Promise<void> {
    if (this.inFlight === 0) this.firstSent = performance.now();
    if (++this.inFlight === MAX_IN_FLIGHT) return this.drain();
  }

  async drain(): Promise<void> {
    const steps = this.inFlight;
    if (steps === 0) return;
    const sleep = SLEPT_SHARE * steps * this.expected - TIMER_SLACK;
    if (sleep >= 1) await new Promise((resolve) => setTimeout(resolve, sleep));
    const asked = performance.now();
    await this.backend.finish();
    const now = performance.now();
    this.inFlight = 0;
    this.learn((now - this.firstSent) / steps, sleep >= 1 && now - asked < TIMER_SLACK);
    this.onFinished(steps);
  }

  /** One slow step (a kernel that is compiled at its first run) must not make the next sleep long. */
  private learn(measured: number, overslept: boolean): void {
    this.expected = overslept ? 0.9 * this.expected : Math.min(measured, 2 * this.expected + 5);
  }
}
