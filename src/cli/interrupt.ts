/**
 * Ctrl-C: the first SIGINT asks the running work to end after the current step, so that what there is can be saved;
 * another one ends the process at once.
 *
 * Invariant: one Ctrl-C never counts twice, however often it is passed on and however long a step blocks the event loop.
 */

import { INTERRUPTED } from './failure.ts';

/** A terminal, npm and a shell in between may all pass on one Ctrl-C: what comes within this time is still one. */
const SAME_PRESS_MS = 500;

export class Interrupt implements Disposable {
  /** True from the first SIGINT on. */
  requested = false;
  /** True when another SIGINT is another press. */
  private armed = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly onSignal = (): void => {
    if (this.armed) process.exit(INTERRUPTED);
    if (this.requested) return;
    this.requested = true;
    // A step on the CPU blocks the loop for longer than that, and its signals wait: the timer is late then, and fires
    // before they are heard. They are heard before the immediate.
    this.timer = setTimeout(() => setImmediate(() => this.arm()), SAME_PRESS_MS).unref();
    this.onFirst();
  };

  /** Listens until it is disposed. @param onFirst hears of the first SIGINT. */
  constructor(private readonly onFirst: () => void) {
    process.on('SIGINT', this.onSignal);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer);
    process.off('SIGINT', this.onSignal);
  }

  private arm(): void {
    this.armed = true;
  }
}
