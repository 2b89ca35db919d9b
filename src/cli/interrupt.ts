/**
 * Ctrl-C and the other signals that end a process: the first one asks the running work to end soon, so that its result
 * can be saved; another one ends the process at once.
 *
 * Invariant: one Ctrl-C never counts twice, however often it is passed on and however long a step blocks the event
 * loop.
 */

import { SIGNAL_STATUS } from './failure.ts';

/** A terminal, npm and a shell in between may all pass on one Ctrl-C: what comes within this time is still one. */
const SAME_PRESS_MS = 500;

type Signal = keyof typeof SIGNAL_STATUS;
const SIGNALS = Object.keys(SIGNAL_STATUS) as Signal[];

export class Interrupt implements Disposable {
  /** The first signal; undefined before. */
  signal: Signal | undefined;
  /** True when another signal is another press. */
  private armed = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly onSignal = (signal: Signal): void => {
    // The terminal is gone: writing to it fails from now on, and must not end the process.
    if (signal === 'SIGHUP') ignoreLostOutput();
    if (this.armed) process.exit(SIGNAL_STATUS[signal]);
    if (this.requested) return;
    this.signal = signal;
    // A step on the CPU blocks the loop for longer than that, and its signals wait: the timer is late then, and fires
    // before they are heard. They are heard before the immediate.
    this.timer = setTimeout(() => setImmediate(() => this.arm()), SAME_PRESS_MS).unref();
    this.onFirst();
  };

  /** Listens until it is disposed. @param onFirst is called at the first signal. */
  constructor(private readonly onFirst: () => void) {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
  }

  /** True from the first signal on. */
  get requested(): boolean {
    return this.signal !== undefined;
  }

  /** Exit status of a process that was asked to end; 0 when it was not. */
  get status(): number {
    return this.signal === undefined ? 0 : SIGNAL_STATUS[this.signal];
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer);
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
  }

  private arm(): void {
    this.armed = true;
  }
}

function ignoreLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.on('error', () => undefined);
  }
}
