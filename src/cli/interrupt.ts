/**
 * Ctrl-C: the first SIGINT asks the running work to end after the current step, so that what there is can be saved;
 * another one ends the process at once.
 */

import { INTERRUPTED } from './failure.ts';

/** A terminal and the process that npm or tsx puts between may both pass on one Ctrl-C: that is still one. */
const SAME_PRESS_MS = 500;

export class Interrupt implements Disposable {
  /** True from the first SIGINT on. */
  requested = false;
  private first = 0;
  private readonly onSignal = (): void => {
    if (this.requested) {
      if (performance.now() - this.first > SAME_PRESS_MS) process.exit(INTERRUPTED);
      return;
    }
    this.requested = true;
    this.first = performance.now();
    this.onFirst();
  };

  /** Listens until it is disposed. @param onFirst hears of the first SIGINT. */
  constructor(private readonly onFirst: () => void) {
    process.on('SIGINT', this.onSignal);
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.onSignal);
  }
}
