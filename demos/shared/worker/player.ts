/** What plays in a worker, step by step, for someone who watches: the part that is the same whatever a step is. */

import type { Device } from './device.ts';
import type { EngineEvent, Listener } from './run-protocol.ts';

/** Milliseconds over which the speed is measured. */
const PACE_MS = 1000;

export abstract class Player<Picture> {
  protected playing = false;
  /** Steps made. */
  protected steps = 0;
  /** Times and counts of the last second of playing. */
  private pace: { readonly at: number; readonly steps: number }[] = [];

  constructor(
    protected readonly listener: Listener<Picture>,
    protected readonly device: Device,
  ) {}

  play(): void {
    if (this.playing) return;
    this.playing = true;
    this.forgetPace();
    this.wake();
  }

  pause(): void {
    this.playing = false;
  }

  /** Playing has begun. */
  protected abstract wake(): void;
  /** A run anew from what was kept, on the backend that is the default one now. @returns where it goes on. */
  protected abstract restore(): Promise<number>;

  protected forgetPace(): void {
    this.pace = [];
  }

  /** Steps a second over the last second, and since this was asked before. */
  protected measure(now: number, steps: number): { readonly perSecond: number; readonly sinceLast: number } {
    const before = this.pace.at(-1);
    this.pace.push({ at: now, steps });
    while (this.pace.length > 2 && now - this.pace[0].at > PACE_MS) this.pace.shift();
    const [first] = this.pace;
    const seconds = (now - first.at) / 1000;
    return {
      perSecond: seconds > 0 ? (steps - first.steps) / seconds : 0,
      sinceLast: before === undefined ? 0 : steps - before.steps,
    };
  }

  /** Goes on on another device if `error` says that this one is lost. @throws `error` else. */
  protected replaceDevice(error: unknown): Promise<void> {
    return this.device.replace(
      error,
      this.steps,
      () => this.restore(),
      (event) => this.tell(event),
    );
  }

  protected fail(error: unknown): void {
    this.playing = false;
    this.tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  }

  protected tell(event: EngineEvent): void {
    this.listener.event(event);
  }
}

/** Lets messages in: a backend may compute without ever waiting. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}
